// SPDX-License-Identifier: MIT
#include "simt/ptx.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <vector>

#include "simt/half.hpp"
#include "tests/simt/run.hpp"

namespace simt::test::ptx_test {
namespace {

std::uint16_t bfloat_from_small_integer(int value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16U);
}

/// Small integers without symmetry: a transposed or shifted fragment gives another product.
int a_value(unsigned row, unsigned k) { return static_cast<int>((3 * row + 7 * k) % 11) - 5; }
int b_value(unsigned k, unsigned column) { return static_cast<int>((5 * k + 2 * column) % 7) - 3; }

template <unsigned K>
void expect_product(const std::vector<float>& D) {
  for (unsigned row = 0; row < 16; ++row) {
    for (unsigned column = 0; column < 8; ++column) {
      int sum = 100;
      for (unsigned k = 0; k < K; ++k) sum += a_value(row, k) * b_value(k, column);
      EXPECT_EQ(D[row * 8 + column], static_cast<float>(sum)) << row << ", " << column;
    }
  }
}

__device__ void store_result(float* D, const float (&d)[4]) {
  const unsigned group = threadIdx.x / 4;
  const unsigned pair = 2 * (threadIdx.x % 4);
  D[group * 8 + pair] = d[0];
  D[group * 8 + pair + 1] = d[1];
  D[(group + 8) * 8 + pair] = d[2];
  D[(group + 8) * 8 + pair + 1] = d[3];
}

/// A (16,16) and B (16,8) come from shared memory by ldmatrix, B transposed.
template <bool bf16>
__global__ void multiply_16_bit(float* D, const std::uint16_t* A, const std::uint16_t* B) {
  SIMT_SHARED(uint4, a_tile, [16][2]);
  SIMT_SHARED(uint4, b_tile, [16][1]);
  const unsigned lane = threadIdx.x;
  a_tile[lane / 2][lane % 2] = reinterpret_cast<const uint4*>(A)[lane];
  if (lane < 16) b_tile[lane][0] = reinterpret_cast<const uint4*>(B)[lane];
  __syncthreads();
  std::uint32_t a[4];
  std::uint32_t b_both[4];
  ldmatrix(a, &a_tile[lane % 16][lane / 16]);
  ldmatrix_trans(b_both, &b_tile[lane % 16][0]);
  const std::uint32_t b[2] = {b_both[0], b_both[1]};
  float d[4] = {100, 100, 100, 100};
  if constexpr (bf16) {
    mma_m16n8k16_bf16(d, a, b);
  } else {
    mma_m16n8k16_f16(d, a, b);
  }
  store_result(D, d);
}

template <bool bf16>
void check_16_bit() {
  std::vector<std::uint16_t> A(16 * 16);
  std::vector<std::uint16_t> B(16 * 8);
  const auto encode = [](int value) {
    return bf16 ? bfloat_from_small_integer(value) : half_from_float(static_cast<float>(value));
  };
  for (unsigned i = 0; i < A.size(); ++i) A[i] = encode(a_value(i / 16, i % 16));
  for (unsigned i = 0; i < B.size(); ++i) B[i] = encode(b_value(i / 8, i % 8));
  for (const Schedule& schedule : schedules) {
    DeviceArray<std::uint16_t> a(A);
    DeviceArray<std::uint16_t> b(B);
    DeviceArray<float> D(128);
    run(schedule, {"multiply", {1}, {32}}, &multiply_16_bit<bf16>, D.data(), a.data(), b.data());
    expect_product<16>(D.values());
  }
}

TEST(Mma, Bfloat16MultipliesMatricesLoadedByLdmatrix) { check_16_bit<true>(); }
TEST(Mma, Float16MultipliesMatricesLoadedByLdmatrix) { check_16_bit<false>(); }

__global__ void multiply_tf32(float* D, const float* A, const float* B) {
  const unsigned group = threadIdx.x / 4;
  const unsigned t = threadIdx.x % 4;
  const auto at = [](const float* matrix, unsigned row, unsigned columns, unsigned column) {
    return to_tf32(matrix[row * columns + column]);
  };
  const std::uint32_t a[4] = {at(A, group, 8, t), at(A, group + 8, 8, t), at(A, group, 8, t + 4),
                              at(A, group + 8, 8, t + 4)};
  const std::uint32_t b[2] = {at(B, t, 8, group), at(B, t + 4, 8, group)};
  float d[4] = {100, 100, 100, 100};
  mma_m16n8k8_tf32(d, a, b);
  store_result(D, d);
}

TEST(Mma, Tf32MultipliesMatrices) {
  std::vector<float> A(16 * 8);
  std::vector<float> B(8 * 8);
  for (unsigned i = 0; i < A.size(); ++i) A[i] = static_cast<float>(a_value(i / 8, i % 8));
  for (unsigned i = 0; i < B.size(); ++i) B[i] = static_cast<float>(b_value(i / 8, i % 8));
  DeviceArray<float> a(A);
  DeviceArray<float> b(B);
  DeviceArray<float> D(128);
  run(schedules[0], {"multiply", {1}, {32}}, &multiply_tf32, D.data(), a.data(), b.data());
  expect_product<8>(D.values());
}

TEST(Mma, Tf32KeepsTenBitsOfFractionAndRoundsHalvesAwayFromZero) {
  const auto rounded = [](float value) { return std::bit_cast<float>(to_tf32(value)); };
  EXPECT_EQ(rounded(1.0F + 0x1p-10F), 1.0F + 0x1p-10F);
  EXPECT_EQ(rounded(1.0F + 0x1p-11F), 1.0F + 0x1p-10F);
  EXPECT_EQ(rounded(-1.0F - 0x1p-11F), -1.0F - 0x1p-10F);
  EXPECT_EQ(rounded(1.0F + 0x1p-12F), 1.0F);
}

/// Two stages: the copy of the next 16 bytes is under way while these are used.
__global__ void copy_in_stages(float* y, const float* x, int count) {
  SIMT_SHARED(float4, stages, [2][32]);
  const unsigned lane = threadIdx.x;
  const auto load = [&](int i) {
    const int bytes = i < count - 1 ? 16 : 8;  // the last one ends in the middle
    cp_async_16(&stages[i % 2][lane], x + 4 * (i * 32 + static_cast<int>(lane)), bytes);
    cp_async_commit_group();
  };
  load(0);
  for (int i = 0; i < count; ++i) {
    if (i + 1 < count) load(i + 1);
    i + 1 < count ? cp_async_wait_group<1>() : cp_async_wait_group<0>();
    const float4 v = stages[i % 2][lane];
    y[i * 32 + static_cast<int>(lane)] = v.x + v.y + v.z + v.w;
  }
}

TEST(CopyAsync, CompletesWhatWasWaitedForAndFillsTheRestWithZeros) {
  std::vector<float> x(4 * 32 * 3);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  DeviceArray<float> from(x);
  DeviceArray<float> to(32 * 3);
  run(schedules[1], {"copy_in_stages", {1}, {32}}, &copy_in_stages, to.data(), from.data(), 3);
  const std::vector<float> y = to.values();
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float* v = &x[4 * i];
    EXPECT_EQ(y[i], i < 64 ? v[0] + v[1] + v[2] + v[3] : v[0] + v[1]);
  }
}

TEST(TensorCoreSum, RoundsOnceToNearestUnlessToldOtherwise) {
  const std::vector<double> products(16, 0x1p-25);
  EXPECT_EQ(TensorCoreSum{}.add(1, products), 1 + 0x1p-21F);
}

TEST(TensorCoreSum, CutsOffWhatIsFarBelowTheLargestSummand) {
  const auto eight_times = [](double product) { return std::vector<double>(8, product); };
  EXPECT_EQ(TensorCoreSum::ampere().add(1, eight_times(0x1p-24)), 1 + 0x1p-21F);
  EXPECT_EQ(TensorCoreSum::ampere().add(1, eight_times(0x1p-25)), 1);
  EXPECT_EQ(TensorCoreSum::ampere().add(-1, eight_times(-0x1p-25)), -1);
  EXPECT_EQ(TensorCoreSum::hopper().add(1, eight_times(0x1p-25)), 1 + 0x1p-22F);
  EXPECT_EQ(TensorCoreSum::hopper().add(1, eight_times(0x1p-26)), 1);
}

TEST(TensorCoreSum, CutsOffTheResultToo) {
  const std::vector<double> products(3, 0x1p-24);
  EXPECT_EQ(TensorCoreSum{}.add(1, products), 1 + 0x1p-22F);
  EXPECT_EQ(TensorCoreSum::ampere().add(1, products), 1 + 0x1p-23F);
}

TEST(TensorCoreSum, AddsAsManyProductsAtOnceAsItIsTold) {
  std::vector<double> products(16, 0x1p-25);
  products[15] = 1;
  EXPECT_EQ(TensorCoreSum::ampere().add(0, products), 1 + 0x1p-22F)
      << "the first eight do not see the last one";
  EXPECT_EQ(TensorCoreSum::hopper().add(0, products), 1 + 3 * 0x1p-23F)
      << "all are multiples of 2⁻²⁵; then three of them are below a float's last bit";
}

TEST(TensorCoreSum, KeepsInfinitiesAndZeros) {
  EXPECT_EQ(TensorCoreSum::ampere().add(0, std::vector<double>(8, 0.0)), 0);
  EXPECT_EQ(TensorCoreSum::ampere().add(HUGE_VALF, std::vector<double>(8, 1.0)), HUGE_VALF);
}

}  // namespace
}  // namespace simt::test::ptx_test
