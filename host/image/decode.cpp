// SPDX-License-Identifier: MIT
#include "host/image/decode.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

#include "host/core/error.hpp"
#include "host/core/file_content.hpp"
#include "host/core/file_descriptor.hpp"
#include "host/core/paths.hpp"
#include "host/image/formats.hpp"
#include "host/image/profile.hpp"
#include "host/image/resize.hpp"

namespace impasto {
namespace {

using vips::Handle;

// The file's bytes.

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

/// The bytes of a regular file of 1 to `max_bytes` bytes. Never waits, whatever `path` is.
std::vector<std::byte> read_file(const std::string& path, std::int64_t max_bytes) {
  const FileDescriptor file = open_to_read(path);
  if (!file) fail_to_read(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_to_read(path, errno);
  if (!S_ISREG(status.st_mode)) {
    fail(ErrorKind::input, "cannot read '{}': expected an image file, found {}", path,
         kind_of(status.st_mode));
  }
  if (status.st_size == 0) fail(ErrorKind::input, "cannot read '{}': {}", path, why_empty(file));
  if (status.st_size > max_bytes) {
    fail(ErrorKind::input, "cannot read '{}': {} bytes, the limit is {}", path, status.st_size,
         max_bytes);
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  const auto count = read_all(file, bytes);
  if (!count) fail_to_read(path, errno);
  bytes.resize(*count);
  return bytes;
}

// Bytes to libvips' pixels.

using Notes = std::vector<std::string>;

void check_header(VipsImage* image, const std::string& path, const ImageLimits& limits) {
  const std::int64_t width = vips_image_get_width(image);
  const std::int64_t height = vips_image_get_height(image);
  if (width > limits.max_side || height > limits.max_side || width * height > limits.max_pixels) {
    fail(ErrorKind::input,
         "cannot read '{}': it declares {}×{} pixels, the limit is {} a side and {} in all", path,
         width, height, limits.max_side, limits.max_pixels);
  }
  constexpr int max_bands = 8;  // CMYK, alpha and a few that are not looked at
  if (vips_image_get_bands(image) > max_bands) {
    fail(ErrorKind::input, "cannot read '{}': it declares {} channels, the limit is {}", path,
         vips_image_get_bands(image), max_bands);
  }
  const VipsBandFormat format = vips_image_get_format(image);
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) {
    fail(ErrorKind::input, "cannot read '{}': expected 8 or 16 bits per channel, found {}", path,
         vips_enum_nick(VIPS_TYPE_BAND_FORMAT, format));
  }
}

/// Decodes, by one thread: with more, libvips 8.14 now and then loses an error in the last rows and
/// takes a cut file for a whole one (8 of 1000 loads).
Handle read_pixels(VipsImage* image) {
  vips_image_set_int(image, VIPS_META_CONCURRENCY, 1);
  Handle pixels(vips_image_copy_memory(image));
  if (pixels) vips_image_remove(pixels.get(), VIPS_META_CONCURRENCY);
  return pixels;
}

/// Opens the header, checks it, decodes. Empty where libvips fails.
Handle decode(const ImageFormat& format, std::span<const std::byte> bytes, const std::string& path,
              const ImageLimits& limits) {
  const Handle header = format.load(bytes);
  if (!header) return {};
  check_header(header.get(), path, limits);
  return read_pixels(header.get());
}

[[noreturn]] void fail_decode(const ImageFormat& format, const std::string& path,
                              const std::string& reason) {
  if (vips::lacks_memory(reason)) {
    fail(ErrorKind::out_of_memory, "not enough memory to read '{}': {}", path, reason);
  }
  if (reason.find("upported") != std::string::npos) {  // "not supported", "Unsupported"
    fail(ErrorKind::input, "cannot read '{}': a kind of {} that is not read: {}", path, format.name,
         reason);
  }
  fail(ErrorKind::input, "cannot read '{}': damaged or incomplete {}: {}", path, format.name,
       reason);
}

/// The pixels of a file. One that ends early is refused, unless only its end marker is missing; one
/// with damaged data in between is read as far as its decoder can, and gets a note.
Handle decode_or_refuse(const ImageFormat& format, std::vector<std::byte>& bytes,
                        const std::string& path, const ImageLimits& limits, Notes& notes) {
  vips::take_damage();  // of an earlier picture
  if (Handle pixels = decode(format, bytes, path, limits)) {
    if (const auto damage = vips::take_damage()) {
      notes.push_back(fmt::format("'{}' is damaged, parts of it may be wrong: {}", path, *damage));
    }
    return pixels;
  }
  const std::string reason = vips::take_error();
  if (!format.end.empty()) {
    const auto end = std::as_bytes(std::span(format.end));
    bytes.insert(bytes.end(), end.begin(), end.end());
    Handle pixels = decode(format, bytes, path, limits);
    if (pixels && !vips::take_damage()) return pixels;
  }
  fail_decode(format, path, reason);
}

/// Computed, and turned upright by the orientation that a camera noted.
Handle make_upright(VipsImage* image) {
  Handle pixels(vips_image_copy_memory(image));
  if (!pixels || vips_image_get_orientation(pixels.get()) == 1) return pixels;
  const auto turned =
      vips::call([&](VipsImage** out) { return vips_autorot(pixels.get(), out, nullptr); });
  return turned ? Handle(vips_image_copy_memory(turned.get())) : Handle();
}

// Any colour space to sRGB.

/// Colour channels of an interpretation, 0 for those that pictures are not kept in.
int colours_of(VipsInterpretation interpretation) {
  switch (interpretation) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16: return 1;
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB16: return 3;
    case VIPS_INTERPRETATION_CMYK: return 4;
    default: return 0;
  }
}

Handle extract(VipsImage* image, int first, int count) {
  return vips::call(
      [&](VipsImage** out) { return vips_extract_band(image, out, first, "n", count, nullptr); });
}

/// 16 bits, so that rounding costs nothing; the embedded profile first, `fallback` without one.
Handle transform(VipsImage* image, const char* fallback) {
  return vips::call([&](VipsImage** out) {
    return vips_icc_transform(image, out, "srgb", "embedded", TRUE, "input_profile", fallback,
                              "intent", VIPS_INTENT_RELATIVE, "black_point_compensation", TRUE,
                              "depth", 16, nullptr);
  });
}

/// 8 bits to 16 without a change of value: 255 becomes 65535.
Handle widen(VipsImage* image) {
  const auto scaled =
      vips::call([&](VipsImage** out) { return vips_linear1(image, out, 257.0, 0.0, nullptr); });
  if (!scaled) return {};
  return vips::call(
      [&](VipsImage** out) { return vips_cast(scaled.get(), out, VIPS_FORMAT_USHORT, nullptr); });
}

/// sRGB at 16 bits, followed by the alpha of `image` if it has one.
Handle convert(VipsImage* image, int colours, int bands) {
  const auto inks = extract(image, 0, colours);
  if (!inks) return {};
  auto converted = transform(inks.get(), colours == 4 ? "cmyk" : "srgb");
  if (!converted || bands == colours) return converted;
  auto alpha = extract(image, colours, 1);
  if (alpha && vips_image_get_format(alpha.get()) == VIPS_FORMAT_UCHAR) alpha = widen(alpha.get());
  if (!alpha) return {};
  return vips::call(
      [&](VipsImage** out) { return vips_bandjoin2(converted.get(), alpha.get(), out, nullptr); });
}

struct SrgbImage {
  Handle image;                         ///< grey or sRGB, then alpha if there is any
  int colours = 0;                      ///< 1 or 3
  std::vector<std::byte> profile = {};  ///< as profile_to_keep() has it
};

/// The image as sRGB: by its ICC profile, CMYK without one by libvips' own. A profile that does not
/// fit its image is ignored, as viewers do. 16 bits after a conversion, else as it came.
SrgbImage to_srgb(VipsImage* image, const std::string& path) {
  const int colours = colours_of(vips_image_guess_interpretation(image));
  const int bands = vips_image_get_bands(image);
  if (colours == 0 || bands < colours) {
    fail(ErrorKind::input,
         "cannot read '{}': expected grey, RGB or CMYK, found {} channels of colour space {}", path,
         bands, vips_enum_nick(VIPS_TYPE_INTERPRETATION, vips_image_get_interpretation(image)));
  }
  const bool cmyk = colours == 4;
  if (cmyk || vips::has_foreign_profile(image)) {
    if (auto converted = convert(image, colours, bands)) {
      return {std::move(converted), 3,
              colours == 3 ? profile_to_keep(image) : std::vector<std::byte>()};
    }
    if (cmyk) {
      fail(ErrorKind::input, "cannot read '{}': its colours cannot be converted to sRGB: {}", path,
           vips::take_error());
    }
    vips_error_clear();
  }
  g_object_ref(image);
  return {Handle(image), colours};
}

// libvips' pixels to ours.

/// A decoded picture in libvips' memory, upright and in sRGB, at 8 or 16 bits.
class DecodedImage {
 public:
  DecodedImage(Handle pixels, int colours)
      : pixels_(std::move(pixels)),
        colours_(colours),
        wide_(vips_image_get_format(pixels_.get()) == VIPS_FORMAT_USHORT) {
    if (wide_) {
      measure_alpha<std::uint16_t>();
    } else {
      measure_alpha<std::uint8_t>();
    }
  }

  [[nodiscard]] PictureSize size() const {
    return {vips_image_get_height(pixels_.get()), vips_image_get_width(pixels_.get())};
  }
  [[nodiscard]] bool has_alpha() const { return has_alpha_; }
  [[nodiscard]] bool is_invisible() const { return is_invisible_; }

  /// Row `y` in [0,255]: rgb (W,3), and alpha (W) unless the picture is opaque.
  void read_row(std::int64_t y, float* rgb, float* alpha) const {
    if (wide_) {
      convert_row<std::uint16_t>(y, rgb, alpha);
    } else {
      convert_row<std::uint8_t>(y, rgb, alpha);
    }
  }

 private:
  template <class Sample>
  [[nodiscard]] const Sample* row(std::int64_t y) const {
    const auto* data = static_cast<const Sample*>(vips_image_get_data(pixels_.get()));
    return data + y * size().width * vips_image_get_bands(pixels_.get());
  }

  template <class Sample>
  void measure_alpha() {
    const int bands = vips_image_get_bands(pixels_.get());
    if (bands == colours_) return;
    Sample lowest = static_cast<Sample>(-1);
    Sample highest = 0;
    const Sample* sample = row<Sample>(0) + colours_;
    for (std::int64_t i = 0; i < size().height * size().width; ++i, sample += bands) {
      lowest = std::min(lowest, *sample);
      highest = std::max(highest, *sample);
    }
    has_alpha_ = lowest != static_cast<Sample>(-1);
    is_invisible_ = highest == 0;
  }

  template <class Sample>
  void convert_row(std::int64_t y, float* rgb, float* alpha) const {
    constexpr float scale = sizeof(Sample) == 1 ? 1.0F : 257.0F;
    const int bands = vips_image_get_bands(pixels_.get());
    const int green = colours_ == 3 ? 1 : 0;
    const int blue = colours_ == 3 ? 2 : 0;
    const Sample* in = row<Sample>(y);
    for (std::int64_t x = 0; x < size().width; ++x, in += bands, rgb += 3) {
      rgb[0] = static_cast<float>(in[0]) / scale;
      rgb[1] = static_cast<float>(in[green]) / scale;
      rgb[2] = static_cast<float>(in[blue]) / scale;
      if (!has_alpha_) continue;
      if (in[colours_] == 0) std::fill_n(rgb, 3, 0.0F);
      alpha[x] = static_cast<float>(in[colours_]) / scale;
    }
  }

  Handle pixels_;
  int colours_;
  bool wide_;
  bool has_alpha_ = false;
  bool is_invisible_ = false;
};

Image as_it_is(const PictureRows& picture) {
  Image image{picture.size.height, picture.size.width, {}, {}, picture.bits};
  image.rgb.resize(static_cast<std::size_t>(image.pixels() * 3));
  if (picture.has_alpha) image.alpha.resize(static_cast<std::size_t>(image.pixels()));
#pragma omp parallel for schedule(static)
  for (std::int64_t y = 0; y < image.height; ++y) {
    picture.read(y, image.rgb.data() + y * image.width * 3,
                 picture.has_alpha ? image.alpha.data() + y * image.width : nullptr);
  }
  return image;
}

const ImageFormat& recognised(std::span<const std::byte> bytes, const std::string& path) {
  if (const ImageFormat* const format = recognise_format(bytes)) return *format;
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min(bytes.size(), described_bytes));
  fail(ErrorKind::input, "cannot read '{}': its content is not {} but {}", path, names_of_formats(),
       describe_content(head));
}

/// libvips keeps what it complains about for the whole process, so one picture at a time is decoded.
std::mutex& decoding() {
  static std::mutex turn;
  return turn;
}

/// The ImageDescription of EXIF data, which are a small TIFF file; empty where there is none. libvips'
/// own text of it ends after 255 bytes.
std::string description_in_exif(std::span<const std::byte> exif) {
  constexpr std::size_t header = 8;  // byte order, 42, where the directory is
  constexpr std::size_t entry = 12;  // tag, type, count, value or where that is
  constexpr std::size_t description = 0x010E;
  constexpr std::size_t ascii = 2;
  constexpr std::array<std::byte, 6> prefix = {std::byte{'E'}, std::byte{'x'}, std::byte{'i'},
                                               std::byte{'f'}, std::byte{0},   std::byte{0}};
  if (exif.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), exif.begin())) {
    exif = exif.subspan(prefix.size());
  }
  if (exif.size() < header) return {};
  const bool little = exif[0] == std::byte{'I'};
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::size_t from = little ? bytes - 1 - i : i;
      value = value << 8U | std::to_integer<std::size_t>(exif[at + from]);
    }
    return value;
  };
  const std::size_t directory = number(4, 4);
  if (directory > exif.size() - 2) return {};
  const std::size_t count = number(directory, 2);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = directory + 2 + i * entry;
    if (at + entry > exif.size()) return {};
    if (number(at, 2) != description || number(at + 2, 2) != ascii) continue;
    const std::size_t length = number(at + 4, 4);
    const std::size_t from = length <= 4 ? at + 8 : number(at + 8, 4);
    if (from > exif.size() || length > exif.size() - from) return {};
    const std::string text(reinterpret_cast<const char*>(&exif[0]) + from, length);
    return text.substr(0, text.find('\0'));
  }
  return {};
}

}  // namespace

Image load_image(const std::string& path, std::optional<std::int64_t> size,
                 const ImageLimits& limits) {
  return decode_image(read_file(path, limits.max_bytes), path, size, limits);
}

Image decode_image(std::vector<std::byte> bytes, const std::string& path,
                   std::optional<std::int64_t> size, const ImageLimits& limits) {
  if (size && (*size < 1 || *size > limits.max_side)) {
    fail(ErrorKind::usage, "the size of an image must be 1 to {}, not {}", limits.max_side, *size);
  }
  vips::start();
  const ImageFormat& format = recognised(bytes, path);
  if (format.strip != nullptr) format.strip(bytes, false);
  Notes notes;
  std::unique_lock turn(decoding());
  const Handle loaded = decode_or_refuse(format, bytes, path, limits, notes);
  const int file_bits = vips_image_get_format(loaded.get()) == VIPS_FORMAT_USHORT ? 16 : 8;
  SrgbImage srgb = to_srgb(loaded.get(), path);
  Handle pixels = make_upright(srgb.image.get());
  if (!pixels) fail_decode(format, path, vips::take_error());
  turn.unlock();

  const DecodedImage decoded(std::move(pixels), srgb.colours);
  const PictureRows rows{
      decoded.size(), decoded.has_alpha(), file_bits,
      [&](std::int64_t y, float* rgb, float* alpha) { decoded.read_row(y, rgb, alpha); }};
  PictureSize to = rows.size;
  if (size) to = fit(rows.size, *size);
  if (to.height * to.width > limits.max_pixels) {
    fail(ErrorKind::usage, "'{}' at size {} would have {}×{} pixels, the limit is {}", path, *size,
         to.width, to.height, limits.max_pixels);
  }
  const bool same = to.height == rows.size.height && to.width == rows.size.width;
  Image image = same ? as_it_is(rows) : resize(rows, to);
  if (decoded.is_invisible()) {
    notes.push_back(fmt::format("'{}' is wholly transparent: all of it counts as black", path));
  }
  image.notes = std::move(notes);
  image.profile = std::move(srgb.profile);
  return image;
}

std::string read_comment(const std::string& path) {
  vips::start();
  const ImageLimits limits;
  std::vector<std::byte> bytes = read_file(path, limits.max_bytes);
  const ImageFormat& format = recognised(bytes, path);
  if (format.strip != nullptr) format.strip(bytes, true);
  const std::lock_guard turn(decoding());
  const Handle header = format.load(bytes);
  if (!header) fail_decode(format, path, vips::take_error());
  check_header(header.get(), path, limits);
  if (std::string_view(format.comment_field).starts_with("exif-")) {
    const void* exif = nullptr;
    std::size_t size = 0;
    if (vips_image_get_typeof(header.get(), VIPS_META_EXIF_NAME) == 0 ||
        vips_image_get_blob(header.get(), VIPS_META_EXIF_NAME, &exif, &size) != 0) {
      return {};
    }
    return description_in_exif({static_cast<const std::byte*>(exif), size});
  }
  const char* text = nullptr;
  if (vips_image_get_typeof(header.get(), format.comment_field) != VIPS_TYPE_REF_STRING ||
      vips_image_get_string(header.get(), format.comment_field, &text) != 0) {
    return {};
  }
  return text;
}

std::string image_library() { return fmt::format("libvips {}", vips_version_string()); }

}  // namespace impasto
