// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/backend/device.hpp"
#include "host/core/file_descriptor.hpp"
#include "host/core/tensor.hpp"
#include "kernels/crop/crop.hpp"

namespace impasto {

/// Tensors in a file without a name, for what a run looks at once an iteration and memory has no room
/// for. Nothing is left of the file, however the program ends. Reserve all tensors first, then open it.
///
/// Values travel bit for bit, through a buffer of the host. All calls wait for the device. They throw
/// ErrorKind::output where the folder, TMPDIR or else /var/tmp, does not take or give them.
class FiledTensors {
 public:
  /// Room for one more tensor, whose rows have a multiple of 4 bytes; returns its number.
  std::size_t reserve(const Shape& shape, DataType type);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// What travels at once, through as much of the host's memory.
  static constexpr std::size_t buffer_bytes = std::size_t{8} << 20U;
  /// The folder that the file is in.
  static std::string folder();

  /// Makes the file, with zeros in all of its bytes(), in place of the one before.
  void open();

  /// A rectangle of some images of a tensor.
  struct Place {
    std::size_t number;
    std::int64_t image = 0;  ///< the first
    kernels::Corner corner = {};
  };
  /// Tensors of the rectangle's shape (N,H,W,C).
  void write(Device& device, const Place& to, const Tensor& from) const;
  void read(Device& device, const Tensor& to, const Place& from) const;
  /// The n-th image of a tensor, from values of the host, converted to its type; and back.
  void write(std::size_t number, std::int64_t n, std::span<const float> values) const;
  void read(std::span<float> values, std::size_t number, std::int64_t n) const;
  /// The n-th image of a tensor to that of another.
  void copy(std::size_t to, std::size_t from, std::int64_t n) const;

 private:
  struct Entry {
    Shape shape;
    DataType type;
    std::size_t offset;
    [[nodiscard]] std::size_t row_bytes() const;
    /// Where the n-th image begins in the file.
    [[nodiscard]] std::size_t offset_of(std::int64_t n) const;
  };
  /// Rows of a place that lie side by side in the tensor on the device and, if they are whole, in the file.
  struct Band {
    Tensor rows;
    std::size_t offset;  ///< of the first, in the file
  };
  [[nodiscard]] std::vector<Band> bands(const Place& place, const Tensor& tensor) const;
  void put(std::size_t offset, std::span<const std::byte> bytes) const;
  void get(std::span<std::byte> bytes, std::size_t offset) const;

  std::vector<Entry> entries_;
  std::size_t bytes_ = 0;
  FileDescriptor file_;
};

}  // namespace impasto
