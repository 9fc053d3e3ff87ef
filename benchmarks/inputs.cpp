// SPDX-License-Identifier: MIT
#include "benchmarks/inputs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/philox.hpp"

namespace impasto::bench {
namespace {

/// Tensors of different sizes draw different numbers.
std::vector<float> uniform_values(std::int64_t count, double scale) {
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(count), 0};
  std::vector<float> values(static_cast<std::size_t>(count));
  std::array<std::uint32_t, 4> bits{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % 4 == 0) bits = kernels::philox4x32({static_cast<std::uint32_t>(i / 4)}, key);
    const double unit = 2.0 * static_cast<double>(kernels::philox_uniform(bits[i % 4])) - 1.0;
    // As bfloat16 holds it, so that every backend and the reference get the same numbers.
    values[i] =
        static_cast<float>(scale) * static_cast<float>(kernels::bfloat16(static_cast<float>(unit)));
  }
  return values;
}

}  // namespace

OwnedTensor::OwnedTensor(Backend& backend, const Shape& shape, DataType type)
    : tensor{nullptr, shape, type}, memory(backend.allocate(tensor.bytes())) {
  tensor.data = memory.get();
}

OwnedTensor uniform(Backend& backend, const Shape& shape, DataType type, double scale) {
  OwnedTensor result(backend, shape, type);
  backend.write(result, uniform_values(shape.count(), scale));
  return result;
}

OwnedTensor symmetric(Backend& backend, const Shape& square, double scale) {
  std::vector<float> values = uniform_values(square.count(), scale);
  const auto C = static_cast<std::size_t>(square.channels);
  for (std::size_t first = 0; first < values.size(); first += C * C) {
    for (std::size_t i = 0; i < C; ++i) {
      for (std::size_t j = 0; j < i; ++j) values[first + i * C + j] = values[first + j * C + i];
    }
  }
  OwnedTensor result(backend, square, backend.master_type());
  backend.write(result, values);
  return result;
}

OwnedTensor features(Backend& backend, const Shape& shape, double scale) {
  std::vector<float> values = uniform_values(shape.count(), scale);
  for (float& value : values) value = std::max(value, 0.0F);
  OwnedTensor result(backend, shape, backend.activation_type());
  backend.write(result, values);
  return result;
}

ConvParameters he_parameters(std::int64_t in_channels, std::int64_t out_channels) {
  const double deviation = std::sqrt(2.0 / (9.0 * static_cast<double>(in_channels)));
  const double scale = std::sqrt(3.0) * deviation;  // of a uniform distribution with that deviation
  return {in_channels, out_channels, uniform_values(9 * in_channels * out_channels, scale),
          uniform_values(out_channels, scale)};
}

Weights he_weights() {
  Weights weights;
  weights.description = "VGG-19 with He's deviation";
  for (const VggLayer& layer : vgg19) {
    if (layer.kind != conv_kind) continue;
    weights.convs.push_back(
        {std::string(layer.name), he_parameters(layer.in_channels, layer.out_channels)});
    if (layer.name == "conv5_1") break;
  }
  return weights;
}

}  // namespace impasto::bench
