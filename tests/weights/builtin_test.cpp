// SPDX-License-Identifier: MIT
#include "weights/builtin.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <omp.h>

#include "host/backend/registry.hpp"
#include "host/samples/samples.hpp"
#include "tests/weights/fixtures.hpp"

namespace impasto::builtin_test {
namespace {

using ::testing::HasSubstr;

struct Spread {
  double mean = 0;
  double deviation = 0;
};

Spread spread_of(std::span<const float> values, std::size_t first = 0, std::size_t step = 1) {
  double sum = 0;
  double squares = 0;
  double count = 0;
  for (std::size_t i = first; i < values.size(); i += step) {
    sum += values[i];
    squares += double{values[i]} * values[i];
    count += 1;
  }
  return {sum / count, std::sqrt(squares / count - sum / count * sum / count)};
}

TEST(BuiltinWeights, AreNormalWithHesDeviation) {
  const Weights weights = builtin_weights(7, "conv3_2");
  ASSERT_EQ(weights.convs.size(), 6U);
  for (const NamedConv& conv : weights.convs) {
    const Spread spread = spread_of(conv.parameters.weight);
    const double expected =
        std::sqrt(2.0 / (9.0 * static_cast<double>(conv.parameters.in_channels)));
    const double error = 5 / std::sqrt(static_cast<double>(conv.parameters.weight.size()));
    EXPECT_NEAR(spread.mean, 0, error * expected) << conv.name;
    EXPECT_NEAR(spread.deviation, expected, error * expected) << conv.name;
    double fourth = 0;
    for (const float w : conv.parameters.weight) fourth += std::pow(w / expected, 4);
    EXPECT_NEAR(fourth / static_cast<double>(conv.parameters.weight.size()), 3, 20 * error)
        << conv.name;
    EXPECT_THAT(conv.parameters.bias, ::testing::Each(0.0F));
  }
  EXPECT_THAT(weights.description, HasSubstr("random, calibrated; seed 7"));
}

TEST(BuiltinWeights, AreTheSameOnAnyNumberOfThreadsAndForAnyDepth) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const Weights one = builtin_weights(1, "conv2_2");
  omp_set_num_threads(5);
  const Weights five = builtin_weights(1, "conv2_2");
  omp_set_num_threads(threads);
  expect_same_layers(one, five);

  Weights deeper = builtin_weights(1, "conv3_1");
  deeper.convs.pop_back();
  expect_same_layers(deeper, one);
}

TEST(BuiltinWeights, OfAnotherSeedAreOthers) {
  const auto first_of = [](std::uint64_t seed) {
    return builtin_weights(seed, "conv1_1").convs[0].parameters.weight[0];
  };
  EXPECT_NE(first_of(0), first_of(1));
  EXPECT_NE(first_of(0), first_of(std::uint64_t{1} << 32U));
}

/// The pre-activations of a layer for one picture.
std::vector<float> pre_activation(const Weights& weights, Backend& backend, const Image& image) {
  std::vector<Buffer> buffers;
  const auto make = [&](const Shape& shape, DataType type) {
    Tensor tensor{nullptr, shape, type};
    buffers.push_back(backend.allocate(tensor.bytes()));
    tensor.data = buffers.back().get();
    return tensor;
  };
  Tensor x = make({1, image.height, image.width, 3}, backend.master_type());
  backend.write(x, image.rgb);
  std::vector<std::unique_ptr<Conv>> convs;
  std::size_t index = 0;
  for (const VggLayer& layer : vgg19) {
    Shape shape = x.shape;
    const PoolKind pool = {kernels::PoolMode::average, kernels::PoolRounding::up};
    if (layer.kind == pool_kind) shape = kernels::pooled(shape, pool.rounding);
    shape.channels = layer.out_channels;
    const Tensor y = make(shape, backend.activation_type());
    if (layer.kind == pool_kind) {
      backend.pool_forward(y, x, pool);
    } else {
      const bool relu = index + 1 < weights.convs.size();
      convs.push_back(backend.make_conv(weights.convs[index].parameters));
      if (index == 0) {
        backend.first_conv_forward(y, x, *convs.back(), weights.mean, relu);
      } else {
        backend.conv_forward(y, x, *convs.back(), relu);
      }
      if (++index == weights.convs.size()) {
        std::vector<float> values(static_cast<std::size_t>(y.shape.count()));
        backend.read(values, y);
        return values;
      }
    }
    x = y;
  }
  return {};
}

class Calibrate : public ::testing::TestWithParam<std::string> {};

TEST_P(Calibrate, GivesEveryChannelMeanZeroAndDeviationThirty) {
  // The reference needs a second for a small network; odd sides make partial windows in the pools.
  const std::string deepest = GetParam() == "cpu" ? "conv3_1" : "conv2_1";
  const std::int64_t side = GetParam() == "cpu" ? 45 : 21;
  const auto backend = make_backend(GetParam(), Precision::fp32);
  const std::array<Image, 2> samples = {draw_painting(side, side + 10),
                                        draw_painting(side + 4, side)};
  Weights weights = builtin_weights(3, deepest);
  calibrate(weights, *backend, samples);

  for (const std::size_t layers : {1UL, 2UL, weights.convs.size()}) {
    Weights first = weights;
    first.convs.resize(layers);
    std::vector<float> values;
    for (const Image& sample : samples) {
      const std::vector<float> one = pre_activation(first, *backend, sample);
      values.insert(values.end(), one.begin(), one.end());
    }
    const auto channels = static_cast<std::size_t>(first.convs.back().parameters.out_channels);
    double worst_mean = 0;
    double worst_deviation = 0;
    for (std::size_t c = 0; c < channels; ++c) {
      const Spread spread = spread_of(values, c, channels);
      worst_mean = std::max(worst_mean, std::abs(spread.mean));
      worst_deviation = std::max(worst_deviation, std::abs(spread.deviation - 30));
    }
    EXPECT_LT(worst_mean, 0.01) << first.convs.back().name;
    EXPECT_LT(worst_deviation, 0.01) << first.convs.back().name;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Calibrate, ::testing::Values("cpu", "reference"),
                         [](const auto& backend) { return backend.param; });

TEST(CalibrateOnce, GivesTheSameBitsAgain) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const std::array<Image, 1> samples = {draw_painting(48, 64)};
  Weights first = builtin_weights(3, "conv2_2");
  Weights second = first;
  calibrate(first, *backend, samples);
  calibrate(second, *backend, samples);
  expect_same_layers(first, second);
}

TEST(CalibrateOnce, LeavesAChannelWithoutSpreadFinite) {
  const auto backend = make_backend("cpu", Precision::fp32);
  Weights weights = builtin_weights(3, "conv1_2");
  for (NamedConv& conv : weights.convs) {
    ConvParameters& parameters = conv.parameters;
    const std::size_t row = parameters.weight.size() / parameters.bias.size();
    std::fill_n(parameters.weight.begin(), row, 0.0F);
    parameters.bias[0] = 5;
  }
  calibrate(weights, *backend, std::array{draw_painting(32, 32)});
  for (const NamedConv& conv : weights.convs) {
    EXPECT_EQ(conv.parameters.weight[0], 0.0F);
    EXPECT_NEAR(conv.parameters.bias[0], 0.0F, 1e-6F);
    for (const float bias : conv.parameters.bias) EXPECT_TRUE(std::isfinite(bias));
  }
}

TEST(CalibrateOnce, NeedsSamples) {
  const auto backend = make_backend("cpu", Precision::fp32);
  Weights weights = builtin_weights(3, "conv1_1");
  EXPECT_THAT(message_of(ErrorKind::internal, [&] { calibrate(weights, *backend, {}); }),
              HasSubstr("calibration needs samples"));
}

}  // namespace
}  // namespace impasto::builtin_test
