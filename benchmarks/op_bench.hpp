// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/inputs.hpp"
#include "benchmarks/program.hpp"
#include "host/model/network.hpp"

namespace impasto::bench {

// op_bench is one program of all operations but the convolution, each in its own file
// <op>_bench.cpp, on feature maps as VGG-19 has them: "gram/cpu/conv3_1@512/bf16/batch:1".

/// The style layers: from many pixels of few channels to few pixels of many.
inline constexpr std::array<std::string_view, 5> map_layers = {"conv1_1", "conv2_1", "conv3_1",
                                                               "conv4_1", "conv5_1"};

/// The shape of a layer's map for a square picture.
Shape map_at(std::string_view layer, std::int64_t size);

inline std::string benchmark_name(std::string_view op, const Backend& backend,
                                  std::string_view layer, std::int64_t size) {
  return fmt::format("{}/{}/{}@{}/{}/batch:1", op, backend.name(), layer, size,
                     to_string(backend.precision()));
}

/// An operation on one backend: what runs it once, and what it writes.
struct Prepared {
  std::function<void()> run;
  std::vector<OwnedTensor> outputs;
};

/// Times what `prepare` makes on `backend`, after comparing what one run writes with what the
/// reference backend writes. A row that differs is an error and has no time.
void measure_verified(benchmark::State& state, Backend& backend, const work::Work& work,
                      const std::function<Prepared(Backend&)>& prepare);

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
