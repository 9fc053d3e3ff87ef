// SPDX-License-Identifier: MIT
// The two steps around a library's product, and all three with a product in double in its place.
#include <cmath>
#include <gtest/gtest.h>

#include "kernels/style_backward/style_backward.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::style_backward_product_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::array sizes = {MapSize{1, 1, 1, 1}, MapSize{2, 1, 1, 3}, MapSize{1, 2, 3, 7},
                              MapSize{2, 3, 5, 24}, MapSize{2, 1, 3, 72}};

std::int64_t matrix_count(const MapSize& size) {
  return size.batch * size.channels * size.channels;
}

/// M', and behind it α and β, as double.
template <class T>
GuardedBuffer<double> round(const GuardedBuffer<float>& matrix, const MapSize& size,
                            bool accumulate, std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<float> m(matrix, offset);
    DeviceArray<float> workspace(IMPASTO_DEVICE::product_workspace(size));
    DeviceArray<float> scalars(2);
    const T* rounded = IMPASTO_DEVICE::round_for_product<T>(
        reinterpret_cast<IMPASTO_DEVICE::ProductScalars*>(scalars.data()), m.data(), size,
        accumulate, workspace.data(), nullptr);
    GuardedBuffer<T> values(matrix_count(size));
    test::device::read(values.data(), rounded, values.size() * sizeof(T));
    const GuardedBuffer<double> wide = widened(values);
    GuardedBuffer<double> result(matrix_count(size) + 2);
    std::copy(wide.begin(), wide.end(), result.begin());
    const GuardedBuffer<float> both = scalars.values();
    std::copy(both.begin(), both.end(), result.end() - 2);
    return result;
  });
}

template <class T>
void rounds_once(const MapSize& size, double magnitude) {
  SCOPED_TRACE(testing::Message() << size << ", " << sizeof(T) << " bytes, " << magnitude);
  const auto matrix = test::gaussian<float>(matrix_count(size), 1, 0, magnitude);
  const GuardedBuffer<double> found = round<T>(matrix, size, true, 1);
  const double alpha = found[found.size() - 2];
  int exponent = 0;
  EXPECT_EQ(std::frexp(alpha, &exponent), 0.5) << "no power of two: " << alpha;
  EXPECT_EQ(found[found.size() - 1], 1) << "beta";
  double largest = 0;
  GuardedBuffer<double> expected(matrix_count(size));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = static_cast<double>(matrix[i]) / alpha;
    largest = std::max(largest, std::abs(expected[i]));
  }
  EXPECT_GE(largest, 0x1p14);
  EXPECT_LT(largest, 0x1p15);
  const GuardedBuffer<double> wanted = widened(test::rounded<T>(expected));
  EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), found.begin()));
}

TEST(StyleBackwardProductDevice, RoundsOnceAndScalesByAPowerOfTwo) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : sizes) rounds_once<T>(size, 1);
    for (const double magnitude : {1e-30, 1e-8, 1e20}) rounds_once<T>({2, 1, 1, 7}, magnitude);
  });
  // More than one value for each thread of as many blocks as there are at most.
  rounds_once<float16>({1, 1, 1, 272}, 1);
}

TEST(StyleBackwardProductDevice, RoundsNothingButZerosToZeros) {
  test::for_each_storage_type([]<class T>() {
    const MapSize size{2, 3, 5, 24};
    const GuardedBuffer<double> found =
        round<T>(test::zeros<float>(matrix_count(size)), size, false, 0);
    for (std::size_t i = 0; i + 2 < found.size(); ++i) EXPECT_EQ(found[i], 0);
    EXPECT_TRUE(std::isnormal(found[found.size() - 2])) << "alpha";
    EXPECT_EQ(found[found.size() - 1], 0) << "beta";
  });
}

TEST(StyleBackwardProductDevice, MasksWhereTheFeatureIsZero) {
  test::for_each_storage_type([]<class T>() {
    for (const std::int64_t count : {1, 2, 7, 8, 31, 1009, 4096}) {
      for (const std::int64_t offset : {0, 1}) {
        SCOPED_TRACE(testing::Message() << count << " values, offset " << offset);
        const auto features = test::features<T>(count, 1);
        GuardedBuffer<T> held = test::gaussian<T>(count, 2);
        held[0] = static_cast<T>(NAN);
        GuardedBuffer<T> expected = held;
        for (std::size_t i = 0; i < expected.size(); ++i) {
          if (static_cast<float>(features[i]) == 0) expected[i] = T{};
        }
        EXPECT_TRUE(test::same_bits(test::under_every_schedule([&] {
                                      DeviceArray<T> grad(held, offset);
                                      DeviceArray<T> map(features, offset);
                                      IMPASTO_DEVICE::relu_mask(grad.data(), map.data(), count,
                                                                nullptr);
                                      return grad.values();
                                    }),
                                    expected));
      }
    }
  });
}

/// grad = α·F·M' + β·grad as a library has it, the result rounded to T.
template <class T>
GuardedBuffer<T> product(const GuardedBuffer<T>& held, const GuardedBuffer<T>& features,
                         const GuardedBuffer<double>& rounded, const MapSize& size) {
  const double alpha = rounded[rounded.size() - 2];
  const double beta = rounded[rounded.size() - 1];
  const auto C = static_cast<std::size_t>(size.channels);
  const auto pixels = static_cast<std::size_t>(size.pixels());
  GuardedBuffer<double> grad(size.count());
  for (std::size_t p = 0; p < pixels * static_cast<std::size_t>(size.batch); ++p) {
    for (std::size_t j = 0; j < C; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < C; ++i) {
        sum += static_cast<double>(static_cast<float>(features[p * C + i])) *
               rounded[(p / pixels * C + i) * C + j];
      }
      const double before = static_cast<float>(held[p * C + j]);
      grad[p * C + j] = alpha * sum + (beta == 0 ? 0 : beta * before);
    }
  }
  return test::rounded<T>(grad);
}

/// About four times what was observed: 6.0e-8 and 6.0e-7 of float, which the library's sums in
/// float come on top of; 3.1e-3 and 2.7e-2 in bfloat16, 3.8e-4 and 3.2e-3 in float16, M's rounding.
template <class T>
constexpr test::ErrorLimit limit() {
  return std::is_same_v<T, float>      ? test::ErrorLimit{3e-7, 3e-6}
         : std::is_same_v<T, bfloat16> ? test::ErrorLimit{1.2e-2, 1.2e-1}
                                       : test::ErrorLimit{1.6e-3, 1.6e-2};
}

/// The three steps against the reference.
template <class T>
void matches_the_reference(const GuardedBuffer<T>& features, const GuardedBuffer<float>& matrix,
                           const MapSize& size, const GradientEpilogue& epilogue) {
  SCOPED_TRACE(testing::Message() << size << ", " << sizeof(T) << " bytes, " << epilogue);
  const auto held = test::gaussian<T>(size.count(), 2);
  DeviceArray<T> grad(
      product(held, features, round<T>(matrix, size, epilogue.accumulate, 0), size));
  DeviceArray<T> map(features);
  if (epilogue.relu_mask) {
    IMPASTO_DEVICE::relu_mask(grad.data(), map.data(), size.count(), nullptr);
  }
  GuardedBuffer<double> expected = widened(held);
  reference::style_backward(expected.data(), widened(features).data(), widened(matrix).data(), size,
                            epilogue);
  EXPECT_TRUE(test::is_close(grad.values(), test::rounded<T>(expected), limit<T>()));
}

TEST(StyleBackwardProductDevice, MatchesTheReferenceAroundAProduct) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : sizes) {
      for (const GradientEpilogue& epilogue : test::epilogues) {
        if (size.channels > 24 && !(epilogue.accumulate && epilogue.relu_mask)) continue;
        matches_the_reference(test::features<T>(size.count(), 1),
                              test::gaussian<float>(matrix_count(size), 3), size, epilogue);
      }
    }
  });
}

// Coefficients of 1e-8 are zero in float16; the gradient, with features in the thousands, is not.
TEST(StyleBackwardProductDevice, KeepsCoefficientsThatFloat16DoesNot) {
  const MapSize size{1, 3, 5, 128};
  auto features = test::features<float16>(size.count(), 1);
  for (float16& value : features) value = static_cast<float16>(4096 * static_cast<float>(value));
  matches_the_reference(features, test::gaussian<float>(matrix_count(size), 3, 0, 1e-8), size, {});
}

}  // namespace
}  // namespace impasto::kernels::style_backward_product_device_test
