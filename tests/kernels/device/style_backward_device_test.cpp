// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/style_backward/style_backward.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::style_backward_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// Several tiles of channels, with and without a tail; M in shared memory whole and by slices.
constexpr std::array wide_sizes = {MapSize{1, 3, 11, 72}, MapSize{1, 13, 11, 128},
                                   MapSize{2, 3, 7, 200}, MapSize{1, 3, 5, 256},
                                   MapSize{1, 3, 3, 512}};

constexpr std::array arithmetics = {Arithmetic::fp32, Arithmetic::tensor_cores};

/// A symmetric matrix for each image.
GuardedBuffer<float> symmetric(GuardedBuffer<float> matrix, const MapSize& size) {
  const std::int64_t C = size.channels;
  for (std::int64_t n = 0; n < size.batch; ++n) {
    float* image = matrix.data() + n * C * C;
    for (std::int64_t i = 0; i < C; ++i) {
      for (std::int64_t j = 0; j < i; ++j) image[i * C + j] = image[j * C + i];
    }
  }
  return matrix;
}

template <class T>
struct Inputs {
  GuardedBuffer<T> features;
  GuardedBuffer<T> held;  ///< by the gradient, before
  GuardedBuffer<float> matrix;
};

template <class T>
Inputs<T> random_inputs(const MapSize& size, double magnitude = 1) {
  const std::int64_t count = size.batch * size.channels * size.channels;
  return {test::features<T>(size.count(), 1), test::gaussian<T>(size.count(), 2),
          symmetric(test::gaussian<float>(count, 3, 0, magnitude), size)};
}

/// Calls launch(grad, features, matrix, workspace), with the matrix in M. `offset` 0 lets the kernel use vectors, 1 does
/// not; nor do channels that fill no vector.
template <class M = float, class T, class Launch>
GuardedBuffer<T> launch_on(const Inputs<T>& inputs, const MapSize& size,
                           const GradientEpilogue& epilogue, std::int64_t offset, Launch launch) {
  return test::under_every_schedule([&] {
    DeviceArray<T> features(inputs.features, offset);
    DeviceArray<T> grad = epilogue.accumulate ? DeviceArray<T>(inputs.held, offset)
                                              : DeviceArray<T>(size.count(), offset);
    DeviceArray<M> matrix(test::rounded<M>(widened(inputs.matrix)), offset);
    DeviceArray<float> workspace(IMPASTO_DEVICE::style_backward_workspace(size));
    launch(grad.data(), features.data(), matrix.data(), workspace.data());
    return grad.values();
  });
}

template <class T>
GuardedBuffer<T> run(const Inputs<T>& inputs, const MapSize& size, const GradientEpilogue& epilogue,
                     Arithmetic arithmetic, std::int64_t offset) {
  return launch_on(inputs, size, epilogue, offset,
                   [&](T* grad, const T* features, const StyleMatrix& matrix, float* workspace) {
                     IMPASTO_DEVICE::style_backward(grad, features, matrix, size, epilogue,
                                                    arithmetic, workspace, nullptr);
                   });
}

template <class T>
GuardedBuffer<T> expected(const Inputs<T>& inputs, const MapSize& size,
                          const GradientEpilogue& epilogue) {
  GuardedBuffer<double> grad = widened(inputs.held);
  reference::style_backward(grad.data(), widened(inputs.features).data(),
                            widened(inputs.matrix).data(), size, epilogue);
  return test::rounded<T>(grad);
}

/// About four times what was observed. fp32: 3.0e-7 and 3.1e-6 in float; of 16 bits a few differ
/// from the rounded reference by one unit, 3.6e-5 and 3.8e-3. Tensor cores: 3.1e-4 and 3.4e-3 in
/// tf32, 3.1e-3 and 5.0e-2 in bfloat16, 4.5e-4 and 6.3e-3 in float16, mostly M's rounding.
template <class T>
constexpr test::ErrorLimit limit(Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::fp32) {
    return sizeof(T) == 4 ? test::ErrorLimit{1e-6, 1.2e-5} : test::ErrorLimit{1.5e-4, 1.5e-2};
  }
  return std::is_same_v<T, float>      ? test::ErrorLimit{1e-3, 1.4e-2}
         : std::is_same_v<T, bfloat16> ? test::ErrorLimit{1e-2, 2e-1}
                                       : test::ErrorLimit{1.8e-3, 2.5e-2};
}

template <class T>
void matches_the_reference(const MapSize& size, const GradientEpilogue& epilogue,
                           std::int64_t offset, double magnitude = 1) {
  const Inputs<T> inputs = random_inputs<T>(size, magnitude);
  for (const Arithmetic arithmetic : arithmetics) {
    SCOPED_TRACE(testing::Message()
                 << size << (arithmetic == Arithmetic::fp32 ? ", fp32, " : ", mma, ") << sizeof(T)
                 << " bytes, offset " << offset << ", " << epilogue);
    EXPECT_TRUE(test::is_close(run(inputs, size, epilogue, arithmetic, offset),
                               expected(inputs, size, epilogue), limit<T>(arithmetic)));
  }
}

TEST(StyleBackwardDevice, MatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : test::map_sizes) {
      matches_the_reference<T>(size, {true, true}, 0);
      if (size.channels % 8 == 0 && size.count() < 20000)
        matches_the_reference<T>(size, {true, true}, 1);
    }
  });
}

TEST(StyleBackwardDevice, MatchesTheReferenceInSeveralTiles) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : wide_sizes) {
      // The largest in one type only: it takes as long as all the others.
      if (size.channels == 512 && !std::is_same_v<T, bfloat16>) continue;
      matches_the_reference<T>(size, {true, true}, 0);
    }
  });
}

TEST(StyleBackwardDevice, JoinsTheGradientAsTheEpilogueSays) {
  test::for_each_storage_type([]<class T>() {
    for (const GradientEpilogue& epilogue : test::epilogues) {
      for (const MapSize& size : {MapSize{2, 3, 5, 16}, MapSize{2, 3, 5, 7}}) {
        matches_the_reference<T>(size, epilogue, 0);
      }
    }
  });
}

// Coefficients of 1e-8 are zero in float16; the gradient, with features in the thousands, is not.
TEST(StyleBackwardDevice, KeepsCoefficientsThatFloat16DoesNot) {
  const MapSize size{1, 3, 5, 256};
  Inputs<float16> inputs = random_inputs<float16>(size, 1e-8);
  for (float16& value : inputs.features)
    value = static_cast<float16>(4096 * static_cast<float>(value));
  EXPECT_TRUE(test::is_close(run(inputs, size, {}, Arithmetic::tensor_cores, 0),
                             expected(inputs, size, {}), limit<float16>(Arithmetic::tensor_cores)));
}

// Sums of at most C + 1 = 137, which bfloat16 holds.
TEST(StyleBackwardDevice, IsExactOnIntegers) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : {MapSize{2, 5, 7, 7}, MapSize{2, 5, 7, 24}, MapSize{1, 3, 5, 136}}) {
      SCOPED_TRACE(size);
      const std::int64_t count = size.batch * size.channels * size.channels;
      const Inputs<T> inputs{test::integers<T>(size.count(), 4, 0, 1),
                             test::integers<T>(size.count(), 5, -1, 1),
                             symmetric(test::integers<float>(count, 6, -1, 1), size)};
      for (const Arithmetic arithmetic : arithmetics) {
        EXPECT_TRUE(test::is_equal(run(inputs, size, {true, true}, arithmetic, 0),
                                   expected(inputs, size, {true, true})));
      }
    }
  });
}

class StyleBackwardLadder : public testing::TestWithParam<IMPASTO_DEVICE::StyleBackwardRung> {};
INSTANTIATE_TEST_SUITE_P(Every, StyleBackwardLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::style_backward_ladder()),
                         test::rung_name<IMPASTO_DEVICE::StyleBackwardRung>);

template <class T>
void rung_matches(const IMPASTO_DEVICE::StyleBackwardRung& rung, const MapSize& size,
                  const GradientEpilogue& epilogue, std::int64_t offset) {
  SCOPED_TRACE(testing::Message() << size << ", " << sizeof(T) << " bytes");
  const Inputs<T> inputs = random_inputs<T>(size);
  const auto grad = launch_on(
      inputs, size, epilogue, offset,
      [&](T* to, const T* features, const StyleMatrix& matrix, float* workspace) {
        rung.launch.template get<T>()(to, features, matrix, size, epilogue, workspace, nullptr);
      });
  EXPECT_TRUE(test::is_close(grad, expected(inputs, size, epilogue), limit<T>(rung.arithmetic)));
}

TEST_P(StyleBackwardLadder, MatchesTheReference) {
  const auto& rung = GetParam();
  test::for_each_storage_type_of(rung, [&]<class T>() {
    rung_matches<T>(rung, {2, 3, 5, 7}, {true, false}, 1);
    rung_matches<T>(rung, {1, 6, 5, 40}, {true, true}, 0);
  });
}

/// Aligned and not; with channels that fill no pack, one tile and several.
TEST_P(StyleBackwardLadder, TakesTheMatrixInBfloat16) {
  const auto& rung = GetParam();
  const GradientEpilogue epilogue{true, true};
  for (const auto& [map, offset] :
       {std::pair(MapSize{2, 3, 5, 7}, 1), std::pair(MapSize{1, 6, 5, 40}, 0),
        std::pair(MapSize{1, 6, 5, 40}, 1), std::pair(MapSize{2, 2, 9, 192}, 0)}) {
    const MapSize size = map;
    SCOPED_TRACE(testing::Message() << size << ", offset " << offset);
    Inputs<bfloat16> inputs = random_inputs<bfloat16>(size);
    for (float& value : inputs.matrix) value = static_cast<float>(bfloat16(value));
    const auto launch = [&](bfloat16* to, const bfloat16* features, const StyleMatrix& matrix,
                            float* workspace) {
      rung.launch.get<bfloat16>()(to, features, matrix, size, epilogue, workspace, nullptr);
    };
    const auto wide = launch_on(inputs, size, epilogue, offset, launch);
    const auto narrow = launch_on<bfloat16>(inputs, size, epilogue, offset, launch);
    EXPECT_TRUE(test::is_equal(narrow, widened(wide)));
  }
}

/// Then nothing is rounded before the product.
TEST(StyleBackwardDevice, NeedsNoWorkspaceForAMatrixInBfloat16) {
  const auto floats = [](Arithmetic arithmetic, bool narrow) {
    return IMPASTO_DEVICE::style_backward_workspace<bfloat16>({1, 8, 8, 64}, arithmetic, narrow);
  };
  EXPECT_EQ(floats(Arithmetic::tensor_cores, true), 0);
  EXPECT_GT(floats(Arithmetic::tensor_cores, false), 0);
}

class StyleBackwardPersistentRungs : public StyleBackwardLadder {};
INSTANTIATE_TEST_SUITE_P(
    Every, StyleBackwardPersistentRungs,
    testing::ValuesIn(test::persistent_rungs(IMPASTO_DEVICE::style_backward_ladder())),
    test::rung_name<IMPASTO_DEVICE::StyleBackwardRung>);

/// Two tiles of pixels; M in shared memory whole, with a slice that is half full, and by slices, in
/// two tiles of channels of which the second is half full.
TEST_P(StyleBackwardPersistentRungs, MatchTheReferenceInTiles) {
  const auto& rung = GetParam();
  test::for_each_storage_type_of(rung, [&]<class T>() {
    if (sizeof(T) == 4) return;
    rung_matches<T>(rung, {1, 12, 12, 64}, {true, true}, 0);
    rung_matches<T>(rung, {1, 2, 15, 96}, {false, true}, 0);
    rung_matches<T>(rung, {2, 2, 9, 192}, {true, false}, 0);
  });
}

/// Nine tiles for two blocks, which use each stage again.
TEST_P(StyleBackwardPersistentRungs, TakeSeveralTilesABlock) {
  test::device::choose_blocks(2);
  rung_matches<bfloat16>(GetParam(), {1, 1, 9 * 128, 32}, {true, true}, 0);
  test::device::choose_blocks(0);
}

}  // namespace
}  // namespace impasto::kernels::style_backward_device_test
