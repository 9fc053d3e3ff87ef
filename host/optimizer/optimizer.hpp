// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <variant>

#include "host/backend/backend.hpp"
#include "host/backend/tensor_block.hpp"
#include "host/model/schedule.hpp"

namespace impasto {

/// Moves the pixels along their gradient. It owns its state, on the device, and must outlive the
/// schedules that it adds to.
class Optimizer {
 public:
  Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  /// The memory of its state, to be bound before any schedule runs.
  [[nodiscard]] std::size_t bytes() const { return state_.bytes(); }
  void bind(void* memory) { state_.bind(memory); }
  /// Enqueues what puts its state back to zero steps.
  virtual void reset(Backend& backend) const;

  /// Appends losses and gradient of the pixels as they are at that point of the schedule; returns
  /// the gradient.
  using Evaluate = std::function<TensorId()>;
  /// Appends one step. It evaluates as often as it needs; the first evaluation's losses are the
  /// step's. All of it is one schedule, so one recording.
  virtual void add_step(Schedule& schedule, TensorId pixels, const Evaluate& evaluate) const = 0;

 protected:
  TensorBlock state_;
};

/// The settings of every optimiser: a new one is a file beside Adam's and a row here.
using OptimizerSettings = std::variant<AdamOptions>;

/// The optimiser for `pixels`, whose gradients come multiplied by `gradient_scale`.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, const Tensor& pixels,
                                          double gradient_scale);

}  // namespace impasto
