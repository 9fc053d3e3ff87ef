// SPDX-License-Identifier: MIT
#include "host/film/flo_file.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <span>
#include <sys/stat.h>

#include "host/core/error.hpp"
#include "host/core/file_content.hpp"
#include "host/core/file_descriptor.hpp"

namespace impasto::film {
namespace {

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");

constexpr std::size_t head_bytes = 12;
constexpr std::int64_t longest_side = 32768;
constexpr std::int64_t most_pixels = 1LL << 28;  // as of a picture

template <class T>
T number_at(std::span<const std::byte> bytes, std::size_t at) {
  T number{};
  std::memcpy(&number, &bytes[at], sizeof(T));
  return number;
}

}  // namespace

Flow load_flow(const std::string& path) {
  const auto refuse = [&path](const std::string& reason) {
    fail(ErrorKind::input, "cannot read the flow '{}': {}", path, reason);
  };
  const FileDescriptor file = open_to_read(path);
  if (!file) refuse(std::strerror(errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) refuse("not a regular file");
  std::array<std::byte, head_bytes> head{};
  const auto size = read_all(file, head);
  if (!size) refuse(std::strerror(errno));
  if (*size == 0) refuse(why_empty(file));
  if (std::memcmp(head.data(), "PIEH", std::min<std::size_t>(*size, 4)) != 0) {
    const std::string found = describe_content({reinterpret_cast<const char*>(head.data()), *size});
    refuse("expected a .flo file, which begins with PIEH" +
           (found.empty() ? "" : ", found " + found));
  }
  if (*size < head_bytes) refuse("it ends within its first 12 bytes");
  const std::int64_t width = number_at<std::int32_t>(head, 4);
  const std::int64_t height = number_at<std::int32_t>(head, 8);
  if (width < 1 || height < 1 || width > longest_side || height > longest_side ||
      width * height > most_pixels) {
    refuse(fmt::format("expected 1 to {} pixels a side and {} million at most, found {}x{}",
                       longest_side, most_pixels / 1'000'000, width, height));
  }
  const auto values = static_cast<std::size_t>(2 * width * height);
  const std::size_t bytes = head_bytes + values * sizeof(float);
  if (static_cast<std::size_t>(status.st_size) != bytes) {
    refuse(fmt::format("expected {} bytes for {}x{} pixels, found {}", bytes, width, height,
                       status.st_size));
  }
  Flow flow{height, width, std::vector<float>(values)};
  const auto read = read_all(file, std::as_writable_bytes(std::span(flow.uv)));
  if (!read) refuse(std::strerror(errno));
  if (*read != values * sizeof(float)) refuse("it became shorter while it was read");
  return flow;
}

}  // namespace impasto::film
