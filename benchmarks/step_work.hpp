// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "benchmarks/work.hpp"
#include "host/core/error.hpp"
#include "host/model/network.hpp"

namespace impasto::work {

/// The work of an iteration's step, known by its name ("conv3_1 backward"). Bytes are left out: the
/// name does not say which epilogue the step has.
inline Work of_step(std::string_view name, const Network& network, const Shape& pixels,
                    DataType type) {
  if (name == "total variation") return {.flops = total_variation(pixels).flops};
  if (name == "Adam") return {.flops = adam(pixels).flops};
  const std::size_t space = name.find(' ');
  const std::size_t layer = vgg19_index(name.substr(0, space));
  const std::string_view what = name.substr(space + 1);
  const Shape y = network.feature_shape(pixels, layer);
  const Shape x = layer == 0 ? pixels : network.feature_shape(pixels, layer - 1);
  if (what == "forward" || what == "backward") {
    if (vgg19[layer].kind == conv_kind) return {.flops = conv(x, y, type).flops};
    return {.flops = pool_forward(x, y, type).flops};
  }
  if (what == "Gram matrix") return {.flops = gram(y, type).flops};
  if (what == "style loss") return {.flops = style_loss(y.channels).flops};
  if (what == "style backward") return {.flops = style_backward(y, type, {}).flops};
  if (what == "content loss") return {.flops = content_loss(y, type, {}).flops};
  fail(ErrorKind::internal, "the work model does not know the step '{}'", name);
}

}  // namespace impasto::work
