// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "host/backend/communicator.hpp"
#include "host/backend/device.hpp"

namespace impasto {

/// The rows of pictures that are this device's own, where several compute pictures together and each has a
/// strip of them, or all rows.
class Strips {
 public:
  /// All rows are here.
  Strips() = default;
  /// Rank r has the rows from borders[r] to borders[r + 1]. `ranks` must outlive the object.
  Strips(Communicator& ranks, std::vector<std::int64_t> borders)
      : ranks_(&ranks), borders_(std::move(borders)) {}

  /// Null where all rows are here.
  [[nodiscard]] Communicator* ranks() const { return ranks_; }
  /// The first of the own rows.
  [[nodiscard]] std::int64_t top() const;
  /// The shape of the own rows of pictures.
  [[nodiscard]] Shape shape_of(Shape pictures) const;
  /// The own rows as dense tensors: of all pictures in one where all rows are here, else of each in one.
  [[nodiscard]] std::vector<Tensor> own(const Tensor& pictures) const;

  /// Enqueues what brings the own rows of each rank to all others.
  void gather(const Tensor& pictures) const;
  /// Of `rows`, the own rows of pictures like `room` one behind another: enqueues what brings those of all
  /// ranks together in `room`, and returns that; `rows` itself where all rows are here.
  Tensor whole(Device& device, const Tensor& rows, const Tensor& room) const;

 private:
  Communicator* ranks_ = nullptr;
  std::vector<std::int64_t> borders_;
};

/// The p-th of so many parts of a batch, which lie one behind another.
Tensor part_of(const Tensor& batch, std::int64_t p, std::int64_t parts);

}  // namespace impasto
