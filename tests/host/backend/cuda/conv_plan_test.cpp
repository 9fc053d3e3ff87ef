// SPDX-License-Identifier: MIT
// Whether each GPU has an engine for each of our convolution graphs, asked of cuDNN without a GPU.
#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "host/backend/cuda/conv_graph.hpp"
#include "host/model/vgg19.hpp"

namespace impasto::cuda {
namespace {

using Kind = ConvProblem::Kind;

std::vector<std::uint8_t> description(const std::string& device) {
  std::ifstream file(std::string(DEVICES) + "/" + device + ".json", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Every graph of an iteration at `side`² with `batch` pictures: the convolutions from conv1_2 to
/// conv5_1 (the first is our own kernel), there and back with each epilogue that occurs.
std::vector<ConvProblem> problems(Precision precision, std::int64_t side, std::int64_t batch) {
  std::vector<ConvProblem> all;
  for (const VggLayer& layer : vgg19) {
    if (layer.kind == pool_kind) {
      side = (side + 1) / 2;
      continue;
    }
    if (layer.name == "conv5_2") break;
    if (layer.in_channels == 3) continue;
    const kernels::ConvSize size{batch, side, side, layer.in_channels, layer.out_channels};
    all.push_back({Kind::forward, precision, size, true, {}});
    for (const bool accumulate : {false, true}) {
      for (const bool mask : {false, true}) {
        all.push_back({Kind::data_gradient, precision, size, false, {accumulate, mask}});
      }
    }
    all.push_back({Kind::data_gradient_operation, precision, size, false, {false, false}});
  }
  return all;
}

class ConvPlan : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Devices, ConvPlan,
                         testing::Values("a100", "rtx3090", "rtx4090", "h100", "b200", "rtx5090"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(ConvPlan, EveryGraphHasAnEngine) {
  const std::vector<std::uint8_t> device = description(GetParam());
  ASSERT_FALSE(device.empty());
  for (const Precision precision :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16}) {
    for (const auto& [side, batch] : {std::pair<std::int64_t, std::int64_t>{512, 1}, {512, 8}}) {
      for (const ConvProblem& problem : problems(precision, side, batch)) {
        ConvGraph graph(problem);
        graph.plan_for(device);
        EXPECT_GE(graph.engine_count(), 1) << problem.describe();
      }
    }
  }
}

TEST(ConvPlan, SaysWhichGraphCudnnRefuses) {
  ConvGraph graph({Kind::forward, Precision::bf16, {1, 8, 8, 64, 64}, true, {}});
  try {
    graph.plan_for({'{', '}'});
    FAIL() << "an empty description was accepted";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("bf16 forward 1×8×8, 64 to 64, ReLU"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace impasto::cuda
