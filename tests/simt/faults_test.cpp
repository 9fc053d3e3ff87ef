// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simt/ptx.hpp"
#include "tests/simt/run.hpp"

namespace simt::test::faults_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

static_assert(traced, "these kernels must report their accesses");

/// Where a kernel does what it should be caught at.
int wrong_line = 0;
#define WRONG (wrong_line = __LINE__)

std::string wrong_place() { return "faults_test.cpp:" + std::to_string(wrong_line); }

/// A fault must be found at its line. `kernel<false>` is the same without it.
class Fault : public FaultyKernels {};
INSTANTIATE_TEST_SUITE_P(EverySchedule, Fault, testing::ValuesIn(schedules));

void expect_caught(const std::string& problem, const std::string& what) {
  EXPECT_THAT(problem, AllOf(HasSubstr(what), HasSubstr(wrong_place())));
}

constexpr Grid one_block{"kernel", {1}, {64}};

template <bool barrier_removed>
__global__ void neighbour(float* y) {
  SIMT_SHARED(float, tile, [64]);
  const unsigned i = threadIdx.x;
  tile[i] = static_cast<float>(i);
  if constexpr (!barrier_removed) __syncthreads();
  WRONG, y[i] = tile[i ^ 32U];
}

TEST_P(Fault, RemovedBarrier) {
  DeviceArray<float> y(64);
  EXPECT_EQ(problem_of(&neighbour<false>, one_block, y.data()), "");
  const std::string caught = problem_of(&neighbour<true>, one_block, y.data());
  // Whoever comes second is told: the reader, or the writer of what was read too early.
  EXPECT_THAT(caught, testing::AnyOf(HasSubstr("race"), HasSubstr("nobody has written it")));
  EXPECT_THAT(caught, HasSubstr("faults_test.cpp:"));
}

/// Four threads write the bytes of a word; one of them, or the next warp, reads it.
template <bool barrier_removed>
__global__ void bytes_of_a_word(unsigned char* bytes, float* y) {
  SIMT_SHARED(unsigned, words, [16]);
  const unsigned i = threadIdx.x;
  reinterpret_cast<unsigned char*>(words)[i] = bytes[63 - i];
  bytes[63 - i] = 1;
  if constexpr (!barrier_removed) __syncthreads();
  WRONG, y[i] = static_cast<float>(words[(i / 4 + 8) % 16]);
}

TEST_P(Fault, BytesOfAWordThatSeveralThreadsWrite) {
  DeviceArray<unsigned char> bytes(std::vector<unsigned char>(64, 2));
  DeviceArray<float> y(64);
  EXPECT_EQ(problem_of(&bytes_of_a_word<false>, one_block, bytes.data(), y.data()), "");
  EXPECT_NE(problem_of(&bytes_of_a_word<true>, one_block, bytes.data(), y.data()), "");
}

__global__ void half_of_a_word(float* y) {
  SIMT_SHARED(unsigned, words, [1]);
  *reinterpret_cast<unsigned short*>(words) = 1;
  WRONG, *y = static_cast<float>(*words);
}

TEST_P(Fault, WordOfWhichHalfWasWritten) {
  DeviceArray<float> y(1);
  expect_caught(problem_of(&half_of_a_word, {"kernel", {1}, {1}}, y.data()),
                "nobody has written it");
}

/// One tile for two rounds, and no barrier between the reads of one and the writes of the next.
template <bool barrier_removed>
__global__ void two_rounds(float* y) {
  SIMT_SHARED(float, tile, [64]);
  const unsigned i = threadIdx.x;
  float sum = 0;
  for (unsigned round = 0; round < 2; ++round) {
    WRONG, tile[i] = static_cast<float>(i + round);
    __syncthreads();
    sum += tile[63 - i];
    if constexpr (!barrier_removed) __syncthreads();
  }
  y[i] = sum;
}

TEST_P(Fault, RemovedSecondBarrier) {
  DeviceArray<float> y(64);
  EXPECT_EQ(problem_of(&two_rounds<false>, one_block, y.data()), "");
  EXPECT_THAT(problem_of(&two_rounds<true>, one_block, y.data()), HasSubstr("race: "));
}

template <bool barrier_removed>
__global__ void within_a_warp(float* y) {
  SIMT_SHARED(float, tile, [32]);
  tile[threadIdx.x] = 1;
  if constexpr (!barrier_removed) __syncwarp();
  y[threadIdx.x] = tile[31 - threadIdx.x];
}

TEST_P(Fault, LanesAreNotInStepByThemselves) {
  DeviceArray<float> y(32);
  const Grid one_warp{"kernel", {1}, {32}};
  EXPECT_EQ(problem_of(&within_a_warp<false>, one_warp, y.data()), "");
  EXPECT_NE(problem_of(&within_a_warp<true>, one_warp, y.data()), "");
}

template <bool past>
__global__ void read_tile(float* y, unsigned columns) {
  SIMT_SHARED(float, tile, [2][32]);
  SIMT_SHARED(float, other, [64]);
  const unsigned i = threadIdx.x;
  tile[i / 32][i % 32] = 1;
  other[i] = 2;
  __syncthreads();
  float* flat = &tile[0][0];
  WRONG, y[i] = flat[i + (past ? columns : 0)];
}

TEST_P(Fault, ReadPastTheTile) {
  DeviceArray<float> y(64);
  EXPECT_EQ(problem_of(&read_tile<false>, one_block, y.data(), 1U), "");
  const std::string caught = problem_of(&read_tile<true>, one_block, y.data(), 1U);
  expect_caught(caught, "4 bytes past the end of tile");
}

template <bool past>
__global__ void write_global(float* y) {
  WRONG, y[threadIdx.x + (past ? 1 : 0)] = 1;
}

TEST_P(Fault, WritePastGlobalMemory) {
  DeviceArray<float> y(64);
  EXPECT_EQ(problem_of(&write_global<false>, one_block, y.data()), "");
  expect_caught(problem_of(&write_global<true>, one_block, y.data()),
                "4 bytes past the end of global memory of 256 bytes");
}

__global__ void read_before(float* y) { WRONG, y[0] = y[-1]; }

TEST_P(Fault, ReadBeforeGlobalMemory) {
  DeviceArray<float> y(1);
  expect_caught(problem_of(&read_before, {"kernel", {1}, {1}}, y.data()), "4 bytes before");
}

__global__ void read_unwritten_shared(float* y) {
  SIMT_SHARED(float, tile, [64]);
  if (threadIdx.x < 63) tile[threadIdx.x] = 1;
  __syncthreads();
  WRONG, y[threadIdx.x] = tile[threadIdx.x];
}

TEST_P(Fault, UseOfUnwrittenSharedMemory) {
  DeviceArray<float> y(64);
  expect_caught(problem_of(&read_unwritten_shared, one_block, y.data()), "nobody has written it");
}

__global__ void read_unwritten_global(float* y, const float* x) {
  WRONG, y[threadIdx.x] = x[threadIdx.x];
}

TEST_P(Fault, UseOfUnwrittenGlobalMemory) {
  DeviceArray<float> x(64);
  DeviceArray<float> y(64);
  expect_caught(problem_of(&read_unwritten_global, one_block, y.data(), x.data()),
                "nobody has written it");
}

__global__ void blocks_write_the_same(float* y) { WRONG, y[threadIdx.x] = 1; }

TEST_P(Fault, TwoBlocksWriteTheSame) {
  DeviceArray<float> y(64);
  const Grid two{"kernel", {2}, {64}};
  expect_caught(problem_of(&blocks_write_the_same, two, y.data()), "another block wrote");
}

template <bool divergent>
__global__ void conditional_barrier() {
  if (!divergent || threadIdx.x < 32) {
    WRONG, __syncthreads();
  }
}

TEST_P(Fault, BarrierThatSomeThreadsNeverReach) {
  EXPECT_EQ(problem_of(&conditional_barrier<false>, one_block), "");
  const std::string caught = problem_of(&conditional_barrier<true>, one_block);
  expect_caught(caught, "divergent barrier");
}

__global__ void two_barriers() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

TEST_P(Fault, BarriersAtDifferentPlaces) {
  EXPECT_THAT(problem_of(&two_barriers, one_block), HasSubstr("waits at another one"));
}

template <bool wait_removed>
__global__ void copy_without_wait(float4* y, const float4* x) {
  SIMT_SHARED(float4, tile, [64]);
  cp_async_16(&tile[threadIdx.x], &x[threadIdx.x]);
  cp_async_commit_group();
  if constexpr (!wait_removed) cp_async_wait_group<0>();
  __syncthreads();
  WRONG, y[threadIdx.x] = tile[threadIdx.x ^ 1U];
}

TEST_P(Fault, CopyNotWaitedFor) {
  DeviceArray<float> x(std::vector<float>(256, 1));
  DeviceArray<float> y(256);
  auto* to = reinterpret_cast<float4*>(y.data());
  auto* from = reinterpret_cast<const float4*>(x.data());
  EXPECT_EQ(problem_of(&copy_without_wait<false>, one_block, to, from), "");
  expect_caught(problem_of(&copy_without_wait<true>, one_block, to, from), "not waited for");
}

__global__ void copy_to_a_crooked_address(const float* x) {
  SIMT_SHARED(float, tile, [64]);
  WRONG, cp_async_16(&tile[1], x);
}

TEST_P(Fault, CopyToACrookedAddress) {
  DeviceArray<float> x(std::vector<float>(4, 1));
  expect_caught(problem_of(&copy_to_a_crooked_address, {"kernel", {1}, {1}}, x.data()),
                "no multiple");
}

__global__ void mismatched_collectives(int* y) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane < 16) {
    y[lane] = __shfl_xor_sync(0xffffffffU, lane, 1);
  } else {
    y[lane] = __shfl_xor_sync(0xffffffffU, lane, 2);
  }
}

TEST_P(Fault, LanesInDifferentCollectives) {
  DeviceArray<int> y(32);
  EXPECT_THAT(problem_of(&mismatched_collectives, {"kernel", {1}, {32}}, y.data()),
              HasSubstr("mismatched collectives"));
}

__global__ void lane_has_left(int* y) {
  if (threadIdx.x == 7) return;
  WRONG, y[threadIdx.x] = __shfl_sync(0xffffffffU, 1, 0);
}

TEST_P(Fault, LaneOfTheMaskHasEnded) {
  DeviceArray<int> y(32);
  expect_caught(problem_of(&lane_has_left, {"kernel", {1}, {32}}, y.data()), "__shfl_sync");
}

__global__ void outside_the_mask(int* y) {
  if (threadIdx.x < 16) {
    WRONG, y[threadIdx.x] = __shfl_xor_sync(0xffffU, 1, 16);
  }
}

TEST_P(Fault, ShuffleFromOutsideTheMask) {
  DeviceArray<int> y(32);
  expect_caught(problem_of(&outside_the_mask, {"kernel", {1}, {32}}, y.data()), "leaves out");
}

/// The last block to finish adds up what the others left: right with an atomic between two fences,
/// and the first of them behind a barrier.
template <bool met, bool published, bool acquired>
__global__ void last_block_sums(float* sum, float* partial, int* finished) {
  SIMT_SHARED(bool, is_last, [1]);
  if (threadIdx.x == 7) partial[blockIdx.x] = 1;
  if (met) __syncthreads();
  if (threadIdx.x == 0) {
    if (published) __threadfence();
    is_last[0] = atomicAdd(finished, 1) == static_cast<int>(gridDim.x) - 1;
    if (acquired) __threadfence();
  }
  __syncthreads();
  if (is_last[0] && threadIdx.x == 1) {
    sum[0] = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) WRONG, sum[0] += partial[i];
  }
}

TEST_P(Fault, RemovedFenceOfTheLastBlock) {
  DeviceArray<float> sum(1);
  DeviceArray<float> partial(8);
  const auto problem_with = [&](auto kernel) {
    DeviceArray<int> finished(std::vector<int>{0});
    return problem_of(kernel, {"kernel", {8}, {32}}, sum.data(), partial.data(), finished.data());
  };
  EXPECT_EQ(problem_with(&last_block_sums<true, true, true>), "");
  EXPECT_EQ(sum.values()[0], 8);
  expect_caught(problem_with(&last_block_sums<false, true, true>), "race: ");
  expect_caught(problem_with(&last_block_sums<true, false, true>), "race: ");
  expect_caught(problem_with(&last_block_sums<true, true, false>), "race: ");
}

/// Reads in the second phase what all blocks have written in the first.
template <bool called>
__global__ void two_phases(float* y, float* x) {
  if (in_phase(0)) x[blockIdx.x] = 1;
  if (called) next_phase();
  if (WRONG, in_phase(1)) y[blockIdx.x] = x[gridDim.x - 1 - blockIdx.x];
}

__global__ void only_phase(float* x) { x[blockIdx.x] = 1; }

TEST_P(Fault, RemovedNextPhase) {
  DeviceArray<float> x(4);
  DeviceArray<float> y(4);
  const Grid grid{"kernel", {4}, {1}, 0, 2};
  EXPECT_EQ(problem_of(&two_phases<true>, grid, y.data(), x.data()), "");
  expect_caught(problem_of(&two_phases<false>, grid, y.data(), x.data()),
                "phase 1 behind 0 calls of next_phase");
  EXPECT_THAT(problem_of(&only_phase, grid, x.data()), HasSubstr("ended behind 0 calls"));
  EXPECT_THAT(problem_of(&two_phases<true>, {"kernel", {4}, {1}}, y.data(), x.data()),
              HasSubstr("a launch of 1 phase"));
}

TEST_P(Fault, IsForgottenByTheNextLaunch) {
  DeviceArray<float> y(64);
  EXPECT_NE(problem_of(&conditional_barrier<true>, one_block), "");
  EXPECT_EQ(problem_of(&neighbour<false>, one_block, y.data()), "");
}

}  // namespace
}  // namespace simt::test::faults_test
