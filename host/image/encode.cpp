// SPDX-License-Identifier: MIT
#include "host/image/encode.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <span>

#include "host/core/atomic_file.hpp"
#include "host/core/digest.hpp"
#include "host/core/error.hpp"
#include "host/image/formats.hpp"
#include "host/image/profile.hpp"
#include "host/image/vips.hpp"

namespace impasto {
namespace {

using vips::Handle;

template <class Sample>
Sample to_sample(float value) {
  constexpr float scale = sizeof(Sample) == 1 ? 1.0F : 257.0F;
  // Written so that NaN becomes 0.
  const float inside = value > 0 ? std::min(value, 255.0F) : 0.0F;
  return static_cast<Sample>(inside * scale + 0.5F);
}

/// The pixels as the format stores them: rounded, alpha interleaved or the picture put over white.
template <class Sample>
std::vector<Sample> interleave(const Image& image, bool keep_alpha) {
  const auto count = static_cast<std::size_t>(image.pixels());
  const bool flatten = !image.alpha.empty() && !keep_alpha;
  std::vector<Sample> samples;
  samples.reserve(count * (keep_alpha ? 4 : 3));
  for (std::size_t i = 0; i < count; ++i) {
    const float cover = flatten ? image.alpha[i] / 255.0F : 1.0F;
    for (std::size_t c = 0; c < 3; ++c) {
      const float value = image.rgb[i * 3 + c];
      samples.push_back(to_sample<Sample>(flatten ? value * cover + 255.0F * (1 - cover) : value));
    }
    if (keep_alpha) samples.push_back(to_sample<Sample>(image.alpha[i]));
  }
  return samples;
}

/// A picture of the samples, which must outlive it.
template <class Sample>
Handle make_vips_image(const std::vector<Sample>& samples, std::int64_t height, std::int64_t width,
                       bool has_alpha) {
  constexpr bool wide = sizeof(Sample) == 2;
  const Handle raw(vips_image_new_from_memory(
      samples.data(), samples.size() * sizeof(Sample), static_cast<int>(width),
      static_cast<int>(height), has_alpha ? 4 : 3, wide ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR));
  if (!raw) return {};
  constexpr double pixels_per_mm = 72 / 25.4;
  return vips::call([&](VipsImage** out) {
    return vips_copy(raw.get(), out, "interpretation",
                     wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, "xres",
                     pixels_per_mm, "yres", pixels_per_mm, nullptr);
  });
}

void set_comment(VipsImage* image, std::string_view field, std::string comment) {
  if (comment.empty()) return;
  // libvips takes a bracket at the end of an EXIF text for its own note of the type, and drops it.
  if (field.starts_with("exif-")) comment += " (text, ASCII)";
  vips_image_set_string(image, field.data(), comment.c_str());
}

/// What the function `save` makes of the pixels, with the profile and the comment. Throws for pixels
/// that are not there.
template <class Save>
std::vector<std::byte> encode(const Handle& pixels, const std::vector<std::byte>& profile,
                              const char* comment_field, std::string_view comment, const Save& save,
                              const std::string& path) {
  void* data = nullptr;
  std::size_t size = 0;
  if (pixels) {
    vips_image_set_blob_copy(pixels.get(), VIPS_META_ICC_NAME, profile.data(), profile.size());
    set_comment(pixels.get(), comment_field, std::string(comment));
  }
  if (!pixels || save(pixels.get(), &data, &size) != 0) {
    const std::string reason = vips::take_error();
    const bool shortage = vips::lacks_memory(reason);
    fail(shortage ? ErrorKind::out_of_memory : ErrorKind::output, "cannot write '{}': {}{}", path,
         shortage ? "not enough memory: " : "", reason);
  }
  const std::unique_ptr<void, decltype(&g_free)> owner(data, g_free);
  const auto* const bytes = static_cast<const std::byte*>(data);
  return {bytes, bytes + size};
}

void write(const std::vector<std::byte>& bytes, const std::string& path) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void check_saveable(const Image& image) {
  const auto pixels = static_cast<std::size_t>(image.pixels());
  require(image.height > 0 && image.width > 0 && image.rgb.size() == pixels * 3 &&
              (image.alpha.empty() || image.alpha.size() == pixels),
          "an image of {}×{} with {} colour and {} alpha values cannot be saved", image.width,
          image.height, image.rgb.size(), image.alpha.size());
}

}  // namespace

std::vector<std::string> writable_extensions() {
  std::vector<std::string> extensions;
  for (const ImageFormat& format : image_formats()) {
    extensions.insert(extensions.end(), format.extensions.begin(), format.extensions.end());
  }
  return extensions;
}

void check_output_path(const std::string& path) {
  format_of_extension(path);
  check_writable(path);
}

bool holds_16_bits(const std::string& path) { return format_of_extension(path).holds_16_bits; }
bool holds_alpha(const std::string& path) { return format_of_extension(path).holds_alpha; }

void check_picture_fits(const std::string& path, std::int64_t height, std::int64_t width) {
  const ImageFormat& format = format_of_extension(path);
  if (std::max(height, width) <= format.max_side) return;
  fail(ErrorKind::output, "cannot write '{}': {}×{} pixels, {} holds at most {} a side", path,
       width, height, format.name, format.max_side);
}

std::vector<std::byte> encode_image(const Image& image, const std::string& path,
                                    std::string_view comment) {
  vips::start();
  const ImageFormat& format = format_of_extension(path);
  check_saveable(image);
  check_picture_fits(path, image.height, image.width);
  const bool keep_alpha = !image.alpha.empty() && format.holds_alpha;
  const bool wide = image.bits == 16 && format.holds_16_bits;
  const bool own_profile = !image.profile.empty();
  const auto encode_as = [&]<class Sample>(Sample /*type*/) {
    const auto samples = own_profile ? interleave<Sample>(in_own_profile(image), keep_alpha)
                                     : interleave<Sample>(image, keep_alpha);
    return encode(make_vips_image(samples, image.height, image.width, keep_alpha),
                  own_profile ? image.profile : vips::srgb_profile(), format.comment_field, comment,
                  format.save, path);
  };
  return wide ? encode_as(std::uint16_t{}) : encode_as(std::uint8_t{});
}

std::string save_image(const Image& image, const std::string& path, std::string_view comment) {
  const std::vector<std::byte> bytes = encode_image(image, path, comment);
  write(bytes, path);
  return sha256(bytes);
}

void Animation::add(const Image& frame, int milliseconds) {
  check_saveable(frame);
  if (milliseconds_.empty()) {
    height_ = frame.height;
    width_ = frame.width;
    has_alpha_ = !frame.alpha.empty();
  }
  require(frame.height == height_ && frame.width == width_ && frame.alpha.empty() != has_alpha_,
          "an animation of {}×{} gets a frame of {}×{}", width_, height_, frame.width,
          frame.height);
  const auto samples = interleave<std::uint8_t>(frame, has_alpha_);
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  milliseconds_.push_back(milliseconds);
}

void Animation::save(const std::string& path, std::string_view comment) const {
  vips::start();
  require(!milliseconds_.empty(), "an animation without frames cannot be saved");
  check_picture_fits(path, height_, width_);
  // libvips takes the frames as pages below one another.
  const auto frames = static_cast<std::int64_t>(milliseconds_.size());
  const Handle pages = make_vips_image(samples_, frames * height_, width_, has_alpha_);
  if (pages) {
    vips_image_set_int(pages.get(), VIPS_META_PAGE_HEIGHT, static_cast<int>(height_));
    vips_image_set_array_int(pages.get(), "delay", milliseconds_.data(), static_cast<int>(frames));
    vips_image_set_int(pages.get(), "loop", 0);
  }
  const auto save_webp = [](VipsImage* image, void** data, std::size_t* size) {
    return vips_webpsave_buffer(image, data, size, "Q", 85, "smart_subsample", TRUE, nullptr);
  };
  write(encode(pages, vips::srgb_profile(), format_of_extension(path).comment_field, comment,
               save_webp, path),
        path);
}

}  // namespace impasto
