// SPDX-License-Identifier: MIT
// What every rung asks of global memory, counted, is what the work model says. A kernel that reads
// more than it should fails here; whether it is right is tested beside this file.
#include <gtest/gtest.h>

#include "benchmarks/ladder/arrays.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/preprocess/preprocess.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/style_loss/style_loss.hpp"
#include "simt/launch.hpp"
#include "tests/support/cases.hpp"

namespace impasto::bench::emulated {
namespace {

using kernels::MapSize;

/// Sizes that fill whole tiles, small enough for the host-SIMT machine: one tile of channels and
/// several, one split of the pixels and several, a batch.
std::vector<MapSize> sizes_of(std::string_view op) {
  if (op == "total_variation" || op == "adam") return {{1, 64, 128, 3}};
  if (op == "first_conv_forward" || op == "first_conv_backward") return {{1, 32, 64, 64}};
  if (op == "gram" || op == "gram_loss") return {{1, 24, 32, 64}, {2, 8, 16, 128}};
  return {{1, 16, 16, 64}, {2, 8, 16, 256}};
}

/// The naive rungs of the products take C² or 2·C² loads of the map: a size of their own.
std::vector<MapSize> sizes_of(std::string_view op, const kernels::Rung& rung) {
  if (op == "gram" && rung.name == "rung_1_naive") return {{1, 8, 8, 32}};
  if (op == "first_conv_backward" && rung.name == "rung_1_naive") return {{1, 16, 16, 64}};
  return sizes_of(op);
}

simt::LaunchCounts count(Runtime& runtime, const std::function<void()>& launch) {
  simt::Counter counter;
  simt::Machine::get().set_counter(&counter);
  launch();
  runtime.synchronize();
  simt::Machine::get().set_counter(nullptr);
  return counter.total();
}

testing::AssertionResult is_within_two_percent(std::uint64_t counted, double expected) {
  const double ratio = static_cast<double>(counted) / expected;
  if (ratio > 0.98 && ratio < 1.02) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << counted << " bytes, " << ratio << " times the " << expected << " expected";
}

class Traffic : public testing::TestWithParam<Op> {};
INSTANTIATE_TEST_SUITE_P(Every, Traffic, testing::ValuesIn(ops()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(Traffic, IsWhatTheModelSays) {
  Runtime runtime;
  const Op& op = GetParam();
  bool any = false;
  for (const DataType type : {DataType::f32, DataType::bf16}) {
    for (const Contender& listed : op.contenders(runtime, {{1, 1, 1, 1}, type})) {
      for (const MapSize& size : sizes_of(op.name, listed.rung)) {
        if (size.batch == 2 && type == DataType::f32) continue;  // in the other it is enough
        SCOPED_TRACE(testing::Message() << listed.rung.name << ", " << size << ", "
                                        << (type == DataType::f32 ? "f32" : "bf16"));
        const auto contenders = op.contenders(runtime, {size, type});
        const auto own =
            std::find_if(contenders.begin(), contenders.end(),
                         [&](const Contender& each) { return each.rung.name == listed.rung.name; });
        const auto counts = count(runtime, own->launch);
        EXPECT_TRUE(is_within_two_percent(counts.loads.bytes, own->traffic.loaded));
        EXPECT_TRUE(is_within_two_percent(counts.stores.bytes, own->traffic.stored));
        any = true;
      }
    }
  }
  EXPECT_TRUE(any);
}

/// Loads and stores together, of an operation that has one kernel and no ladder.
void expect_work(Runtime& runtime, const char* op, const work::Work& work,
                 const std::function<void()>& launch) {
  SCOPED_TRACE(op);
  const simt::LaunchCounts counts = count(runtime, launch);
  EXPECT_TRUE(is_within_two_percent(counts.loads.bytes + counts.stores.bytes, work.bytes));
}

TEST(TrafficOf, KernelsWithoutALadderIsTheirWork) {
  namespace kernels = kernels::emulated;
  using T = impasto::kernels::bfloat16;
  constexpr DataType type = DataType::bf16;
  constexpr MapSize picture{1, 64, 64, 3};
  constexpr MapSize map{1, 16, 32, 64};
  constexpr std::array<float, 3> mean = {1, 2, 3};
  constexpr impasto::kernels::PoolKind kind;
  constexpr std::int64_t C = 128;
  Runtime runtime;
  const Array<float> floats(runtime, std::vector<float>(32768, 1.0F));
  const Array<float> more(runtime, std::vector<float>(32768, 1.0F));
  const Array<T> values(runtime, std::vector<T>(32768));
  const Array<T> written(runtime, std::vector<T>(32768));
  const Array<float> workspace(runtime, 65536);
  const Array<impasto::kernels::IMPASTO_DEVICE::ProductScalars> scalars(runtime, 1);
  auto* stream = runtime.stream();

  expect_work(runtime, "preprocess_padded", work::preprocess_padded(picture, type), [&] {
    kernels::preprocess_padded(written.data(), floats.data(), mean, picture.pixels(), stream);
  });
  expect_work(runtime, "pool_forward",
              work::pool_forward(map, impasto::kernels::pooled(map, kind.rounding), type),
              [&] { kernels::pool_forward(written.data(), values.data(), map, kind, stream); });
  expect_work(runtime, "style_loss", work::style_loss(C), [&] {
    kernels::style_loss(workspace.data(), workspace.data() + 1024, floats.data(), more.data(), 1, C,
                        {}, reinterpret_cast<double*>(workspace.data() + 2), stream);
  });
  const work::Traffic rounding = work::round_for_product_traffic(C, type);
  expect_work(runtime, "round_for_product", {.bytes = rounding.loaded + rounding.stored}, [&] {
    kernels::round_for_product<T>(scalars.data(), floats.data(), {1, 1, 1, C}, false,
                                  workspace.data(), stream);
  });
  expect_work(runtime, "relu_mask", work::relu_mask(map, type),
              [&] { kernels::relu_mask(written.data(), values.data(), map.count(), stream); });
}

/// Right, and it reads everything `times` over.
__global__ void copy_kernel(float* y, const float* x, int times) {
  const std::size_t i = blockIdx.x * 32 + threadIdx.x;
  float value = 0;
  for (int time = 0; time < times; ++time) value = *static_cast<const volatile float*>(x + i);
  y[i] = value;
}

TEST(TrafficOf, AWastefulKernelIsNotWhatTheModelSays) {
  static_assert(simt::traced, "this file's kernels must report their accesses");
  Runtime runtime;
  const auto x = runtime.allocate(4096);
  const auto y = runtime.allocate(4096);
  runtime.fill_zero(x.get(), 4096);
  const auto loaded = [&](int times) {
    return count(runtime,
                 [&] {
                   simt::launch(copy_kernel, {"copy", {32}, {32}}, runtime.stream(),
                                static_cast<float*>(y.get()), static_cast<const float*>(x.get()),
                                times);
                 })
        .loads.bytes;
  };
  EXPECT_TRUE(is_within_two_percent(loaded(1), 4096));
  EXPECT_FALSE(is_within_two_percent(loaded(2), 4096));
}

}  // namespace
}  // namespace impasto::bench::emulated
