// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simt/ptx_sm90.hpp"
#include "tests/simt/run.hpp"

namespace simt::test::order_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

static_assert(traced, "these kernels must report their accesses");

/// What a kernel does wrong.
enum class Fault : std::uint8_t {
  none,
  no_wait,
  no_arrival,
  no_warp_barrier,
  no_proxy_fence,
  no_free_stage,
  no_fence_barriers,
  no_block_barrier,
  one_warp_arrives,
};

class Ordering : public FaultyKernels {};
INSTANTIATE_TEST_SUITE_P(EverySchedule, Ordering, testing::ValuesIn(schedules));

constexpr unsigned tile_bytes = 1024;
constexpr unsigned tile_values = tile_bytes / 2;

DeviceArray<std::uint16_t> ones(std::size_t count) {
  return DeviceArray<std::uint16_t>(std::vector<std::uint16_t>(count, 0x3f80));
}

TensorMap tiles_of(DeviceArray<std::uint16_t>& data, std::uint64_t rows) {
  return make_tensor_map(data.data(), Element::bf16, {{64, rows, 1}, {64, 8, 1}});
}

/// One thread loads a tile four times, to one place; two warps add up what they read of it.
template <Fault fault>
__global__ void read_tiles(float* y, const __grid_constant__ TensorMap tensor) {
  SIMT_SHARED(Mbarrier, barriers, [2]);
  Mbarrier& full = barriers[0];
  Mbarrier& free = barriers[1];
  auto* tile = dynamic_shared<std::uint16_t>();
  if (threadIdx.x == 0) {
    init(full, 1);
    init(free, fault == Fault::one_warp_arrives ? 1 : 2);
    if (fault != Fault::no_fence_barriers) fence_barriers();
  }
  if (fault != Fault::no_block_barrier) __syncthreads();
  if (threadIdx.x >= 64) {
    for (unsigned i = 0; i < 4; ++i) {
      if (fault != Fault::no_free_stage) wait(free, i % 2 ^ 1U);
      arrive_expect_tx(full, tile_bytes);
      tma_load(tile, tensor, 0, static_cast<int>(8 * i), 0, full);
    }
    return;
  }
  float sum = 0;
  for (unsigned i = 0; i < 4; ++i) {
    if (fault != Fault::no_wait || i < 3) wait(full, i % 2);
    sum += static_cast<float>(tile[threadIdx.x]);
    if (fault != Fault::no_proxy_fence) fence_async_proxy();
    if (fault != Fault::no_warp_barrier) __syncwarp();
    const bool arrives = fault != Fault::one_warp_arrives || threadIdx.x < 32;
    if (threadIdx.x % 32 == 0 && arrives) arrive(free);
  }
  y[threadIdx.x] = sum;
}

template <Fault fault>
std::string read_tiles_under(const Schedule& schedule) {
  DeviceArray<float> y(64);
  auto data = ones(4 * tile_values);
  return problem(schedule, {"read_tiles", {1}, {65}, tile_bytes}, &read_tiles<fault>, y.data(),
                 tiles_of(data, 32));
}

TEST_P(Ordering, OfLoadsAndThoseWhoReadThem) {
  EXPECT_EQ(read_tiles_under<Fault::none>(GetParam()), "");
  EXPECT_NE(read_tiles_under<Fault::no_wait>(GetParam()), "");
  EXPECT_NE(read_tiles_under<Fault::no_free_stage>(GetParam()), "");
  EXPECT_NE(read_tiles_under<Fault::no_block_barrier>(GetParam()), "");
}

TEST_P(Ordering, OfLoadsAndLanesThatDoNotArriveThemselves) {
  EXPECT_THAT(read_tiles_under<Fault::no_warp_barrier>(GetParam()),
              HasSubstr("race: writes what thread"));
}

TEST_P(Ordering, OfLoadsAndAWarpForWhichNobodyArrives) {
  EXPECT_THAT(read_tiles_under<Fault::one_warp_arrives>(GetParam()), HasSubstr("race: "));
}

TEST_P(Ordering, OfBarriersAndTheLoadsThatArriveThere) {
  EXPECT_THAT(read_tiles_under<Fault::no_fence_barriers>(GetParam()),
              HasSubstr("without fence_barriers"));
}

TEST_P(Ordering, OfReadsAndLoadsThroughTwoProxies) {
  EXPECT_THAT(read_tiles_under<Fault::no_proxy_fence>(GetParam()),
              AllOf(HasSubstr("proxies: writes what thread"), HasSubstr("no fence.proxy.async")));
}

/// A thread hands over a value to the other warp.
template <Fault fault>
__global__ void hand_over(float* y) {
  SIMT_SHARED(Mbarrier, there, [1]);
  SIMT_SHARED(float, value, [1]);
  if (threadIdx.x == 0) init(there[0], fault == Fault::no_arrival ? 1 : 2);
  __syncthreads();
  if (threadIdx.x == 0) {
    if (fault == Fault::no_arrival) arrive(there[0]);
    value[0] = 1;
    if (fault != Fault::no_arrival) arrive(there[0]);
  } else if (threadIdx.x == 1) {
    if (fault != Fault::no_arrival) arrive(there[0]);
  } else if (threadIdx.x == 32) {
    if (fault != Fault::no_wait) wait(there[0], 0);
    y[0] = value[0];
  }
}

TEST_P(Ordering, OfStoresAndLoadsOfThreads) {
  DeviceArray<float> y(1);
  const Grid grid{"hand_over", {1}, {64}};
  EXPECT_EQ(problem_of(&hand_over<Fault::none>, grid, y.data()), "");
  EXPECT_EQ(y.values()[0], 1);
  EXPECT_NE(problem_of(&hand_over<Fault::no_wait>, grid, y.data()), "");
  // Arrives before it stores.
  EXPECT_NE(problem_of(&hand_over<Fault::no_arrival>, grid, y.data()), "");
}

enum class FencedBy : std::uint8_t { nobody, who_stores, who_multiplies };
enum class Again : std::uint8_t { before_the_end, after_own_end, after_all_ends };

/// Threads store both factors of a product, which are zero. Thread 0 stores to them again.
template <FencedBy fenced_by, Again again>
__global__ void multiply_what_threads_stored(float* y) {
  auto* factors = dynamic_shared<std::uint16_t>();
  for (unsigned i = threadIdx.x; i < 64 * 64; i += blockDim.x) factors[i] = 0;
  if (fenced_by == FencedBy::who_stores) fence_async_proxy();
  __syncthreads();
  if (fenced_by == FencedBy::who_multiplies) fence_async_proxy();
  float d[32] = {};
  wgmma_fence(d);
  wgmma<Element::bf16, Major::k>(d, matrix_descriptor(factors), matrix_descriptor(factors), true);
  wgmma_commit_group();
  if (again == Again::before_the_end && threadIdx.x == 0) factors[0] = 0;
  wgmma_wait_group<0>(d);
  if (again == Again::after_all_ends) __syncthreads();
  if (again != Again::before_the_end && threadIdx.x == 0) factors[0] = 0;
  y[threadIdx.x] = d[0];
}

template <FencedBy fenced_by, Again again>
std::string multiply_under(const Schedule& schedule, unsigned threads) {
  DeviceArray<float> y(threads);
  return problem(schedule, {"multiply", {1}, {threads}, 64 * 128},
                 &multiply_what_threads_stored<fenced_by, again>, y.data());
}

TEST_P(Ordering, OfStoresAndProductsThroughTwoProxies) {
  constexpr auto again = Again::after_all_ends;
  EXPECT_THAT((multiply_under<FencedBy::nobody, again>(GetParam(), 128)),
              AllOf(HasSubstr("bytes by a product: proxies: reads what thread"),
                    HasSubstr("order_test.cpp:")));
  EXPECT_EQ((multiply_under<FencedBy::who_stores, again>(GetParam(), 128)), "");
  EXPECT_EQ((multiply_under<FencedBy::who_multiplies, again>(GetParam(), 128)), "");
}

TEST_P(Ordering, OfProductsAndStores) {
  constexpr auto fenced_by = FencedBy::who_stores;
  EXPECT_EQ((multiply_under<fenced_by, Again::after_own_end>(GetParam(), 32)), "");
  EXPECT_THAT((multiply_under<fenced_by, Again::before_the_end>(GetParam(), 32)),
              HasSubstr("race: writes what a product reads"));
  // A warp's products may end after those of another.
  EXPECT_THAT((multiply_under<fenced_by, Again::after_own_end>(GetParam(), 128)),
              HasSubstr("race: "));
}

/// A warpgroup multiplies a tile of ones by itself, four times. Its warps release it, or one of them.
template <Fault fault>
__global__ void multiply_tiles(float* y, const __grid_constant__ TensorMap tensor) {
  SIMT_SHARED(Mbarrier, barriers, [2]);
  Mbarrier& full = barriers[0];
  Mbarrier& free = barriers[1];
  auto* tile = dynamic_shared<unsigned char>();
  if (threadIdx.x == 0) {
    init(full, 1);
    init(free, fault == Fault::one_warp_arrives ? 1 : 4);
    fence_barriers();
  }
  __syncthreads();
  if (threadIdx.x >= 128) {
    for (unsigned i = 0; i < 4; ++i) {
      wait(free, i % 2 ^ 1U);
      arrive_expect_tx(full, 8 * tile_bytes);
      tma_load(tile, tensor, 0, 0, 0, full);
    }
    return;
  }
  const unsigned lane = threadIdx.x % 32;
  float d[32] = {};
  for (unsigned i = 0; i < 4; ++i) {
    // The other lanes come to the product behind it all the same.
    if (fault != Fault::no_wait || lane == 0) wait(full, i % 2);
    wgmma_fence(d);
    wgmma<Element::bf16, Major::k>(d, matrix_descriptor(tile), matrix_descriptor(tile), true);
    wgmma_commit_group();
    wgmma_wait_group<0>(d);
    const bool arrives = fault != Fault::one_warp_arrives || threadIdx.x < 32;
    if (lane == 0 && arrives) arrive(free);
  }
  y[threadIdx.x] = d[0];
}

TEST_P(Ordering, OfLoadsAndProducts) {
  DeviceArray<float> y(128);
  auto data = ones(64 * 64);
  const TensorMap tensor = make_tensor_map(data.data(), Element::bf16, {{64, 64, 1}, {64, 64, 1}});
  const Grid grid{"multiply_tiles", {1}, {129}, 8 * tile_bytes};
  EXPECT_EQ(problem_of(&multiply_tiles<Fault::none>, grid, y.data(), tensor), "");
  EXPECT_EQ(y.values()[0], 64);
  EXPECT_THAT(problem_of(&multiply_tiles<Fault::no_wait>, grid, y.data(), tensor),
              HasSubstr("race: reads what a load by TMA wrote"));
  EXPECT_NE(problem_of(&multiply_tiles<Fault::one_warp_arrives>, grid, y.data(), tensor), "");
}

/// Thread 0 ends some phases, and another warp waits for the first one.
__global__ void look_late(int phases) {
  SIMT_SHARED(Mbarrier, barrier, [1]);
  if (threadIdx.x == 0) init(barrier[0], 1);
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int i = 0; i < phases; ++i) arrive(barrier[0]);
  } else if (threadIdx.x == 32) {
    wait(barrier[0], 0);
  }
}

TEST(OrderingOfPhases, AThreadThatComesTwoPhasesLate) {
  const Grid grid{"look_late", {1}, {64}};
  EXPECT_EQ(problem(schedules[0], grid, &look_late, 1), "");
  EXPECT_THAT(problem(schedules[0], grid, &look_late, 2),
              HasSubstr("after which another has ended"));
}

}  // namespace
}  // namespace simt::test::order_test
