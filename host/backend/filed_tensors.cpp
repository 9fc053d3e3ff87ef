// SPDX-License-Identifier: MIT
#include "host/backend/filed_tensors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "host/core/error.hpp"

namespace impasto {
namespace {

[[noreturn]] void fail_system(int error) {
  fail(ErrorKind::output, "cannot keep what has no room in memory in '{}': {}",
       FiledTensors::folder(), std::strerror(error));
}

}  // namespace

/// Where /tmp is in memory, /var/tmp is on a disk (file-hierarchy(7)).
std::string FiledTensors::folder() {
  const char* given = std::getenv("TMPDIR");
  return given != nullptr && *given != '\0' ? given : "/var/tmp";
}

std::size_t FiledTensors::Entry::row_bytes() const {
  return static_cast<std::size_t>(shape.width * shape.channels) * size_of(type);
}

std::size_t FiledTensors::Entry::offset_of(std::int64_t n) const {
  return offset + static_cast<std::size_t>(n * shape.height) * row_bytes();
}

std::size_t FiledTensors::reserve(const Shape& shape, DataType type) {
  entries_.push_back({shape, type, bytes_});
  bytes_ += aligned_bytes(Tensor{nullptr, shape, type});
  return entries_.size() - 1;
}

void FiledTensors::open() {
  file_ = open_nameless_file(folder());
  if (!file_) fail_system(errno);
  if (const int error = ::posix_fallocate(file_.get(), 0, static_cast<off_t>(bytes_)); error != 0) {
    fail_system(error);
  }
}

void FiledTensors::put(std::size_t offset, std::span<const std::byte> bytes) const {
  if (const int error = write_at(file_, bytes, offset); error != 0) fail_system(error);
}

void FiledTensors::get(std::span<std::byte> bytes, std::size_t offset) const {
  const std::optional<std::size_t> count = read_at(file_, bytes, offset);
  if (count != bytes.size()) fail_system(count ? EIO : errno);
}

std::vector<FiledTensors::Band> FiledTensors::bands(const Place& place,
                                                    const Tensor& tensor) const {
  const Entry& entry = entries_[place.number];
  const Shape& part = tensor.shape;
  require(entry.type == tensor.type && entry.shape.channels == part.channels &&
              place.image + part.batch <= entry.shape.batch &&
              place.corner.top + part.height <= entry.shape.height &&
              place.corner.left + part.width <= entry.shape.width,
          "{} is no part of {}", to_string(part), to_string(entry.shape));
  const std::size_t value = size_of(entry.type) * static_cast<std::size_t>(part.channels);
  const std::size_t row = value * static_cast<std::size_t>(part.width);
  const auto most = static_cast<std::int64_t>(std::max<std::size_t>(buffer_bytes / row, 1));
  std::vector<Band> bands;
  for (std::int64_t n = 0; n < part.batch; ++n) {
    for (std::int64_t top = 0; top < part.height; top += most) {
      bands.push_back({rows_of(image_of(tensor, n), top, std::min(most, part.height - top)),
                       entry.offset_of(place.image + n) +
                           static_cast<std::size_t>(place.corner.top + top) * entry.row_bytes() +
                           static_cast<std::size_t>(place.corner.left) * value});
    }
  }
  return bands;
}

void FiledTensors::write(Device& device, const Place& to, const Tensor& from) const {
  const std::size_t pitch = entries_[to.number].row_bytes();
  std::vector<float> buffer;
  for (const Band& band : bands(to, from)) {
    buffer.resize(band.rows.bytes() / sizeof(float));
    device.read(buffer, as_floats(band.rows));
    const auto bytes = std::as_bytes(std::span(buffer));
    const std::size_t row = bytes.size() / static_cast<std::size_t>(band.rows.shape.height);
    const std::size_t run = row == pitch ? bytes.size() : row;
    for (std::size_t at = 0; at < bytes.size(); at += run) {
      put(band.offset + at / row * pitch, bytes.subspan(at, run));
    }
  }
}

void FiledTensors::read(Device& device, const Tensor& to, const Place& from) const {
  const std::size_t pitch = entries_[from.number].row_bytes();
  std::vector<float> buffer;
  for (const Band& band : bands(from, to)) {
    buffer.resize(band.rows.bytes() / sizeof(float));
    const auto bytes = std::as_writable_bytes(std::span(buffer));
    const std::size_t row = bytes.size() / static_cast<std::size_t>(band.rows.shape.height);
    const std::size_t run = row == pitch ? bytes.size() : row;
    for (std::size_t at = 0; at < bytes.size(); at += run) {
      get(bytes.subspan(at, run), band.offset + at / row * pitch);
    }
    device.write(as_floats(band.rows), buffer);
  }
}

void FiledTensors::write(std::size_t number, std::int64_t n, std::span<const float> values) const {
  const Entry& entry = entries_[number];
  dispatch<float, double>(entry.type, [&]<class T>(T) {
    std::vector<T> buffer;
    for (std::size_t at = 0; at < values.size(); at += buffer.size()) {
      const auto part = values.subspan(at, std::min(values.size() - at, buffer_bytes / sizeof(T)));
      buffer.assign(part.begin(), part.end());
      put(entry.offset_of(n) + at * sizeof(T), std::as_bytes(std::span(buffer)));
    }
  });
}

void FiledTensors::read(std::span<float> values, std::size_t number, std::int64_t n) const {
  const Entry& entry = entries_[number];
  dispatch<float, double>(entry.type, [&]<class T>(T) {
    std::vector<T> buffer;
    for (std::size_t at = 0; at < values.size(); at += buffer.size()) {
      buffer.resize(std::min(values.size() - at, buffer_bytes / sizeof(T)));
      get(std::as_writable_bytes(std::span(buffer)), entry.offset_of(n) + at * sizeof(T));
      std::ranges::transform(buffer, values.begin() + static_cast<std::ptrdiff_t>(at),
                             [](T value) { return static_cast<float>(value); });
    }
  });
}

void FiledTensors::copy(std::size_t to, std::size_t from, std::int64_t n) const {
  const std::size_t bytes = entries_[from].offset_of(1) - entries_[from].offset;
  std::vector<std::byte> buffer(std::min(bytes, buffer_bytes));
  for (std::size_t at = 0; at < bytes; at += buffer.size()) {
    const auto part = std::span(buffer).first(std::min(buffer.size(), bytes - at));
    get(part, entries_[from].offset_of(n) + at);
    put(entries_[to].offset_of(n) + at, part);
  }
}

}  // namespace impasto
