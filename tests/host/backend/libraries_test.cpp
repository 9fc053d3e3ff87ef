// SPDX-License-Identifier: MIT
// What a device backend and its libraries agree on, with libraries made for the purpose.
#include "host/backend/device/libraries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "host/backend/device/device_backend.hpp"
#include "host/backend/device/stream_trials.hpp"
#include "host/backend/tuning/own_kernel.hpp"
#include "host/core/error.hpp"
#include "simt/faults.hpp"
#include "simt/launch.hpp"

namespace impasto::emulated {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;

__global__ void add_one(float* y) { y[threadIdx.x] += 1; }

float* floats(const std::shared_ptr<void>& memory) { return static_cast<float*>(memory.get()); }

std::vector<float> fetch(Runtime& runtime, const void* from, std::size_t count) {
  std::vector<float> values(count, -1);
  runtime.copy_to_host(values.data(), from, count * sizeof(float));
  runtime.synchronize();
  return values;
}

TEST(StreamTrials, RunEveryCandidateAndTimeIt) {
  Runtime runtime;
  const auto memory = runtime.allocate(2 * sizeof(float));
  runtime.fill_zero(memory.get(), 2 * sizeof(float));
  const auto candidate = [&](int place) {
    return [&runtime, y = floats(memory) + place] {
      simt::launch(&add_one, {"add_one", {1}, {1}}, runtime.stream(), y);
    };
  };
  const std::vector<Trial> trials = {candidate(0), candidate(1)};
  const std::vector<double> times =
      time_on_stream(runtime, trials, {3, std::numeric_limits<double>::max()});
  EXPECT_THAT(times, ElementsAre(Ge(0), Ge(0)));
  EXPECT_THAT(fetch(runtime, memory.get(), 2), ElementsAre(16, 16))
      << "four in a row, once as they are and three times replayed";
}

TEST(StreamTrials, GoOnWithoutACandidateThatCannotRun) {
  Runtime runtime;
  const std::vector<Trial> trials = {[] { fail(ErrorKind::backend, "not on this GPU"); }, [] {}};
  const std::vector<double> times = time_on_stream(runtime, trials);
  EXPECT_EQ(times[0], failed_trial);
  EXPECT_LT(times[1], failed_trial);
}

/// style_backward's tensors and our kernel for it.
struct Call {
  std::vector<Tensor> tensors;
  const OwnKernel* kernel = nullptr;
};

/// A library that has no way to do it. Trials find zeros in every tensor but the first.
class NoWay final : public Problem<Call> {
 public:
  NoWay(Runtime& runtime, Call call) : runtime_(runtime), call_(std::move(call)) {}

  std::string describe() const override { return "style backward"; }
  std::optional<Way<Call>> next() override { return std::nullopt; }
  std::optional<Way<Call>> make(const Recipe&) override { return std::nullopt; }
  Stage set_up(std::int64_t workspace_bytes) override {
    auto buffers = std::make_shared<std::vector<Buffer>>();
    Stage stage{call_, nullptr, buffers};
    for (Tensor& tensor : stage.tensors.tensors) {
      buffers->push_back(runtime_.allocate(tensor.bytes()));
      tensor.data = buffers->back().get();
      if (buffers->size() > 1) runtime_.fill_zero(tensor.data, tensor.bytes());
    }
    grad = stage.tensors.tensors.front();
    ones.assign(static_cast<std::size_t>(grad.shape.count()), 1);
    runtime_.copy_to_device(grad.data, ones.data(), grad.bytes());
    buffers->push_back(runtime_.allocate(static_cast<std::size_t>(workspace_bytes)));
    stage.workspace = buffers->back().get();
    return stage;
  }

  Tensor grad;
  std::vector<float> ones;

 private:
  Runtime& runtime_;
  Call call_;
};

/// Chooses as NVIDIA's libraries do, and keeps what the trials left of the gradient.
class ChoosingLibraries final : public Libraries {
 public:
  explicit ChoosingLibraries(Runtime& runtime) : runtime_(runtime) {}

  std::string names() const override { return "nothing"; }
  std::unique_ptr<Conv> make_conv(const ConvParameters&) override {
    return std::make_unique<Conv>();
  }
  void conv_forward(const Tensor&, const Tensor&, Conv&, bool, Scratch&) override {}
  void conv_data_gradient(const Tensor&, const Tensor&, const Tensor&, Conv&,
                          const GradientEpilogue&, Scratch&) override {}
  void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                      const GradientEpilogue&, const OwnKernel& kernel, Scratch& scratch) override {
    const Call call{{grad, features, matrix}, &kernel};
    NoWay library(runtime_, call);
    WithOwnKernel<Call> problem(
        library, {{}, kernel.workspace_bytes, [](const Call& given, void* workspace) {
                    given.kernel->enqueue(given.tensors, workspace);
                  }});
    Chooser chooser(Tuning::cached, {"", {}},
                    [&](std::span<const Trial> trials) {
                      std::vector<double> times = time_on_stream(runtime_, trials);
                      grad_after_trials = fetch(runtime_, library.grad.data, library.ones.size());
                      return times;
                    },
                    {});
    const Way<Call> way = chooser.choose(problem);
    void* workspace = scratch.get<unsigned char>(way.workspace_bytes);
    if (!scratch.measuring()) way.enqueue(call, workspace);
  }

  std::vector<float> grad_after_trials;

 private:
  Runtime& runtime_;
};

// A kernel that does nothing while measuring would look like the fastest.
TEST(Libraries, TryOurKernelForRealWhileMeasuring) {
  auto runtime = std::make_unique<Runtime>();
  auto owned = std::make_unique<ChoosingLibraries>(*runtime);
  const ChoosingLibraries& libraries = *owned;
  const auto backend =
      make_device_backend("tested", Precision::tf32, std::move(runtime), std::move(owned));
  const Tensor map{nullptr, {1, 2, 3, 8}, DataType::f32};
  const Tensor matrix{nullptr, matrix_shape(1, 8), DataType::f32};
  const std::size_t bytes = backend->prepare([&] {
    backend->style_backward(map, map, matrix, {false, true});
  });
  EXPECT_THAT(libraries.grad_after_trials, testing::SizeIs(48));
  EXPECT_THAT(libraries.grad_after_trials, Each(0)) << "the kernel did not run";
  EXPECT_GT(bytes, 0U) << "its workspace was not asked for";
}

TEST(Libraries, ReportADeviceThatIsLostWhileTuning) {
  const auto tune = [] {
    auto runtime = std::make_unique<Runtime>();
    auto libraries = std::make_unique<ChoosingLibraries>(*runtime);
    const auto backend =
        make_device_backend("tested", Precision::tf32, std::move(runtime), std::move(libraries));
    const Tensor map{nullptr, {1, 2, 3, 8}, DataType::f32};
    (void)backend->prepare([&] {
      backend->style_backward(map, map, {nullptr, matrix_shape(1, 8), DataType::f32}, {});
    });
  };
  simt::fail_call(0);
  tune();
  const std::int64_t calls = simt::calls();
  ASSERT_GT(calls, 20);
  for (std::int64_t k = 1; k <= calls; ++k) {
    simt::lose_device(k);
    try {
      tune();
      ADD_FAILURE() << "the device was lost at call " << k << " and nobody said so";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::backend) << "call " << k;
      EXPECT_THAT(error.what(), HasSubstr("failed, as a test asked for")) << "call " << k;
    }
  }
  simt::fail_call(0);
}

}  // namespace
}  // namespace impasto::emulated
