// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

#include "tests/simt/run.hpp"

namespace simt::test::words_test {
namespace {

using testing::Each;
using testing::ElementsAre;

class Words : public testing::TestWithParam<Schedule> {};
INSTANTIATE_TEST_SUITE_P(EverySchedule, Words, testing::ValuesIn(schedules));

std::vector<float> counting(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

__global__ void own_index(unsigned* y) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned per_block = blockDim.x * blockDim.y * blockDim.z;
  y[block * per_block + thread] = block * 100 + thread;
}

TEST_P(Words, EveryThreadOfEveryBlockRunsOnce) {
  DeviceArray<unsigned> y(2 * 3 * 4 * 12);
  run(GetParam(), {"own_index", {2, 3, 4}, {3, 2, 2}}, &own_index, y.data());
  for (unsigned i = 0; i < 24 * 12; ++i) EXPECT_EQ(y.values()[i], i / 12 * 100 + i % 12);
}

/// Each block adds up 64 values, by halves, in a static array.
__global__ void block_sum(float* y, const float* x) {
  SIMT_SHARED(float, sums, [64]);
  const unsigned i = threadIdx.x;
  sums[i] = x[blockIdx.x * 64 + i];
  __syncthreads();
  for (unsigned half = 32; half > 0; half /= 2) {
    if (i < half) sums[i] += sums[i + half];
    __syncthreads();
  }
  if (i == 0) y[blockIdx.x] = sums[0];
}

TEST_P(Words, BarriersOrderWhatThreadsWrite) {
  DeviceArray<float> x(counting(128));
  DeviceArray<float> y(2);
  run(GetParam(), {"block_sum", {2}, {64}}, &block_sum, y.data(), x.data());
  EXPECT_THAT(y.values(), ElementsAre(64 * 65 / 2, 64 * 64 + 64 * 65 / 2));
}

/// Each block writes its number, then reads those of all.
__global__ void sum_of_blocks(unsigned* y, unsigned* numbers) {
  if (in_phase(0)) numbers[blockIdx.x] = blockIdx.x + 1;
  next_phase();
  if (in_phase(1)) {
    unsigned sum = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) sum += numbers[i];
    y[blockIdx.x] = sum;
  }
}

TEST_P(Words, NoBlockBeginsAPhaseBeforeAllHaveEndedTheOneBefore) {
  DeviceArray<unsigned> numbers(7);
  DeviceArray<unsigned> y(7);
  run(GetParam(), {"sum_of_blocks", {7}, {1}, 0, 2}, &sum_of_blocks, y.data(), numbers.data());
  EXPECT_THAT(y.values(), Each(28));
}

/// Reverses a block's values through the dynamic array.
__global__ void reverse(float* y, const float* x) {
  auto* values = dynamic_shared<float>();
  values[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = values[blockDim.x - 1 - threadIdx.x];
}

TEST_P(Words, DynamicSharedMemoryHasTheSizeOfTheLaunch) {
  DeviceArray<float> x(counting(5));
  DeviceArray<float> y(5);
  run(GetParam(), {"reverse", {1}, {5}, 5 * sizeof(float)}, &reverse, y.data(), x.data());
  EXPECT_THAT(y.values(), ElementsAre(5, 4, 3, 2, 1));
}

__global__ void shuffles(int* y) {
  const auto lane = static_cast<int>(threadIdx.x % 32);
  constexpr unsigned all = 0xffffffffU;
  int* own = y + 6 * threadIdx.x;
  own[0] = __shfl_sync(all, lane, 3);
  own[1] = __shfl_xor_sync(all, lane, 5);
  own[2] = __shfl_down_sync(all, lane, 4);
  own[3] = __shfl_up_sync(all, lane, 4);
  own[4] = __shfl_down_sync(all, lane, 1, 8);
  own[5] = __shfl_sync(all, lane, 9, 8);
}

TEST_P(Words, ShufflesFollowTheProgrammingGuide) {
  DeviceArray<int> y(6 * 64);
  run(GetParam(), {"shuffles", {1}, {64}}, &shuffles, y.data());
  const std::vector<int> got = y.values();
  for (std::size_t thread = 0; thread < 64; ++thread) {
    const int lane = static_cast<int>(thread) % 32;
    const std::vector<int> own(got.begin() + static_cast<std::ptrdiff_t>(6 * thread),
                               got.begin() + static_cast<std::ptrdiff_t>(6 * thread + 6));
    EXPECT_THAT(own,
                ElementsAre(3, lane ^ 5, lane < 28 ? lane + 4 : lane, lane < 4 ? lane : lane - 4,
                            lane % 8 == 7 ? lane : lane + 1, lane / 8 * 8 + 1));
  }
}

__global__ void votes(unsigned* y) {
  constexpr unsigned lower_half = 0xffffU;
  if (threadIdx.x >= 16) return;
  unsigned* own = y + 4 * threadIdx.x;
  own[0] = __ballot_sync(lower_half, threadIdx.x % 3 == 0);
  own[1] = static_cast<unsigned>(__any_sync(lower_half, threadIdx.x == 5));
  own[2] = static_cast<unsigned>(__all_sync(lower_half, threadIdx.x == 5));
  own[3] = __reduce_add_sync(lower_half, threadIdx.x + 0U);
}

TEST_P(Words, VotesCountTheLanesOfTheMask) {
  DeviceArray<unsigned> y(64);
  run(GetParam(), {"votes", {1}, {32}}, &votes, y.data());
  for (std::size_t lane = 0; lane < 16; ++lane) {
    const auto values = y.values();
    EXPECT_EQ(values[4 * lane], 0b1001001001001001U);
    EXPECT_EQ(values[4 * lane + 1], 1U);
    EXPECT_EQ(values[4 * lane + 2], 0U);
    EXPECT_EQ(values[4 * lane + 3], 120U);
  }
}

__global__ void count(int* total, int* largest) {
  atomicAdd(total, 2);
  atomicMax(largest, static_cast<int>(threadIdx.x));
}

TEST_P(Words, AtomicsSumOverBlocks) {
  DeviceArray<int> total(std::vector<int>{0});
  DeviceArray<int> largest(std::vector<int>{-1});
  run(GetParam(), {"count", {3}, {40}}, &count, total.data(), largest.data());
  EXPECT_THAT(total.values(), ElementsAre(240));
  EXPECT_THAT(largest.values(), ElementsAre(39));
}

__global__ void exchanges(int* cell, int* y) {
  y[0] = atomicExch(cell, 7);
  y[1] = atomicCAS(cell, 7, 9);
  y[2] = atomicCAS(cell, 7, 1);
  y[3] = atomicMin(cell, 4);
  y[4] = atomicMin(cell, 5);
  y[5] = static_cast<int>(__activemask());
}

TEST_P(Words, AtomicsReturnWhatWasThereBefore) {
  DeviceArray<int> cell(std::vector<int>{3});
  DeviceArray<int> y(6);
  run(GetParam(), {"kernel", {1}, {1}}, &exchanges, cell.data(), y.data());
  EXPECT_THAT(y.values(), ElementsAre(3, 7, 9, 9, 4, 1));
  EXPECT_THAT(cell.values(), ElementsAre(4));
}

__global__ void copy_vectors(float4* y, const float4* x) {
  const float4 v = x[threadIdx.x];
  y[threadIdx.x] = make_float4(v.w, v.z, v.y, v.x);
}

TEST_P(Words, VectorsAreLoadedWhole) {
  DeviceArray<float> x(counting(8));
  DeviceArray<float> y(8);
  run(GetParam(), {"copy_vectors", {1}, {2}}, &copy_vectors, reinterpret_cast<float4*>(y.data()),
      reinterpret_cast<const float4*>(x.data()));
  EXPECT_THAT(y.values(), ElementsAre(4, 3, 2, 1, 8, 7, 6, 5));
}

__global__ void nothing() {}
__global__ void nothing_twice() { next_phase(); }

TEST(Launch, RefusesWhatCudaRefuses) {
  const auto refused = [](const Grid& grid) {
    return problem(schedules[0], grid, grid.phases > 1 ? &nothing_twice : &nothing);
  };
  EXPECT_EQ(refused({"nothing", {1}, {1024}}), "");
  EXPECT_THAT(refused({"nothing", {1}, {1025}}), testing::HasSubstr("1024 are allowed"));
  EXPECT_THAT(refused({"nothing", {0}, {32}}), testing::HasSubstr("a grid of (0,1,1) blocks"));
  EXPECT_THAT(refused({"nothing", {1, 65536}, {32}}), testing::HasSubstr("65535 are allowed"));
  EXPECT_THAT(refused({"nothing", {1}, {32}, 1U << 20U}), testing::HasSubstr("shared memory"));
  EXPECT_THAT(refused({"nothing", {blocks_at_once + 1}, {32}, 0, 2}),
              testing::HasSubstr("blocks that wait for each other"));
  EXPECT_EQ(refused({"nothing", {blocks_at_once}, {32}, 0, 2}), "");
}

}  // namespace
}  // namespace simt::test::words_test
