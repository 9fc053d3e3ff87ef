// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "simt/ptx.hpp"
#include "tests/simt/run.hpp"

namespace simt::test::count_test {
namespace {

static_assert(traced, "these kernels must report their accesses");

class Count : public testing::TestWithParam<Schedule> {
 protected:
  /// What one launch of the kernel does, in an order that must not matter.
  template <class Kernel, class... Arguments>
  LaunchCounts count(Kernel kernel, const Grid& grid, Arguments... arguments) {
    Counter counter;
    Machine::get().set_counter(&counter);
    run(GetParam(), grid, kernel, arguments...);
    Machine::get().set_counter(nullptr);
    EXPECT_EQ(counter.launches().size(), 1U);
    return counter.launches().front();
  }
};
INSTANTIATE_TEST_SUITE_P(EverySchedule, Count, testing::ValuesIn(schedules));

void expect_traffic(const Traffic& actual, const Traffic& expected) {
  EXPECT_EQ(actual.requests, expected.requests);
  EXPECT_EQ(actual.bytes, expected.bytes);
  EXPECT_EQ(actual.sectors, expected.sectors);
}

/// Lane i reads value stride·i.
__global__ void strided_copy(float* y, const float* x, unsigned stride) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = x[stride * i];
}

TEST_P(Count, CoalescedRequestsMoveWhatTheyUse) {
  DeviceArray<float> x(std::vector<float>(128, 1.0F));
  DeviceArray<float> y(128);
  const auto counts = count(&strided_copy, {"copy", {2}, {64}}, y.data(), x.data(), 1U);
  expect_traffic(counts.loads, {4, 512, 16});
  expect_traffic(counts.stores, {4, 512, 16});
  EXPECT_EQ(counts.blocks, 2U);
  EXPECT_EQ(counts.barriers, 0U);
}

TEST_P(Count, StridedRequestsMoveASectorForEachLane) {
  DeviceArray<float> x(std::vector<float>(1024, 1.0F));
  DeviceArray<float> y(64);
  expect_traffic(count(&strided_copy, {"copy", {1}, {64}}, y.data(), x.data(), 16U).loads,
                 {2, 256, 64});
  expect_traffic(count(&strided_copy, {"copy", {1}, {64}}, y.data(), x.data(), 0U).loads,
                 {2, 8, 2});
}

struct alignas(16) Four {
  float values[4];
};

/// Three quarters of the warp take 16 bytes each.
__global__ void packed_copy(Four* y, const Four* x) {
  if (threadIdx.x < 24) store_vector(y + threadIdx.x, load_vector(x + threadIdx.x));
}

TEST_P(Count, VectorsAreOneRequest) {
  DeviceArray<float> x(std::vector<float>(128, 1.0F));
  DeviceArray<float> y(128);
  const auto counts = count(&packed_copy, {"copy", {1}, {32}}, reinterpret_cast<Four*>(y.data()),
                            reinterpret_cast<const Four*>(x.data()));
  expect_traffic(counts.loads, {1, 384, 12});
  expect_traffic(counts.stores, {1, 384, 12});
}

/// Through shared memory, rows of `pitch` words: written along rows, read down columns.
template <unsigned pitch>
__global__ void transpose(float* y) {
  SIMT_SHARED(float, tile, [32][pitch]);
  for (unsigned row = 0; row < 32; ++row) tile[row][threadIdx.x] = 1;
  __syncthreads();
  for (unsigned column = 0; column < 32; ++column)
    y[32 * column + threadIdx.x] = tile[threadIdx.x][column];
}

TEST_P(Count, ColumnsOfUnpaddedTilesMeetInOneBank) {
  DeviceArray<float> y(1024);
  const auto plain = count(&transpose<32>, {"transpose", {1}, {32}}, y.data());
  EXPECT_EQ(plain.shared_requests, 64U);
  EXPECT_EQ(plain.bank_conflicts, 32U * 31U);
  EXPECT_EQ(plain.barriers, 1U);
  expect_traffic(plain.stores, {32, 4096, 128});
  const auto padded = count(&transpose<33>, {"transpose", {1}, {32}}, y.data());
  EXPECT_EQ(padded.shared_requests, 64U);
  EXPECT_EQ(padded.bank_conflicts, 0U);
}

/// 16 bytes a lane, `stride` bytes apart, copied asynchronously and loaded as matrices.
__global__ void matrices(unsigned* y, const unsigned* x, int stride) {
  auto* shared = dynamic_shared<unsigned char>();
  unsigned char* own = shared + static_cast<int>(threadIdx.x) * stride;
  cp_async_16(own, x + 4 * threadIdx.x);
  cp_async_commit_group();
  cp_async_wait_group<0>();
  __syncthreads();
  std::uint32_t registers[4];
  ldmatrix(registers, own);
  y[threadIdx.x] = registers[0];
}

TEST_P(Count, AsynchronousCopiesAndMatricesAreServedByEightLanes) {
  DeviceArray<unsigned> x(std::vector<unsigned>(128, 1));
  DeviceArray<unsigned> y(32);
  const Grid grid{"matrices", {1}, {32}, 32 * 128};
  const auto dense = count(&matrices, grid, y.data(), x.data(), 16);
  expect_traffic(dense.loads, {1, 512, 16});
  EXPECT_EQ(dense.shared_requests, 2U);
  EXPECT_EQ(dense.bank_conflicts, 0U);
  // 128 bytes apart, the eight of each pass begin in the same bank.
  EXPECT_EQ(count(&matrices, grid, y.data(), x.data(), 128).bank_conflicts, 2U * 4U * 7U);
}

__global__ void tally(unsigned* y) { atomicAdd(y, 1U); }

TEST_P(Count, AtomicsLoadAndStore) {
  DeviceArray<unsigned> y(std::vector<unsigned>(1, 0));
  const auto counts = count(&tally, {"tally", {2}, {32}}, y.data());
  expect_traffic(counts.loads, {2, 8, 2});
  expect_traffic(counts.stores, {2, 8, 2});
}

}  // namespace
}  // namespace simt::test::count_test
