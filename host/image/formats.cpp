// SPDX-License-Identifier: MIT
#include "host/image/formats.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include "host/core/error.hpp"
#include "host/core/lower_case.hpp"
#include "host/core/suggest.hpp"
#include "host/image/encode.hpp"

namespace impasto {
namespace {

using namespace std::string_view_literals;
using Bytes = std::span<const std::byte>;
using vips::Handle;

/// The format's own loader is called by name, so that libvips cannot choose another one.
template <class Loader>
Handle load_with(Loader loader, Bytes bytes) {
  return vips::call([&](VipsImage** out) {
    return loader(const_cast<std::byte*>(bytes.data()), bytes.size(), out, "access",
                  VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, nullptr);
  });
}

constexpr auto png_signature = "\x89PNG\r\n\x1A\n"sv;

/// Whether a text of PNG, which begins at `from`, has the keyword of recipes.
bool keyword_is_comment(std::span<const std::byte> bytes, std::size_t from, std::size_t length) {
  constexpr auto keyword = "Comment\0"sv;
  return length >= keyword.size() && std::memcmp(&bytes[from], keyword.data(), keyword.size()) == 0;
}

/// Takes the texts out of a PNG file: each may unfold to a thousand times its size, but for a tEXt, as
/// libvips writes it where it has libspng. What is behind a chunk that makes no sense stays as it is.
void strip_png(std::vector<std::byte>& bytes, bool keep_comment) {
  constexpr std::size_t around = 12;  // length, name and checksum
  constexpr std::size_t longest_plain = 16 << 20U;
  constexpr std::size_t longest_packed = 16 << 10U;
  std::size_t from = png_signature.size();
  std::size_t to = from;
  while (bytes.size() - from >= around) {
    std::size_t length = around;
    for (std::size_t i = 0, shift = 24; i < 4; ++i, shift -= 8) {
      length += std::to_integer<std::size_t>(bytes[from + i]) << shift;
    }
    if (length > bytes.size() - from) break;
    const std::string_view name(reinterpret_cast<const char*>(&bytes[from + 4]), 4);
    const bool text = name == "tEXt" || name == "zTXt" || name == "iTXt";
    const std::size_t longest = name == "tEXt" ? longest_plain : longest_packed;
    const bool comment = text && keep_comment && length <= longest &&
                         keyword_is_comment(bytes, from + 8, length - around);
    if (comment) keep_comment = false;
    if (!text || comment) {
      std::memmove(&bytes[to], &bytes[from], length);
      to += length;
    }
    from += length;
  }
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(to),
              bytes.begin() + static_cast<std::ptrdiff_t>(from));
}

bool begins_like_tiff(std::string_view head) {
  return std::ranges::any_of(std::array{"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv},
                             [&](std::string_view magic) { return head.starts_with(magic); });
}

const std::array<ImageFormat, 4>& table() {
  static const std::array<ImageFormat, 4> formats = {{
      {.name = "JPEG",
       .extensions = {".jpg", ".jpeg"},
       .begins = [](std::string_view head) { return head.starts_with("\xFF\xD8\xFF"sv); },
       .end = "\xFF\xD9"sv,
       .load = [](Bytes bytes) { return load_with(vips_jpegload_buffer, bytes); },
       .save =
           [](VipsImage* image, void** data, std::size_t* size) {
             return vips_jpegsave_buffer(image, data, size, "Q", 95, "subsample_mode",
                                         VIPS_FOREIGN_SUBSAMPLE_OFF, "optimize_coding", TRUE,
                                         nullptr);
           },
       .max_side = 65535,
       .holds_16_bits = false,
       .holds_alpha = false,
       .comment_field = "exif-ifd0-ImageDescription"},
      {.name = "PNG",
       .extensions = {".png"},
       // Not Apple's own form, which no decoder of PNG reads.
       .begins =
           [](std::string_view head) {
             return head.starts_with(png_signature) && !head.substr(8).ends_with("CgBI"sv);
           },
       .strip = strip_png,
       .load = [](Bytes bytes) { return load_with(vips_pngload_buffer, bytes); },
       .save =
           [](VipsImage* image, void** data, std::size_t* size) {
             return vips_pngsave_buffer(image, data, size, "filter", VIPS_FOREIGN_PNG_FILTER_ALL,
                                        nullptr);
           },
       .max_side = 65535,
       .holds_16_bits = true,
       .holds_alpha = true,
       .comment_field = "png-comment-0-Comment"},
      {.name = "WebP",
       .extensions = {".webp"},
       .begins =
           [](std::string_view head) {
             return head.size() >= 12 && head.starts_with("RIFF"sv) &&
                    head.substr(8, 4) == "WEBP"sv;
           },
       .load = [](Bytes bytes) { return load_with(vips_webpload_buffer, bytes); },
       // Lossy WebP always halves the resolution of colour, which bleeds at the edges of strokes.
       .save =
           [](VipsImage* image, void** data, std::size_t* size) {
             return vips_webpsave_buffer(image, data, size, "lossless", TRUE, nullptr);
           },
       .max_side = 16383,
       .holds_16_bits = false,
       .holds_alpha = true,
       .comment_field = "exif-ifd0-ImageDescription"},
      {.name = "TIFF",
       .extensions = {".tif", ".tiff"},
       .begins = begins_like_tiff,
       .load = [](Bytes bytes) { return load_with(vips_tiffload_buffer, bytes); },
       .save =
           [](VipsImage* image, void** data, std::size_t* size) {
             return vips_tiffsave_buffer(image, data, size, "compression",
                                         VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, "predictor",
                                         VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, nullptr);
           },
       .max_side = 65535,
       .holds_16_bits = true,
       .holds_alpha = true,
       .comment_field = VIPS_META_IMAGEDESCRIPTION},
  }};
  return formats;
}

/// Null where no format has that extension.
const ImageFormat* find_format(const std::string& extension) {
  const auto* const found = std::ranges::find_if(table(), [&](const ImageFormat& format) {
    return std::ranges::find(format.extensions, extension) != format.extensions.end();
  });
  return found == table().end() ? nullptr : found;
}

}  // namespace

std::span<const ImageFormat> image_formats() { return table(); }

const ImageFormat* recognise_format(std::span<const std::byte> bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<std::size_t>(bytes.size(), 16));
  const auto* const found =
      std::ranges::find_if(table(), [&](const ImageFormat& format) { return format.begins(head); });
  return found == table().end() ? nullptr : found;
}

bool is_picture_name(const std::string& path) { return find_format(extension_of(path)) != nullptr; }

const ImageFormat& format_of_extension(const std::string& path) {
  const std::string extension = extension_of(path);
  if (const ImageFormat* format = find_format(extension)) return *format;
  std::vector<std::string> all;
  for (const ImageFormat& format : table()) {
    all.insert(all.end(), format.extensions.begin(), format.extensions.end());
  }
  fail(ErrorKind::usage, "cannot write '{}': expected an extension {}, found '{}'", path,
       one_of(all), extension);
}

std::string names_of_formats() {
  std::vector<std::string> names;
  for (const ImageFormat& format : table()) names.emplace_back(format.name);
  return one_of(names);
}

}  // namespace impasto
