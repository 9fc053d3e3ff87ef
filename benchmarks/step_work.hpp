// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/work.hpp"
#include "host/core/error.hpp"
#include "host/model/network.hpp"
#include "host/model/schedule.hpp"

namespace impasto::work {

/// A step's name ("conv3_1 style backward") as the layer and what is done there.
struct StepName {
  std::size_t layer = 0;
  std::string_view what;
};

inline StepName split(std::string_view name) {
  const std::size_t space = name.find(' ');
  return {vgg19_index(name.substr(0, space)), name.substr(space + 1)};
}

inline bool is_of_pixels(std::string_view name) {
  return name == "total variation" || name == "Adam";
}

/// The work of a step in which a gradient, if it makes one, joins others as `epilogue` says.
inline Work of_step(std::string_view name, const Network& network, const PoolKind& pool,
                    const Shape& pixels, DataType type, const GradientEpilogue& epilogue) {
  if (name == "total variation") return total_variation(pixels);
  if (name == "Adam") return adam(pixels);
  const auto [layer, what] = split(name);
  const Shape y = network.feature_shape(pixels, layer);
  const Shape x = layer == 0 ? pixels : network.feature_shape(pixels, layer - 1);
  const bool is_conv = vgg19[layer].kind == conv_kind;
  if (what == "forward") return is_conv ? conv(x, y, type) : pool_forward(x, y, type);
  if (what == "backward") {
    if (!is_conv) return pool_backward(x, y, type, pool, epilogue);
    Work work = conv(x, y, type);
    work.bytes += extra_reads(epilogue) * width(type) * values(x);
    return work;
  }
  if (what == "style loss") return gram_loss(y, type);
  if (what == "style backward") return style_backward(y, type, epilogue);
  if (what == "content loss") return content_loss(y, type, epilogue);
  fail(ErrorKind::internal, "the work model does not know the step '{}'", name);
}

/// The layer whose gradient a step adds to; none for the pixels' and for steps without a gradient.
inline std::optional<std::size_t> gradient_of_step(std::string_view name) {
  if (is_of_pixels(name)) return std::nullopt;
  const auto [layer, what] = split(name);
  if (what == "style backward" || what == "content loss") return layer;
  if (what == "backward" && layer > 0) return layer - 1;
  return std::nullopt;
}

/// The work of every step of an iteration. Of the steps that add to one layer's gradient the first
/// finds nothing to add to and the last applies the ReLU's mask.
inline std::vector<Work> of_steps(const std::vector<Schedule::Step>& steps, const Network& network,
                                  const PoolKind& pool, const Shape& pixels, DataType type) {
  std::map<std::size_t, std::size_t> first;
  std::map<std::size_t, std::size_t> last;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto layer = gradient_of_step(steps[i].name)) {
      first.try_emplace(*layer, i);
      last[*layer] = i;
    }
  }
  std::vector<Work> works;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    GradientEpilogue epilogue;
    if (const auto layer = gradient_of_step(steps[i].name)) {
      epilogue = {.accumulate = first[*layer] != i,
                  .relu_mask = last[*layer] == i && vgg19[*layer].kind == conv_kind};
    }
    works.push_back(of_step(steps[i].name, network, pool, pixels, type, epilogue));
  }
  return works;
}

}  // namespace impasto::work
