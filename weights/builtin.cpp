// SPDX-License-Identifier: MIT
#include "weights/builtin.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "host/core/error.hpp"
#include "kernels/common/philox.hpp"

namespace impasto {

// Random weights.

namespace {

/// Keeps these draws apart from others with the same seed.
constexpr std::uint32_t stream = 0x56474731U;

/// Four normal numbers from four words: Box and Muller's transform, twice.
std::array<float, 4> normals(const std::array<std::uint32_t, 4>& words) {
  std::array<float, 4> result{};
  for (std::size_t i = 0; i < 4; i += 2) {
    // In (0,1], so that the logarithm is finite.
    const float u = kernels::philox_uniform(words.at(i)) + 0x1p-24F;
    const float angle = 2 * std::numbers::pi_v<float> * kernels::philox_uniform(words.at(i + 1));
    const float radius = std::sqrt(-2 * std::log(u));
    result.at(i) = radius * std::cos(angle);
    result.at(i + 1) = radius * std::sin(angle);
  }
  return result;
}

ConvParameters random_conv(const VggLayer& layer, std::uint64_t seed) {
  ConvParameters conv{layer.in_channels, layer.out_channels, {}, {}};
  conv.bias.resize(static_cast<std::size_t>(layer.out_channels));
  conv.weight.resize(static_cast<std::size_t>(9 * layer.in_channels * layer.out_channels));
  const float deviation = std::sqrt(2.0F / static_cast<float>(9 * layer.in_channels));
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed),
                                            static_cast<std::uint32_t>(seed >> 32U)};
  const auto index = static_cast<std::uint32_t>(vgg19.index(layer));
  // Every layer has a multiple of four weights and fewer than 2^32.
  const auto groups = static_cast<std::int64_t>(conv.weight.size() / 4);
#pragma omp parallel for schedule(static)
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::array<float, 4> four =
        normals(kernels::philox4x32({static_cast<std::uint32_t>(group), 0, index, stream}, key));
    for (std::size_t i = 0; i < 4; ++i) {
      conv.weight[static_cast<std::size_t>(group) * 4 + i] = deviation * four.at(i);
    }
  }
  return conv;
}

}  // namespace

NetworkTraits builtin_traits(std::uint64_t seed) {
  NetworkTraits traits;
  traits.pool = {kernels::PoolMode::average, kernels::PoolRounding::up};
  traits.description = fmt::format("VGG-19 built in (random, calibrated; seed {})", seed);
  return traits;
}

Weights builtin_weights(std::uint64_t seed, std::string_view deepest_layer) {
  Weights weights{builtin_traits(seed), {}};
  for (const VggLayer* layer : vgg19.convs_up_to(deepest_layer)) {
    weights.convs.push_back({std::string(layer->name), random_conv(*layer, seed)});
  }
  return weights;
}

// Calibration.

namespace {

constexpr double target_deviation = 30;

/// A map on the device, which owns its memory.
struct Map {
  Buffer buffer;
  Tensor tensor;
};

Map make_map(Backend& backend, const Shape& shape, DataType type) {
  Map map;
  map.tensor = {nullptr, shape, type};
  map.buffer = backend.allocate(map.tensor.bytes());
  map.tensor.data = map.buffer.get();
  return map;
}

/// Sums of the values and of their squares, per channel.
struct Moments {
  explicit Moments(std::size_t channels) : sum(channels), squares(channels) {}
  std::vector<double> sum;
  std::vector<double> squares;
  std::int64_t count = 0;
};

/// Adds a map. It is cut the same way on any number of threads, so the sums have the same bits.
void add(Moments& moments, std::span<const float> values) {
  const std::size_t channels = moments.sum.size();
  const std::size_t pixels = values.size() / channels;
  constexpr std::size_t pieces = 64;
  std::vector<Moments> partial(pieces, Moments(channels));
#pragma omp parallel for schedule(static)
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    Moments& part = partial[piece];
    for (std::size_t p = pixels * piece / pieces; p < pixels * (piece + 1) / pieces; ++p) {
      for (std::size_t c = 0; c < channels; ++c) {
        const double value = values[p * channels + c];
        part.sum[c] += value;
        part.squares[c] += value * value;
      }
    }
  }
  for (const Moments& part : partial) {
    for (std::size_t c = 0; c < channels; ++c) {
      moments.sum[c] += part.sum[c];
      moments.squares[c] += part.squares[c];
    }
  }
  moments.count += static_cast<std::int64_t>(pixels);
}

/// What brings each channel to mean 0 and the target deviation: value · scale + shift.
struct Adjustment {
  std::vector<float> scale;
  std::vector<float> shift;
};

Adjustment adjustment_for(const Moments& moments) {
  Adjustment adjustment;
  for (std::size_t c = 0; c < moments.sum.size(); ++c) {
    const auto count = static_cast<double>(moments.count);
    const double mean = moments.sum[c] / count;
    const double variance = std::max(0.0, moments.squares[c] / count - mean * mean);
    const double deviation = std::sqrt(variance);
    // Less spread than rounding makes is none: scaling it up would only amplify rounding.
    const bool flat = deviation <= 1e-5 * std::max(1.0, std::abs(mean));
    const double scale = flat ? 1 : target_deviation / deviation;
    adjustment.scale.push_back(static_cast<float>(scale));
    adjustment.shift.push_back(static_cast<float>(-mean * scale));
  }
  return adjustment;
}

void adjust(ConvParameters& conv, const Adjustment& adjustment) {
  const std::size_t row = conv.weight.size() / conv.bias.size();
  for (std::size_t c = 0; c < conv.bias.size(); ++c) {
    for (std::size_t i = 0; i < row; ++i) conv.weight[c * row + i] *= adjustment.scale[c];
    conv.bias[c] = conv.bias[c] * adjustment.scale[c] + adjustment.shift[c];
  }
}

/// What the adjusted layer makes of the same input, after its ReLU.
void adjust_activation(std::span<float> values, const Adjustment& adjustment) {
  const std::size_t channels = adjustment.scale.size();
  const std::size_t pixels = values.size() / channels;
#pragma omp parallel for schedule(static)
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t c = 0; c < channels; ++c) {
      float& value = values[p * channels + c];
      value = std::max(0.0F, value * adjustment.scale[c] + adjustment.shift[c]);
    }
  }
}

/// Every sample as it arrives at the next layer.
class Samples {
 public:
  Samples(Backend& backend, std::span<const Image> images) : backend_(backend) {
    for (const Image& image : images) {
      Map map = make_map(backend, {1, image.height, image.width, 3}, backend.master_type());
      backend.write(map.tensor, image.rgb);
      maps_.push_back(std::move(map));
    }
  }

  void pass_conv(ConvParameters& parameters, const std::array<float, 3>& mean) {
    const auto channels = static_cast<std::size_t>(parameters.out_channels);
    const std::unique_ptr<Conv> conv = backend_.make_conv(parameters);
    Moments moments(channels);
    std::vector<std::vector<float>> values;
    for (Map& map : maps_) {
      Shape shape = map.tensor.shape;
      shape.channels = parameters.out_channels;
      const Map next = make_map(backend_, shape, backend_.activation_type());
      if (map.tensor.shape.channels == 3) {
        backend_.first_conv_forward(next.tensor, map.tensor, *conv, mean, false);
      } else {
        backend_.conv_forward(next.tensor, map.tensor, *conv, false);
      }
      values.emplace_back(static_cast<std::size_t>(shape.count()));
      backend_.read(values.back(), next.tensor);
      add(moments, values.back());
      map = next;
    }
    const Adjustment adjustment = adjustment_for(moments);
    adjust(parameters, adjustment);
    for (std::size_t i = 0; i < maps_.size(); ++i) {
      adjust_activation(values[i], adjustment);
      backend_.write(maps_[i].tensor, values[i]);
    }
  }

  void pass_pool(const PoolKind& kind) {
    for (Map& map : maps_) {
      const Shape shape = kernels::pooled(map.tensor.shape, kind.rounding);
      const Map next = make_map(backend_, shape, map.tensor.type);
      backend_.pool_forward(next.tensor, map.tensor, kind);
      backend_.synchronize();  // the input is freed here
      map = next;
    }
  }

 private:
  Backend& backend_;
  std::vector<Map> maps_;
};

}  // namespace

void calibrate(Weights& weights, Backend& backend, std::span<const Image> samples) {
  require(!samples.empty(), "calibration needs samples");
  Samples maps(backend, samples);
  std::size_t conv = 0;
  for (const VggLayer& layer : vgg19) {
    if (conv == weights.convs.size()) return;
    if (layer.kind == pool_kind) {
      maps.pass_pool(weights.pool);
    } else {
      maps.pass_conv(weights.convs[conv++].parameters, weights.mean);
    }
  }
}

}  // namespace impasto
