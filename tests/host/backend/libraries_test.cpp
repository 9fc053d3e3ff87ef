// SPDX-License-Identifier: MIT
// What a device backend and its libraries agree on, with libraries made for the purpose.
#include "host/backend/device/libraries.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "host/backend/device/device_backend.hpp"
#include "host/backend/device/stream.hpp"
#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "kernels/conv/conv.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "simt/error.hpp"
#include "simt/launch.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::emulated::libraries_test {
namespace {

using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

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

/// One candidate for style_backward: our kernel once more, and one too much in every value if it is
/// wrong.
class OneCandidate final : public Candidates<StyleBackwardCall> {
 public:
  OneCandidate(Stream stream, const Shape& features, bool wrong, int* calls)
      : stream_(stream),
        floats_(kernels::emulated::style_backward_workspace(features)),
        wrong_(wrong),
        calls_(calls) {}

  std::optional<Candidate<StyleBackwardCall>> next() override {
    if (std::exchange(given_, true)) return std::nullopt;
    return Candidate<StyleBackwardCall>{
        {"library", {}},
        floats_ * std::int64_t{sizeof(float)},
        [stream = stream_, wrong = wrong_, calls = calls_](const StyleBackwardCall& call,
                                                           void* workspace) {
          ++*calls;
          auto* grad = call.grad.as<float>();
          kernels::emulated::style_backward(grad, call.features.as<float>(),
                                            call.matrix.as<float>(), call.features.shape,
                                            call.problem.epilogue, kernels::Arithmetic::fp32,
                                            static_cast<float*>(workspace), stream);
          const auto values = static_cast<unsigned>(call.grad.shape.count());
          if (wrong) simt::launch(&add_one, {"add_one", {1}, {values}}, stream, grad);
        }};
  }
  std::optional<Candidate<StyleBackwardCall>> find(const AlgoId&) override { return std::nullopt; }

 private:
  Stream stream_;
  std::int64_t floats_;
  bool wrong_;
  int* calls_;
  bool given_ = false;
};

class OneCandidateLibraries final : public Libraries {
 public:
  OneCandidateLibraries(Runtime& runtime, bool wrong) : runtime_(runtime), wrong_(wrong) {}

  using Libraries::candidates;
  std::unique_ptr<Candidates<StyleBackwardCall>> candidates(
      const StyleBackwardCall& call) override {
    return std::make_unique<OneCandidate>(runtime_.stream(), call.features.shape, wrong_, &calls);
  }

  int calls = 0;  ///< of candidates

 private:
  Runtime& runtime_;
  bool wrong_;
};

constexpr StyleBackwardProblem problem{Precision::fp32, {1, 2, 3, 8}, {true, true}};

/// Tunes for the problem while the backend prepares; what is kept of it.
CachedAlgo tune(bool wrong) {
  const TemporaryFolder folder;
  auto runtime = std::make_unique<Runtime>();
  auto libraries = std::make_unique<OneCandidateLibraries>(*runtime, wrong);
  const auto backend =
      make_device_backend("tested", problem.precision, std::move(runtime), std::move(libraries),
                          Tuning::cached, PlanCache(folder.path(), {}));
  const Tensor map{nullptr, problem.size, DataType::f32};
  const Tensor matrix{nullptr, matrix_shape(1, problem.size.channels), DataType::f32};
  const std::size_t workspace =
      backend->prepare([&] { backend->style_backward(map, map, matrix, problem.epilogue); });
  EXPECT_GT(workspace, 0U);
  return PlanCache(folder.path(), {}).find(problem.describe()).value();
}

// A kernel that does nothing while the backend prepares would look like the fastest.
TEST(Libraries, CandidatesAreComparedAndTimedForRealWhilePreparing) {
  const CachedAlgo kept = tune(/*wrong=*/false);
  EXPECT_THAT(kept.timings, SizeIs(2));
  EXPECT_THAT(kept.differing, IsEmpty()) << "our kernel and the same once more";
}

TEST(Libraries, ACandidateThatComputesSomethingElseThanOurKernelIsLeftOut) {
  const CachedAlgo kept = tune(/*wrong=*/true);
  EXPECT_EQ(kept.id.implementation, "own kernel");
  EXPECT_THAT(kept.timings, SizeIs(1));
  EXPECT_THAT(kept.differing, ElementsAre(AlgoId{"library", {}}));
}

/// On a backend whose network computes in bf16: the losses and matrices of two images of 8 channels.
std::vector<float> wasserstein_loss(Backend& backend) {
  constexpr std::int64_t N = 2;
  constexpr std::int64_t C = 8;
  std::vector<Buffer> memory;
  const auto tensor = [&](const Shape& shape, std::vector<float> values) {
    Tensor made{nullptr, shape, backend.master_type()};
    memory.push_back(backend.allocate(made.bytes()));
    made.data = memory.back().get();
    values.resize(static_cast<std::size_t>(shape.count()));
    backend.write(made, values);
    return made;
  };
  /// Symmetric, with eigenvalues near 1 + n.
  const auto definite = [&](std::int64_t count) {
    std::vector<float> values;
    for (std::int64_t n = 0; n < count; ++n) {
      for (std::int64_t i = 0; i < C; ++i) {
        for (std::int64_t j = 0; j < C; ++j) {
          const auto wave = static_cast<float>(std::sin(i + j + n));
          values.push_back((i == j ? static_cast<float>(1 + n) : 0.0F) + 0.05F * wave);
        }
      }
    }
    return tensor(matrix_shape(count, C), values);
  };
  const Tensor loss = tensor({.channels = N}, {});
  const Tensor matrix = tensor(matrix_shape(N, C), {});
  const Tensor coefficients = tensor({N, 1, 2, C}, {});
  const Tensor statistics = tensor({N, 1, 2, C}, {0.1F, 0.2F, 0.3F});
  const Tensor wanted_statistics = tensor({1, 1, 2, C}, {0.2F, 0.1F});
  const Tensor wanted = definite(1);
  const Tensor root = tensor(matrix_shape(1, C), {});
  backend.covariance_root(root, wanted, wanted_statistics);
  backend.wasserstein_loss(loss, matrix, coefficients, definite(N), statistics,
                           {wanted_statistics, wanted, root}, {});
  std::vector<float> found(static_cast<std::size_t>(N + matrix.shape.count()));
  backend.read(std::span(found).first(N), loss);
  backend.read(std::span(found).subspan(N), matrix);
  return found;
}

TEST(Libraries, MultiplyTheMatricesOfAWassersteinLossInFloat) {
  const auto reference = make_backend("reference");
  const std::vector<float> expected = wasserstein_loss(*reference);
  for (const bool wrong : {false, true}) {
    auto runtime = std::make_unique<Runtime>();
    auto libraries = std::make_unique<OneCandidateLibraries>(*runtime, wrong);
    const int& calls = libraries->calls;
    const auto backend = make_device_backend("tested", Precision::bf16, std::move(runtime),
                                             std::move(libraries), Tuning::off, PlanCache("", {}));
    const std::vector<float> found = wasserstein_loss(*backend);
    EXPECT_EQ(calls, 3 * 12 + (4 + 3 * 12 + 3 * 12 - 1 + 4)) << "a root; two sandwiches, two roots";
    bool close = true;
    for (std::size_t i = 0; i < found.size(); ++i) {
      close = close && std::abs(found[i] - expected[i]) < 1e-4F;
    }
    EXPECT_EQ(close, !wrong);
  }
}

TEST(Libraries, ProductsOfMatricesAreTunedForABatchAndForOne) {
  const TemporaryFolder folder;
  auto runtime = std::make_unique<Runtime>();
  auto libraries = std::make_unique<OneCandidateLibraries>(*runtime, /*wrong=*/true);
  const auto backend =
      make_device_backend("tested", Precision::bf16, std::move(runtime), std::move(libraries),
                          Tuning::cached, PlanCache(folder.path(), {}));
  const std::vector<float> expected = wasserstein_loss(*make_backend("reference"));
  const std::vector<float> found = wasserstein_loss(*backend);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4);
  for (const char* named : {"fp32 style backward 1×1×8×8", "fp32 style backward 2×1×8×8"}) {
    const CachedAlgo kept = PlanCache(folder.path(), {}).find(named).value();
    EXPECT_EQ(kept.id.implementation, "own kernel") << named;
    EXPECT_THAT(kept.differing, ElementsAre(AlgoId{"library", {}})) << named;
  }
}

/// One candidate for every convolution: the plain loop.
class PlainConvolutions final : public Libraries {
 public:
  explicit PlainConvolutions(Stream stream) : stream_(stream) {}

  using Libraries::candidates;
  std::unique_ptr<Candidates<ConvCall>> candidates(const ConvCall& /*call*/) override {
    return std::make_unique<One>(stream_);
  }

 private:
  struct One final : Candidates<ConvCall> {
    explicit One(Stream of) : stream(of) {}
    std::optional<Candidate<ConvCall>> next() override {
      if (std::exchange(given, true)) return std::nullopt;
      return Candidate<ConvCall>{
          {"library", {}}, 0, [on = stream](const ConvCall& call, void* /*workspace*/) {
            using T = kernels::bfloat16;
            kernels::emulated::conv_forward_ladder().front().launch.get<T>()(
                call.to.as<T>(), call.from.as<T>(), static_cast<const T*>(call.conv->weight.get()),
                static_cast<const float*>(call.conv->bias.get()), call.problem.size,
                call.problem.relu, on);
          }};
    }
    std::optional<Candidate<ConvCall>> find(const AlgoId&) override { return std::nullopt; }

    Stream stream;
    bool given = false;
  };

  Stream stream_;
};

/// Who was timed for a convolution of so many channels to as many.
std::vector<std::string> timed_convolutions(std::int64_t channels) {
  const TemporaryFolder folder;
  auto runtime = std::make_unique<Runtime>();
  auto libraries = std::make_unique<PlainConvolutions>(runtime->stream());
  const auto backend =
      make_device_backend("tested", Precision::bf16, std::move(runtime), std::move(libraries),
                          Tuning::cached, PlanCache(folder.path(), {}));
  const std::vector<float> weight(static_cast<std::size_t>(9 * channels * channels), 0.125F);
  const auto conv = backend->make_conv(
      {channels, channels, weight, std::vector<float>(static_cast<std::size_t>(channels), 1)});
  const Tensor map{nullptr, {1, 2, 3, channels}, DataType::bf16};
  static_cast<void>(backend->prepare([&] { backend->conv_forward(map, map, *conv, true); }));
  const ConvProblem asked{
      ConvProblem::Kind::forward, Precision::bf16, {1, 2, 3, channels, channels}, true, {}};
  const CachedAlgo kept = PlanCache(folder.path(), {}).find(asked.describe()).value();
  EXPECT_THAT(kept.differing, IsEmpty());
  std::vector<std::string> names;
  for (const auto& timing : kept.timings) names.push_back(timing.id.implementation);
  return names;
}

TEST(Libraries, AConvolutionOfOursIsTimedBesideTheirsWhereItIsMoreThanAPlainLoop) {
  EXPECT_THAT(timed_convolutions(64), ElementsAre("library", "own kernel"));
  EXPECT_THAT(timed_convolutions(24), ElementsAre("library"));
}

TEST(Libraries, OurKernelIsEnough) {
  const auto backend =
      make_device_backend("tested", Precision::tf32, std::make_unique<Runtime>(),
                          std::make_unique<Libraries>(), Tuning::cached, PlanCache("", {}));
  const Tensor map{nullptr, {1, 2, 3, 8}, DataType::f32};
  const Tensor matrix{nullptr, matrix_shape(1, 8), DataType::f32};
  EXPECT_GT(backend->prepare([&] {
    backend->style_backward(map, map, matrix, {false, true});
  }),
            0U)
      << "its workspace is asked for";
}

TEST(Libraries, ADeviceThatIsLostWhileTuningIsReported) {
  simt::fail_call(0);
  tune(/*wrong=*/false);
  const std::int64_t calls = simt::calls();
  ASSERT_GT(calls, 20);
  for (std::int64_t k = 1; k <= calls; ++k) {
    simt::lose_device(k);
    try {
      tune(/*wrong=*/false);
      ADD_FAILURE() << "the device was lost at call " << k << " and nobody said so";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::backend) << "call " << k;
      EXPECT_THAT(error.what(), HasSubstr("failed, as a test asked for")) << "call " << k;
    }
  }
  simt::fail_call(0);
}

}  // namespace
}  // namespace impasto::emulated::libraries_test
