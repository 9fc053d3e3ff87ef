// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/check/work.hpp"
#include "host/core/error.hpp"
#include "host/model/network.hpp"
#include "host/model/schedule.hpp"

namespace impasto::work {

/// The work of a step of an iteration.
inline Work of_step(const StepKind& step, const Network& network, const PoolKind& pool,
                    const Shape& pixels, DataType type) {
  if (step.operation == "total_variation") return total_variation(pixels);
  if (step.operation == "adam") return adam(pixels);
  require(step.layer != nullptr, "the work model does not know '{}'", step.label());
  const std::size_t layer = network.layers().index(*step.layer);
  const Shape y = network.feature_shape(pixels, layer);
  const Shape x = layer == 0 ? pixels : network.feature_shape(pixels, layer - 1);
  const GradientEpilogue epilogue = step.epilogue.value_or(GradientEpilogue{});
  if (step.operation == "first_conv_forward" || step.operation == "first_conv_backward" ||
      step.operation == "conv_forward") {
    return conv(x, y, type);
  }
  if (step.operation == "conv_data_gradient") {
    Work work = conv(x, y, type);
    work.bytes += extra_reads(epilogue) * width(type) * values(x);
    return work;
  }
  if (step.operation == "pool_forward") return pool_forward(x, y, type);
  if (step.operation == "pool_backward") return pool_backward(x, y, type, pool, epilogue);
  if (step.operation == "gram_loss") return gram_loss(y, type);
  if (step.operation == "style_backward") return style_backward(y, type, epilogue);
  if (step.operation == "content_loss") return content_loss(y, type, epilogue);
  fail(ErrorKind::internal, "the work model does not know '{}'", step.label());
}

/// The work of every step of an iteration.
inline std::vector<Work> of_steps(const std::vector<Schedule::Step>& steps, const Network& network,
                                  const PoolKind& pool, const Shape& pixels, DataType type) {
  std::vector<Work> works;
  for (const Schedule::Step& step : steps) {
    works.push_back(of_step(step, network, pool, pixels, type));
  }
  return works;
}

}  // namespace impasto::work
