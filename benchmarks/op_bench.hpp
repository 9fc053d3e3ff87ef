// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/axes.hpp"
#include "benchmarks/inputs.hpp"
#include "benchmarks/work.hpp"

namespace impasto::bench {

// op_bench is one program of all operations but the convolution, each in its own file
// <op>_bench.cpp, on feature maps as VGG-19 has them: "gram/cpu/conv3_1@512/bf16/batch:1".

/// An operation on one backend: what runs it once, and what it writes.
struct Prepared {
  std::function<void()> run;
  std::vector<OwnedTensor> outputs;
};

/// An operation that backends are measured by.
struct MeasuredOp {
  std::string_view name = {};
  std::vector<std::string_view> layers =
      {};                   ///< where it stands in VGG-19; {"pixels"}: on pictures
  bool float_only = false;  ///< the same whatever the precision
  bool cpu_only = false;    ///< the CPU's kernel, which other backends fuse
  std::function<work::Work(const Shape& map, DataType type)> work = {};
  std::function<Prepared(Backend& on, const Shape& map)> prepare = {};

  [[nodiscard]] bool on_pixels() const { return layers.front() == "pixels"; }
};

/// The layers that the operations of style losses stand at.
inline std::vector<std::string_view> at_style_layers() {
  return {style_layers.begin(), style_layers.end()};
}

std::vector<MeasuredOp> preprocess_ops();
std::vector<MeasuredOp> pool_ops();
std::vector<MeasuredOp> gram_ops();
std::vector<MeasuredOp> gram_loss_ops();
std::vector<MeasuredOp> style_backward_ops();
std::vector<MeasuredOp> content_loss_ops();
std::vector<MeasuredOp> total_variation_ops();
std::vector<MeasuredOp> adam_ops();

}  // namespace impasto::bench
