// SPDX-License-Identifier: MIT
#include "host/image/file.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "host/core/error.hpp"

namespace impasto {
namespace {

struct Descriptor {
  int value;
  explicit Descriptor(int fd) : value(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

[[noreturn]] void fail_system(const std::string& path) {
  const int error = errno;
  fail(ErrorKind::input, "cannot read '{}': {}", printable(path), std::strerror(error));
}

}  // namespace

std::string_view name_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::jpeg: return "JPEG";
    case ImageFormat::png: return "PNG";
    case ImageFormat::webp: return "WebP";
    case ImageFormat::tiff: return "TIFF";
  }
  return "unknown";
}

std::string printable(const std::string& path) {
  std::string text = path;
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  return text;
}

std::vector<std::byte> read_image_file(const std::string& path, std::int64_t max_bytes) {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.value < 0) fail_system(path);
  struct stat status {};
  if (::fstat(file.value, &status) != 0) fail_system(path);
  if (!S_ISREG(status.st_mode)) {
    fail(ErrorKind::input, "cannot read '{}': expected an image file, found {}", printable(path),
         kind_of(status.st_mode));
  }
  if (status.st_size == 0) fail(ErrorKind::input, "cannot read '{}': empty", printable(path));
  if (status.st_size > max_bytes) {
    fail(ErrorKind::input, "cannot read '{}': {} bytes, the limit is {}", printable(path),
         status.st_size, max_bytes);
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(file.value, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_system(path);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

ImageFormat recognise_format(std::span<const std::byte> bytes, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                              std::min<std::size_t>(bytes.size(), 16));
  using namespace std::string_view_literals;
  if (text.starts_with("\xFF\xD8\xFF"sv)) return ImageFormat::jpeg;
  if (text.starts_with("\x89PNG\r\n\x1A\n"sv)) return ImageFormat::png;
  if (text.starts_with("RIFF"sv) && text.substr(8).starts_with("WEBP"sv)) return ImageFormat::webp;
  for (const auto magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {
    if (text.starts_with(magic)) return ImageFormat::tiff;
  }
  fail(ErrorKind::input, "cannot read '{}': its content is not JPEG, PNG, WebP or TIFF",
       printable(path));
}

ImageFormat format_of_extension(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".jpg" || extension == ".jpeg") return ImageFormat::jpeg;
  if (extension == ".png") return ImageFormat::png;
  if (extension == ".webp") return ImageFormat::webp;
  if (extension == ".tif" || extension == ".tiff") return ImageFormat::tiff;
  fail(ErrorKind::usage,
       "cannot write '{}': expected an extension .jpg, .jpeg, .png, .webp, .tif or .tiff, found "
       "'{}'",
       printable(path), printable(extension));
}

}  // namespace impasto
