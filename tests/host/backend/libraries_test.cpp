// SPDX-License-Identifier: MIT
// What a device backend and its libraries agree on, with libraries made for the purpose.
#include "host/backend/device/libraries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "host/backend/device/device_backend.hpp"
#include "host/backend/device/stream.hpp"
#include "host/core/error.hpp"
#include "simt/error.hpp"
#include "simt/launch.hpp"

namespace impasto::emulated {
namespace {

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

TEST(TimeOnStream, RunsEveryCandidateAndTimesIt) {
  Runtime runtime;
  const auto memory = runtime.allocate(2 * sizeof(float));
  runtime.fill_zero(memory.get(), 2 * sizeof(float));
  const auto candidate = [&](int place) {
    return [&runtime, y = floats(memory) + place] {
      simt::launch(&add_one, {"add_one", {1}, {1}}, runtime.stream(), y);
    };
  };
  const std::vector<Launch> launches = {candidate(0), candidate(1)};
  const std::vector<double> times =
      time_on_stream(runtime, launches, {3, std::numeric_limits<double>::max()});
  EXPECT_THAT(times, ElementsAre(Ge(0), Ge(0)));
  EXPECT_THAT(fetch(runtime, memory.get(), 2), ElementsAre(16, 16))
      << "four in a row, once as they are and three times replayed";
}

TEST(TimeOnStream, GoesOnWithoutACandidateThatCannotRun) {
  Runtime runtime;
  const std::vector<Launch> launches = {[] { fail(ErrorKind::backend, "not on this GPU"); }, [] {}};
  const std::vector<double> times = time_on_stream(runtime, launches);
  EXPECT_EQ(times[0], failed_timing);
  EXPECT_LT(times[1], failed_timing);
}

/// Counts the calls that find a zero in the gradient, and leaves ones there.
__global__ void watch(float* grad, float* zeros_found) {
  if (threadIdx.x == 0 && grad[0] == 0) *zeros_found += 1;
  __syncthreads();
  grad[threadIdx.x] = 1;
}

/// One candidate for style_backward, which sees what ran before it on the same tensors.
class Watching final : public Candidates<StyleBackwardCall> {
 public:
  Watching(Stream stream, float* zeros_found) : stream_(stream), zeros_found_(zeros_found) {}

  std::optional<Candidate<StyleBackwardCall>> next() override {
    if (std::exchange(given_, true)) return std::nullopt;
    return Candidate<StyleBackwardCall>{
        {"watching", {}},
        0,
        [stream = stream_, zeros = zeros_found_](const StyleBackwardCall& call, void*) {
          const auto values = static_cast<unsigned>(call.grad.shape.count());
          simt::launch(&watch, {"watch", {1}, {values}}, stream, call.grad.as<float>(), zeros);
        }};
  }
  std::optional<Candidate<StyleBackwardCall>> find(const AlgoId&) override { return std::nullopt; }

 private:
  Stream stream_;
  float* zeros_found_;
  bool given_ = false;
};

/// Libraries without candidates.
class NoLibraries : public Libraries {
 public:
  std::string names() const override { return "nothing"; }
  std::unique_ptr<DeviceConv> make_conv(const ConvParameters&) override {
    return std::make_unique<DeviceConv>();
  }
  std::unique_ptr<Candidates<ConvCall>> candidates(const ConvCall&) override { return nullptr; }
  std::unique_ptr<Candidates<StyleBackwardCall>> candidates(const StyleBackwardCall&) override {
    return nullptr;
  }
};

class WatchingLibraries final : public NoLibraries {
 public:
  explicit WatchingLibraries(Runtime& runtime)
      : runtime_(runtime), zeros_found_(runtime.allocate(sizeof(float))) {
    runtime.fill_zero(zeros_found_.get(), sizeof(float));
  }

  using NoLibraries::candidates;
  std::unique_ptr<Candidates<StyleBackwardCall>> candidates(const StyleBackwardCall&) override {
    return std::make_unique<Watching>(runtime_.stream(), floats(zeros_found_));
  }
  [[nodiscard]] float zeros_found() const { return fetch(runtime_, zeros_found_.get(), 1).front(); }

 private:
  Runtime& runtime_;
  std::shared_ptr<void> zeros_found_;
};

std::unique_ptr<Backend> tuned_backend(std::unique_ptr<Runtime> runtime,
                                       std::unique_ptr<Libraries> libraries) {
  return make_device_backend("tested", Precision::tf32, std::move(runtime), std::move(libraries),
                             Tuning::cached, PlanCache("", {}));
}

std::size_t prepare_style_backward(Backend& backend) {
  const Tensor map{nullptr, {1, 2, 3, 8}, DataType::f32};
  const Tensor matrix{nullptr, matrix_shape(1, 8), DataType::f32};
  return backend.prepare([&] { backend.style_backward(map, map, matrix, {false, true}); });
}

// A kernel that does nothing while the backend prepares would look like the fastest.
TEST(Libraries, OurKernelIsTimedForRealWhilePreparing) {
  auto runtime = std::make_unique<Runtime>();
  auto owned = std::make_unique<WatchingLibraries>(*runtime);
  const WatchingLibraries& libraries = *owned;
  const auto backend = tuned_backend(std::move(runtime), std::move(owned));
  (void)prepare_style_backward(*backend);
  EXPECT_GT(libraries.zeros_found(), 1) << "only the first run found a zero: the kernel never ran";
}

TEST(Libraries, OurKernelIsEnoughAndItsWorkspaceIsAskedFor) {
  const auto backend = tuned_backend(std::make_unique<Runtime>(), std::make_unique<NoLibraries>());
  EXPECT_GT(prepare_style_backward(*backend), 0U);
}

TEST(Libraries, ADeviceThatIsLostWhileTuningIsReported) {
  const auto tune = [] {
    auto runtime = std::make_unique<Runtime>();
    auto libraries = std::make_unique<WatchingLibraries>(*runtime);
    (void)prepare_style_backward(*tuned_backend(std::move(runtime), std::move(libraries)));
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
