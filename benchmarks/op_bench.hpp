// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "benchmarks/inputs.hpp"
#include "benchmarks/program.hpp"
#include "host/model/network.hpp"

namespace impasto::bench {

// op_bench is one program of all operations but the convolution, each in its own file
// <op>_bench.cpp, on feature maps as VGG-19 has them: "<op>/<precision>/<layer>/<size>".

/// The style layers: from many pixels of few channels to few pixels of many.
inline constexpr std::array<std::string_view, 5> map_layers = {"conv1_1", "conv2_1", "conv3_1",
                                                               "conv4_1", "conv5_1"};

/// The shape of a layer's map for a square picture.
Shape map_at(std::string_view layer, std::int64_t size);

inline std::string benchmark_name(std::string_view op, const Backend& backend,
                                  std::string_view layer, std::int64_t size) {
  return fmt::format("{}/{}/{}/{}", op, to_string(backend.precision()), layer, size);
}

using SharedBackend = std::shared_ptr<Backend>;
void add_preprocess(const SharedBackend& backend, std::int64_t size);
void add_pool(const SharedBackend& backend, std::int64_t size);
void add_gram(const SharedBackend& backend, std::int64_t size);
void add_style_loss(const SharedBackend& backend, std::int64_t size);
void add_style_backward(const SharedBackend& backend, std::int64_t size);
void add_content_loss(const SharedBackend& backend, std::int64_t size);
void add_total_variation(const SharedBackend& backend, std::int64_t size);
void add_adam(const SharedBackend& backend, std::int64_t size);

}  // namespace impasto::bench
