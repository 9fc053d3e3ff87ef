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

/// The same for every network that has the layer.
std::uint64_t layer_seed(const VggLayer& layer) {
  return std::uint64_t{vgg19.index(layer.name)} << 32U;
}

}  // namespace

Weights pattern_weights(std::string_view deepest_layer, const VggLayers& layers) {
  Weights weights;
  weights.layers = &layers;
  weights.description = "a pattern";
  for (const VggLayer* layer : layers.convs_up_to(deepest_layer)) {
    ConvParameters conv{layer->in_channels, layer->out_channels, {}, {}};
    conv.weight.resize(static_cast<std::size_t>(9 * layer->in_channels * layer->out_channels));
    conv.bias.resize(static_cast<std::size_t>(layer->out_channels));
    const std::uint64_t seed = layer_seed(*layer);
    std::uint64_t position = 0;
    for (float& weight : conv.weight) weight = scramble(seed + position++);
    position = 0x80000000U;
    for (float& bias : conv.bias) bias = scramble(seed + position++);
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
