// SPDX-License-Identifier: MIT
#pragma once

#include "host/backend/backend.hpp"
#include "host/backend/tensor_block.hpp"
#include "host/model/schedule.hpp"

namespace impasto {

/// Adam's state for one picture, on the device: moments and step count.
class Adam {
 public:
  /// Plans the state, bytes() large.
  Adam(const Shape& pixels, DataType type, const AdamOptions& options);
  [[nodiscard]] std::size_t bytes() const { return state_.bytes(); }
  /// Puts it at `memory`, at zero steps.
  void bind(void* memory, Backend& backend);

  /// Appends one step on `pixels` along `grad_pixels`.
  void add_step(Schedule& schedule, TensorId pixels, TensorId grad_pixels) const;

 private:
  AdamOptions options_;
  TensorBlock state_;
  std::size_t m_;
  std::size_t v_;
  std::size_t step_;
};

}  // namespace impasto
