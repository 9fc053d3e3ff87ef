// SPDX-License-Identifier: MIT
#include "host/optimizer/adam.hpp"

namespace impasto {

Adam::Adam(const Shape& pixels, DataType type, const AdamOptions& options)
    : options_(options),
      m_(state_.reserve(pixels, type)),
      v_(state_.reserve(pixels, type)),
      step_(state_.reserve({}, DataType::i64)) {}

void Adam::bind(void* memory, Backend& backend) {
  state_.bind(memory);
  for (const std::size_t tensor : {m_, v_, step_}) backend.fill_zero(state_[tensor]);
}

void Adam::add_step(Schedule& schedule, TensorId pixels, TensorId grad_pixels) const {
  schedule.add({.name = "Adam", .operation = "adam"}, {pixels, grad_pixels},
               [=, this](Backend& backend, const Schedule& s) {
                 backend.adam(s[pixels], state_[m_], state_[v_], state_[step_], s[grad_pixels],
                              options_);
               });
}

}  // namespace impasto
