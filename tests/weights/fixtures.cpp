// SPDX-License-Identifier: MIT
#include "tests/weights/fixtures.hpp"

#include <gtest/gtest.h>

namespace impasto {
namespace {

/// A hash of the position as a small float.
float scramble(std::uint64_t position) {
  position *= 0x9E3779B97F4A7C15U;
  position ^= position >> 29U;
  return static_cast<float>(position & 0xFFFFFFU) * 0x1p-24F - 0.5F;
}

std::uint64_t layer_seed(const VggLayer& layer) {
  return std::uint64_t{vgg19.index(layer.name)} << 32U;
}

}  // namespace

float pattern_weight(const VggLayer& layer, std::int64_t co, std::int64_t r, std::int64_t s,
                     std::int64_t ci) {
  const std::int64_t position = ((co * 3 + r) * 3 + s) * layer.in_channels + ci;
  return scramble(layer_seed(layer) + static_cast<std::uint64_t>(position));
}

float pattern_bias(const VggLayer& layer, std::int64_t co) {
  return scramble(layer_seed(layer) + 0x80000000U + static_cast<std::uint64_t>(co));
}

Weights pattern_weights(std::string_view deepest_layer, const VggLayers& layers) {
  Weights weights;
  weights.layers = &layers;
  weights.description = "a pattern";
  for (const VggLayer* layer : layers.convs_up_to(deepest_layer)) {
    ConvParameters conv{layer->in_channels, layer->out_channels, {}, {}};
    conv.weight.reserve(static_cast<std::size_t>(9 * layer->in_channels * layer->out_channels));
    for (std::int64_t co = 0; co < layer->out_channels; ++co) {
      for (std::int64_t r = 0; r < 3; ++r) {
        for (std::int64_t s = 0; s < 3; ++s) {
          for (std::int64_t ci = 0; ci < layer->in_channels; ++ci) {
            conv.weight.push_back(pattern_weight(*layer, co, r, s, ci));
          }
        }
      }
      conv.bias.push_back(pattern_bias(*layer, co));
    }
    weights.convs.push_back({std::string(layer->name), std::move(conv)});
  }
  return weights;
}

Weights vgg16_of(Weights weights) {
  weights.layers = &vgg16;
  std::erase_if(weights.convs, [](const NamedConv& conv) {
    return conv.name == "conv3_4" || conv.name == "conv4_4" || conv.name == "conv5_4";
  });
  return weights;
}

void expect_same_layers(const Weights& found, const Weights& expected) {
  ASSERT_EQ(found.convs.size(), expected.convs.size());
  for (std::size_t i = 0; i < found.convs.size(); ++i) {
    const NamedConv& a = found.convs[i];
    const NamedConv& b = expected.convs[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.parameters.in_channels, b.parameters.in_channels);
    EXPECT_EQ(a.parameters.out_channels, b.parameters.out_channels);
    // Not EXPECT_EQ on the vectors, which would print millions of values.
    EXPECT_TRUE(a.parameters.weight == b.parameters.weight) << "weights differ in " << a.name;
    EXPECT_TRUE(a.parameters.bias == b.parameters.bias) << "biases differ in " << a.name;
  }
}

std::string message_of(ErrorKind kind, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.kind() == kind) return error.what();
    return fmt::format("another kind ({}): {}", static_cast<int>(error.kind()), error.what());
  } catch (const std::exception& error) {
    return fmt::format("another exception: {}", error.what());
  }
  return "no error";
}

}  // namespace impasto
