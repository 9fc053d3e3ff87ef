// SPDX-License-Identifier: MIT
#include "host/optimizer/optimizer.hpp"

#include <iterator>

#include "host/core/error.hpp"
#include "host/optimizer/adam.hpp"
#include "host/optimizer/descent.hpp"
#include "host/optimizer/lbfgs.hpp"

namespace impasto {

void Optimizer::reset(Backend& backend) const {
  for (std::size_t tensor = 0; tensor < state_.size(); ++tensor) {
    backend.fill_zero(state_[tensor]);
  }
}

/// A tensor is of N pictures, one after the other, or one value for all.
std::vector<Optimizer::StatePart> Optimizer::state_of(std::int64_t n, std::int64_t N) const {
  std::vector<StatePart> parts;
  for (std::size_t i = 0; i < state_.size(); ++i) {
    const bool of_each = state_[i].shape.batch % N == 0;
    parts.push_back({of_each ? part_of(state_[i], n, N) : state_[i], strips_of_state_.contains(i)});
  }
  return parts;
}

std::size_t Optimizer::reserve_rows(const Strips& strips, const Shape& pictures, DataType type) {
  const std::size_t number = state_.reserve(strips.shape_of(pictures), type);
  if (strips.ranks() != nullptr) strips_of_state_.insert(number);
  return number;
}

std::vector<Optimizer::OwnPart> Optimizer::own_parts(const Strips& strips, const Tensor& pixels,
                                                     const Tensor& gradient) {
  const std::vector<Tensor> x = strips.own(pixels);
  const std::vector<Tensor> grad = strips.own(gradient);
  std::vector<OwnPart> parts;
  for (std::size_t p = 0; p < x.size(); ++p) {
    parts.push_back({x[p], grad[p], static_cast<std::int64_t>(p), std::ssize(x)});
  }
  return parts;
}

void Optimizer::keep_counter(Backend& backend, const Tensor& counters, OptimizerState& state) {
  const Tensor counter = image_of(counters, 0);
  state.counter_memory = backend.allocate(counter.bytes());
  state.counter = {state.counter_memory.get(), counter.shape, counter.type};
  backend.copy(state.counter, counter);
}

void Optimizer::resume_counter(Backend& backend, const Tensor& counters,
                               const OptimizerState& state) {
  for (std::int64_t p = 0; p < counters.shape.batch; ++p) {
    backend.copy(image_of(counters, p), state.counter);
  }
}

bool may_end(const OptimizerSettings& settings) {
  const auto* lbfgs = std::get_if<LbfgsOptions>(&settings);
  return lbfgs != nullptr && lbfgs->tests();
}

void add_box(Schedule& schedule, TensorId pixels) {
  schedule.add({.name = "box", .operation = "clamp"}, {pixels},
               [=](Backend& backend, const Schedule& s) {
                 backend.clamp(s[pixels], s[pixels], box_lowest, box_highest);
               });
}

void require_pixels(std::string_view optimizer, const OptimizerPlace& place) {
  if (place.pyramid_levels != 1) {
    fail(ErrorKind::usage, "{} optimises pixels, not a pyramid of {} levels: expected 1", optimizer,
         place.pyramid_levels);
  }
  if (place.decorrelated) {
    fail(ErrorKind::usage, "{} optimises pixels, not decorrelated colours: expected adam",
         optimizer);
  }
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, const Tensor& pixels,
                                          const OptimizerPlace& place) {
  return std::visit([&](const auto& options) { return make_optimizer(options, pixels, place); },
                    settings);
}

}  // namespace impasto
