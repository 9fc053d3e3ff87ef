// SPDX-License-Identifier: MIT
#include "simt/ptx_sm90.hpp"

#include <bit>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simt/half.hpp"
#include "simt/launch.hpp"
#include "tests/simt/run.hpp"

namespace simt::test::ptx_sm90_test {
namespace {

using testing::HasSubstr;

/// Small integers without symmetry, exact in every type: a transposed or shifted factor, or a chunk
/// swizzled wrongly, gives another product.
int a_value(unsigned row, unsigned k) { return static_cast<int>((3 * row + 7 * k) % 11) - 5; }
int b_value(unsigned k, unsigned column) { return static_cast<int>((5 * k + 2 * column) % 7) - 3; }

std::uint16_t encode(Element element, int value) {
  const auto number = static_cast<float>(value);
  return element == Element::f16
             ? half_from_float(number)
             : static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(number) >> 16U);
}

constexpr unsigned box_bytes = 64 * 128;
constexpr unsigned depth = 64;

/// What a kernel does wrong.
enum class Fault : std::uint8_t {
  none,
  no_wait_for_loads,
  no_fence,
  no_wgmma_wait_group,
  copy_over_factors,
  different_lanes
};

/// D (64, columns) = A·B by one warpgroup, K = 64. `along_k`: A (64,64) and B as (columns,64);
/// across: A as (64 of K, 64) and B as (64 of K, columns), in boxes of 64 columns.
template <Element element, Major major, unsigned columns, Fault fault = Fault::none>
__global__ void multiply(float* D, const __grid_constant__ TensorMap a,
                         const __grid_constant__ TensorMap b) {
  auto* tiles = dynamic_shared<unsigned char>();
  unsigned char* b_tiles = tiles + box_bytes;
  auto* full = reinterpret_cast<Mbarrier*>(b_tiles + columns / 64 * box_bytes);
  if (threadIdx.x == 0) {
    init(*full, 1);
    fence_barriers();
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    arrive_expect_tx(*full, (1 + columns / 64) * box_bytes);
    tma_load(tiles, a, 0, 0, 0, *full);
    for (unsigned box = 0; box < columns / 64; ++box) {
      const int first = static_cast<int>(64 * box);
      tma_load(b_tiles + box * box_bytes, b, major == Major::k ? 0 : first,
               major == Major::k ? first : 0, 0, *full);
    }
  }
  if (fault != Fault::no_wait_for_loads) wait(*full, 0);
  float d[columns / 2];
  for (float& value : d) value = 100;
  if (fault != Fault::no_fence) wgmma_fence(d);
  for (int k = 0; k < 4; ++k) {
    const int step = major == Major::k ? 32 : 16 * 128;
    const bool other = fault == Fault::different_lanes && threadIdx.x == 5;
    wgmma<element, major>(d, matrix_descriptor(tiles + (other ? 0 : k * step)),
                          matrix_descriptor(b_tiles + k * step, box_bytes), true);
  }
  wgmma_commit_group();
  if (fault == Fault::copy_over_factors && threadIdx.x == 0) {
    arrive_expect_tx(*full, box_bytes);
    tma_load(tiles, a, 0, 0, 0, *full);
  }
  if (fault != Fault::no_wgmma_wait_group) wgmma_wait_group<0>(d);
  const unsigned warp = threadIdx.x / 32;
  const unsigned lane = threadIdx.x % 32;
  for (unsigned v = 0; v < columns / 2; ++v) {
    const unsigned row = 16 * warp + lane / 4 + v / 2 % 2 * 8;
    const unsigned column = v / 4 * 8 + 2 * (lane % 4) + v % 2;
    D[row * columns + column] = d[v];
  }
}

template <Element element, Major major, unsigned columns>
struct Problem {
  std::vector<std::uint16_t> A = std::vector<std::uint16_t>(64 * depth);
  std::vector<std::uint16_t> B = std::vector<std::uint16_t>(columns * depth);

  Problem() {
    for (unsigned k = 0; k < depth; ++k) {
      for (unsigned i = 0; i < 64; ++i) {
        A[major == Major::k ? i * depth + k : k * 64 + i] = encode(element, a_value(i, k));
      }
      for (unsigned j = 0; j < columns; ++j) {
        B[major == Major::k ? j * depth + k : k * columns + j] = encode(element, b_value(k, j));
      }
    }
  }

  template <Fault fault = Fault::none>
  std::vector<float> product(const Schedule& schedule) const {
    DeviceArray<std::uint16_t> a(A);
    DeviceArray<std::uint16_t> b(B);
    DeviceArray<float> D(64 * columns);
    const bool along = major == Major::k;
    const Grid grid{"multiply", {1}, {128}, (1 + columns / 64) * box_bytes + sizeof(Mbarrier)};
    run(schedule, grid, &multiply<element, major, columns, fault>, D.data(),
        make_tensor_map(a.data(), element, {{64, 64, 1}, {64, 64, 1}}),
        make_tensor_map(b.data(), element,
                        {{along ? depth : columns, along ? columns : depth, 1}, {64, 64, 1}}));
    return D.values();
  }

  static void check() {
    const Problem problem;
    for (const Schedule& schedule : schedules) {
      const std::vector<float> D = problem.product(schedule);
      for (unsigned i = 0; i < 64; ++i) {
        for (unsigned j = 0; j < columns; ++j) {
          int sum = 100;
          for (unsigned k = 0; k < depth; ++k) sum += a_value(i, k) * b_value(k, j);
          ASSERT_EQ(D[i * columns + j], static_cast<float>(sum)) << i << ", " << j;
        }
      }
    }
  }
};

TEST(PtxSm90, MultipliesWithKAlongRows) {
  Problem<Element::bf16, Major::k, 64>::check();
  Problem<Element::f16, Major::k, 128>::check();
}

TEST(PtxSm90, MultipliesWithKAcrossRows) {
  Problem<Element::f16, Major::mn, 64>::check();
  Problem<Element::bf16, Major::mn, 128>::check();
}

/// A box that hangs over the tensor's edges, as it lies in shared memory.
__global__ void copy_hanging_over(std::uint16_t* out, const __grid_constant__ TensorMap tensor,
                                  int x, int y) {
  auto* tile = dynamic_shared<unsigned char>();
  auto* full = reinterpret_cast<Mbarrier*>(tile + 1024);
  if (threadIdx.x == 0) {
    init(*full, 1);
    fence_barriers();
    arrive_expect_tx(*full, 1024);
    tma_load(tile, tensor, x, y, 1, *full);
  }
  __syncthreads();
  wait(*full, 0);
  for (unsigned i = threadIdx.x; i < 512; i += 32) {
    out[i] = reinterpret_cast<const std::uint16_t*>(tile)[i];
  }
}

TEST(PtxSm90, ACopyExchangesChunksAndFillsWithZeros) {
  constexpr unsigned width = 72;
  constexpr unsigned height = 5;
  std::vector<std::uint16_t> values(2 * height * width);
  for (unsigned i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint16_t>(i + 1);
  for (const Schedule& schedule : schedules) {
    DeviceArray<std::uint16_t> tensor(values);
    DeviceArray<std::uint16_t> out(512);
    run(schedule, {"copy", {1}, {32}, 1024 + sizeof(Mbarrier)}, &copy_hanging_over, out.data(),
        make_tensor_map(tensor.data(), Element::bf16, {{width, height, 2}, {64, 8, 1}}), 16, -1);
    const auto tile = out.values();
    for (unsigned row = 0; row < 8; ++row) {
      for (unsigned column = 0; column < 64; ++column) {
        const bool inside = row >= 1 && row - 1 < height && column + 16 < width;
        const unsigned at = (height + row - 1) * width + column + 16;
        const unsigned chunk = column / 8 ^ row;
        ASSERT_EQ(tile[row * 64 + chunk * 8 + column % 8], inside ? at + 1 : 0)
            << row << ", " << column;
      }
    }
  }
}

TEST(PtxSm90, ATensorMapIsRefused) {
  DeviceArray<std::uint16_t> data(4096);
  const auto why = [&](const void* at, const TensorBox& shape) -> std::string {
    try {
      (void)make_tensor_map(at, Element::bf16, shape);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_EQ(why(data.data(), {{64, 8, 1}, {64, 8, 1}}), "");
  EXPECT_THAT(why(data.data() + 1, {{64, 8, 1}, {64, 8, 1}}), HasSubstr("aligned"));
  EXPECT_THAT(why(data.data(), {{63, 8, 1}, {64, 8, 1}}), HasSubstr("no multiple of 16 bytes"));
  EXPECT_THAT(why(data.data(), {{64, 8, 1}, {32, 8, 1}}), HasSubstr("128 bytes"));
  EXPECT_THAT(why(data.data(), {{64, 8, 1}, {64, 257, 1}}), HasSubstr("256"));
}

// Found in every build.

template <Fault fault>
std::string what_is_wrong(const Schedule& schedule) {
  try {
    (void)Problem<Element::bf16, Major::k, 64>().product<fault>(schedule);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(PtxSm90Faults, ProductsWithoutAFence) {
  for (const Schedule& schedule : schedules) {
    EXPECT_THAT(what_is_wrong<Fault::no_fence>(schedule), HasSubstr("without wgmma.fence"));
  }
}

TEST(PtxSm90Faults, ProductsThatNobodyWaitedFor) {
  for (const Schedule& schedule : schedules) {
    EXPECT_THAT(what_is_wrong<Fault::no_wgmma_wait_group>(schedule),
                HasSubstr("nobody waited for this product"));
  }
}

TEST(PtxSm90Faults, ACopyOverFactorsInUse) {
  for (const Schedule& schedule : schedules) {
    EXPECT_THAT(what_is_wrong<Fault::copy_over_factors>(schedule),
                HasSubstr("nobody has waited for"));
  }
}

TEST(PtxSm90Faults, LanesWithDifferentFactors) {
  EXPECT_THAT(what_is_wrong<Fault::different_lanes>(schedules[0]), HasSubstr("different factors"));
}

TEST(PtxSm90Faults, FactorsThatHaveNotArrived) {
  EXPECT_THAT(what_is_wrong<Fault::no_wait_for_loads>(schedules[0]),
              HasSubstr(traced ? "an asynchronous copy to it was not waited for"
                               : "nobody waited for this copy"));
}

__global__ void one_waits(int arrivals, bool begin) {
  SIMT_SHARED(Mbarrier, barrier, [1]);
  if (begin) init(barrier[0], 1);
  wait(barrier[0], 1);
  for (int i = 0; i < arrivals; ++i) arrive(barrier[0]);
  wait(barrier[0], 0);
}

TEST(PtxSm90Faults, Barriers) {
  const Grid grid{"one_waits", {1}, {1}};
  EXPECT_EQ(problem(schedules[0], grid, &one_waits, 1, true), "");
  EXPECT_THAT(problem(schedules[0], grid, &one_waits, 0, true), HasSubstr("deadlock"));
  EXPECT_THAT(problem(schedules[0], grid, &one_waits, 0, true), HasSubstr("mbarrier.try_wait"));
  EXPECT_THAT(problem(schedules[0], grid, &one_waits, 0, false), HasSubstr("without init"));
}

__global__ void two_arrive_at_one() {
  SIMT_SHARED(Mbarrier, barrier, [1]);
  init(barrier[0], 1);
  arrive_expect_tx(barrier[0], 1024);
  arrive_expect_tx(barrier[0], 1024);
}

__global__ void copy_and_end(const __grid_constant__ TensorMap tensor, int from_tile) {
  SIMT_SHARED(Mbarrier, barrier, [1]);
  auto* tile = dynamic_shared<unsigned char>();
  init(barrier[0], 1);
  fence_barriers();
  arrive_expect_tx(barrier[0], 1024);
  tma_load(tile + from_tile, tensor, 0, 0, 0, barrier[0]);
}

TEST(PtxSm90Faults, CopiesAndBarriersThatDoNotFit) {
  EXPECT_THAT(problem(schedules[0], {"two_arrive", {1}, {1}}, &two_arrive_at_one),
              HasSubstr("more arrive than the 1"));
  DeviceArray<std::uint16_t> data(std::vector<std::uint16_t>(512));
  const TensorMap tensor = make_tensor_map(data.data(), Element::bf16, {{64, 8, 1}, {64, 8, 1}});
  const Grid grid{"copy_and_end", {1}, {1}, 2048};
  EXPECT_THAT(problem(schedules[0], grid, &copy_and_end, tensor, 0),
              HasSubstr("nobody waited for this copy"));
  EXPECT_THAT(problem(schedules[0], grid, &copy_and_end, tensor, 128),
              HasSubstr("multiple of 1024 bytes"));
  EXPECT_THAT(problem(schedules[0], grid, &copy_and_end, tensor, 1536),
              HasSubstr("past the end of the dynamic shared memory"));
}

}  // namespace
}  // namespace simt::test::ptx_sm90_test
