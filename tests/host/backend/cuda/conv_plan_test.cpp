// SPDX-License-Identifier: MIT
// Whether each GPU has an engine for each of our graphs, asked of cuDNN without a GPU.
// What it found is recorded with the test's properties.
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "host/backend/cuda/cudnn.hpp"
#include "host/backend/cuda/graphs.hpp"
#include "host/model/vgg.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::cuda::conv_plan_test {
namespace {

using Kind = ConvProblem::Kind;

std::vector<std::uint8_t> description(const std::string& device) {
  std::ifstream file(std::string(DEVICES) + "/" + device + ".json", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr auto first_graph = "first convolution";

/// A convolution and how cuDNN is asked for it.
struct PlannedConv {
  ConvProblem problem;
  ConvAs form;
};

/// What a graph is called in the table.
std::string graph_name(const PlannedConv& planned) {
  const ConvProblem& problem = planned.problem;
  std::string name = "forward";
  if (problem.size.in_channels == kernels::cuda::padded_channels) name = first_graph;
  if (planned.form == ConvAs::convolution) name += " without bias";
  if (problem.kind == Kind::data_gradient) {
    switch (planned.form) {
      case ConvAs::convolution: name = "data gradient as a convolution"; break;
      case ConvAs::biased_convolution: name = "data gradient as a biased convolution"; break;
      case ConvAs::own_operation: name = "data gradient operation"; break;
    }
  }
  if (problem.epilogue.accumulate) name += " + add";
  if (problem.epilogue.relu_mask) name += " + mask";
  return name;
}

/// Every graph of an iteration at `side`² with `batch` pictures: the convolutions from conv1_1, on
/// padded channels, to conv5_1: there, with bias and ReLU and without, and, but for the first, back
/// with each epilogue that occurs.
/// Of layers that are alike one is enough.
std::vector<PlannedConv> convolutions(Precision precision, std::int64_t side, std::int64_t batch) {
  std::vector<PlannedConv> all;
  std::set<std::string> seen;
  for (const VggLayer& layer : vgg19) {
    if (layer.kind == pool_kind) {
      side = (side + 1) / 2;
      continue;
    }
    if (layer.name == "conv5_2") break;
    const bool first = layer.in_channels == 3;
    const std::int64_t in_channels = first ? kernels::cuda::padded_channels : layer.in_channels;
    const kernels::ConvSize size{batch, side, side, in_channels, layer.out_channels};
    const ConvProblem forward{Kind::forward, precision, size, true, {}};
    if (!seen.insert(forward.describe()).second) continue;
    all.push_back({forward, ConvAs::biased_convolution});
    all.push_back({{Kind::forward, precision, size, false, {}}, ConvAs::convolution});
    if (first) continue;
    for (const bool accumulate : {false, true}) {
      for (const bool mask : {false, true}) {
        all.push_back({{Kind::data_gradient, precision, size, false, {accumulate, mask}},
                       ConvAs::convolution});
      }
    }
    all.push_back(
        {{Kind::data_gradient, precision, size, false, {true, false}}, ConvAs::biased_convolution});
    // With sum and mask cuDNN takes ten times as long to answer for it.
    all.push_back(
        {{Kind::data_gradient, precision, size, false, {false, false}}, ConvAs::own_operation});
  }
  return all;
}

class ConvPlan : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { load_cudnn(); }
};
INSTANTIATE_TEST_SUITE_P(Devices, ConvPlan,
                         testing::Values("a100", "rtx3090", "rtx4090", "l40s", "h100", "b200",
                                         "rtx5090"),
                         [](const auto& tested) { return std::string(tested.param); });

/// Graphs of 16 bits that cuDNN must bring compiled engines for: all forward ones, and what a data
/// gradient comes down to where the mask is a kernel of ours. Without them each of an iteration's
/// convolutions is compiled whenever the program starts, for seconds.
bool needs_precompiled(const PlannedConv& planned) {
  const ConvProblem& problem = planned.problem;
  if (storage_of(problem.precision) == DataType::f32) return false;
  return planned.form == ConvAs::biased_convolution ||
         (planned.form == ConvAs::convolution && !problem.epilogue.accumulate &&
          !problem.epilogue.relu_mask);
}

/// Whether one of the engines that cuDNN brings compiled can be made ready. That some cannot is no
/// fault: a device that is only described has no clusters of blocks.
bool one_gets_ready(ConvGraph& graph) {
  const auto precompiled =
      std::span(graph.engines()).first(static_cast<std::size_t>(graph.precompiled_engine_count()));
  return std::any_of(precompiled.begin(), precompiled.end(),
                     [&](std::int64_t engine) { return graph.build(engine) != nullptr; });
}

/// The fewest and the most engines of any layer, by graph.
class EngineCounts {
 public:
  void add(const std::string& name, CudnnGraph& graph) {
    add_count(name, static_cast<std::int64_t>(graph.engines().size()));
    add_count(name + ", precompiled", graph.precompiled_engine_count());
  }
  void record(Precision precision) const {
    for (const auto& [graph, count] : counts_) {
      testing::Test::RecordProperty(
          std::string(to_string(precision)) + " " + graph,
          std::to_string(count.first) + " " + std::to_string(count.second));
    }
  }

 private:
  void add_count(const std::string& name, std::int64_t count) {
    const auto [known, added] = counts_.try_emplace(name, count, count);
    known->second.first = std::min(known->second.first, count);
    known->second.second = std::max(known->second.second, count);
  }

  std::map<std::string, std::pair<std::int64_t, std::int64_t>> counts_;
};

TEST_P(ConvPlan, EveryGraphHasAnEngine) {
  const std::vector<std::uint8_t> device = description(GetParam());
  ASSERT_FALSE(device.empty());
  RecordProperty("cudnn", cudnn_version());
  for (const Precision precision :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16}) {
    EngineCounts counts;
    for (const std::int64_t batch : {1, 8}) {
      for (const PlannedConv& planned : convolutions(precision, 512, batch)) {
        ConvGraph graph(planned.problem, planned.form);
        graph.prepare(device);
        graph.find_engines();
        counts.add(graph_name(planned), graph);
        EXPECT_FALSE(graph.engines().empty()) << planned.problem.describe();
        if (!needs_precompiled(planned)) continue;
        EXPECT_TRUE(one_gets_ready(graph)) << planned.problem.describe();
      }
    }
    counts.record(precision);
  }
}

/// style_backward at the five style layers of a picture of 512². Nothing comes to the deepest from
/// above.
std::vector<StyleBackwardProblem> style_problems(Precision precision) {
  return {{precision, {1, 512, 512, 64}, {true, true}},
          {precision, {1, 256, 256, 128}, {true, true}},
          {precision, {1, 128, 128, 256}, {true, true}},
          {precision, {1, 64, 64, 512}, {true, true}},
          {precision, {1, 32, 32, 512}, {false, true}}};
}

// In fp32 cuDNN has none on any of them, and is not needed: cuBLASLt's product has the same sum.
TEST_P(ConvPlan, EveryStyleGradientOnTensorCoresHasAnEngine) {
  const std::vector<std::uint8_t> device = description(GetParam());
  ASSERT_FALSE(device.empty());
  for (const Precision precision : {Precision::tf32, Precision::bf16, Precision::fp16}) {
    EngineCounts counts;
    for (const StyleBackwardProblem& problem : style_problems(precision)) {
      StyleBackwardGraph graph(problem);
      graph.prepare(device);
      graph.find_engines();
      counts.add(
          problem.epilogue.accumulate ? "style gradient + add + mask" : "style gradient + mask",
          graph);
      EXPECT_FALSE(graph.engines().empty()) << problem.describe();
    }
    counts.record(precision);
  }
}

/// Plans for the engine of a plan with another value of one of its knobs.
std::vector<std::map<std::string, std::int64_t>> variants_that_get_ready(ConvGraph& graph,
                                                                         const CudnnPlan& plan) {
  std::vector<std::map<std::string, std::int64_t>> ready;
  for (const Knob& knob : graph.knobs(plan.parameters)) {
    for (const std::int64_t value : knob.values) {
      auto parameters = plan.parameters;
      parameters[knob.parameter] = value;
      if (parameters == plan.parameters) continue;
      const auto built = graph.build(parameters);
      if (built == nullptr) continue;
      EXPECT_EQ(built->parameters, parameters);
      ready.push_back(parameters);
    }
  }
  return ready;
}

// Which of a knob's values exist beside the others cuDNN says when it is asked for a plan.
TEST_P(ConvPlan, AnEnginesKnobsCanBeTurned) {
  ConvGraph graph({Kind::forward, Precision::bf16, {1, 256, 256, 64, 128}, true, {}},
                  ConvAs::biased_convolution);
  graph.prepare(description(GetParam()));
  graph.find_engines();
  std::size_t variants = 0;
  for (const std::int64_t engine : graph.engines()) {
    const auto plan = graph.build(engine);
    if (plan != nullptr) variants = variants_that_get_ready(graph, *plan).size();
    if (variants > 0) break;
  }
  EXPECT_GT(variants, 0U);
  RecordProperty("variants", std::to_string(variants));
  EXPECT_TRUE(graph.knobs({{"engine", 1'000'000}}).empty());
  EXPECT_TRUE(graph.knobs({}).empty());
}

TEST_F(ConvPlan, SaysWhichGraphCudnnRefuses) {
  ConvGraph graph({Kind::forward, Precision::bf16, {1, 8, 8, 64, 64}, true, {}},
                  ConvAs::biased_convolution);
  try {
    graph.prepare(std::vector<std::uint8_t>{'{', '}'});
    FAIL() << "an empty description was accepted";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("bf16 forward 1×8×8, 64 to 64, ReLU"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace impasto::cuda::conv_plan_test
