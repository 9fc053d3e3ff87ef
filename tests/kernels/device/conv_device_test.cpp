// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <gtest/gtest.h>

#include "kernels/conv/conv.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/rotated_filters.hpp"

namespace impasto::kernels::conv_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// A pixel; several images, and two groups of 64 channels on either side.
constexpr std::array sizes = {ConvSize{1, 1, 1, 64, 64}, ConvSize{2, 2, 3, 64, 128}};
/// Channels that fill no pack.
constexpr ConvSize narrow{2, 3, 4, 7, 5};
/// A tile of 16×16 pixels and a bit more each way.
constexpr ConvSize tiles{1, 17, 19, 64, 64};

std::int64_t pixels(const ConvSize& size) { return size.batch * size.height * size.width; }
std::int64_t x_count(const ConvSize& size) { return pixels(size) * size.in_channels; }
std::int64_t y_count(const ConvSize& size) { return pixels(size) * size.out_channels; }

template <class T>
struct Inputs {
  explicit Inputs(const ConvSize& size)
      : x(test::features<T>(x_count(size), 1)),
        grad_y(test::gaussian<T>(y_count(size), 2)),
        held(test::gaussian<T>(x_count(size), 3)),
        weight(test::gaussian<T>(9 * size.in_channels * size.out_channels, 4, 0,
                                 std::sqrt(2.0 / (9.0 * static_cast<double>(size.in_channels))))),
        bias(test::gaussian<float>(size.out_channels, 5)) {}

  GuardedBuffer<T> x;
  GuardedBuffer<T> grad_y;
  GuardedBuffer<T> held;  ///< by the gradient, before
  GuardedBuffer<T> weight;
  GuardedBuffer<float> bias;
};

/// `offset` 0 lets a kernel use packs, 1 does not.
template <class T>
GuardedBuffer<T> forward(IMPASTO_DEVICE::ConvForwardLauncher<T> launch, const Inputs<T>& inputs,
                         const ConvSize& size, bool relu, std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<T> x(inputs.x, offset);
    DeviceArray<T> weight(inputs.weight, offset);
    DeviceArray<float> bias(inputs.bias, offset);
    DeviceArray<T> y(y_count(size), offset);
    launch(y.data(), x.data(), weight.data(), bias.data(), size, relu, nullptr);
    return y.values();
  });
}

template <class T>
GuardedBuffer<T> expected_forward(const Inputs<T>& inputs, const ConvSize& size, bool relu) {
  GuardedBuffer<double> y(y_count(size));
  reference::conv_forward(y.data(), widened(inputs.x).data(), widened(inputs.weight).data(),
                          widened(inputs.bias).data(), size, relu);
  return test::rounded<T>(y);
}

template <class T>
GuardedBuffer<T> data_gradient(IMPASTO_DEVICE::ConvDataGradientLauncher<T> launch,
                               const Inputs<T>& inputs, const ConvSize& size,
                               const GradientEpilogue& epilogue, std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<T> x(inputs.x, offset);
    DeviceArray<T> grad_y(inputs.grad_y, offset);
    DeviceArray<T> rotated(test::rotated_filters(inputs.weight, size), offset);
    DeviceArray<T> written(inputs.held, offset);
    DeviceArray<T> unwritten(x_count(size), offset);
    DeviceArray<T>& grad_x = epilogue.accumulate ? written : unwritten;
    launch(grad_x.data(), grad_y.data(), rotated.data(), epilogue.relu_mask ? x.data() : nullptr,
           size, epilogue, nullptr);
    return grad_x.values();
  });
}

template <class T>
GuardedBuffer<T> expected_data_gradient(const Inputs<T>& inputs, const ConvSize& size,
                                        const GradientEpilogue& epilogue) {
  GuardedBuffer<double> grad_x = widened(inputs.held);
  reference::conv_data_gradient(grad_x.data(), widened(inputs.grad_y).data(),
                                widened(inputs.weight).data(), widened(inputs.x).data(), size,
                                epilogue);
  return test::rounded<T>(grad_x);
}

/// About four times what was observed in float. 16-bit results differ where a sum falls on the other
/// side of a tie.
template <class T>
constexpr test::ErrorLimit limit = sizeof(T) == 4 ? test::ErrorLimit{1.7e-6, 7e-6}
                                                  : test::elementwise<T>;

template <class T>
void forward_matches(IMPASTO_DEVICE::ConvForwardLauncher<T> launch, const ConvSize& size, bool relu,
                     std::int64_t offset = 0) {
  SCOPED_TRACE(testing::Message() << size << ", " << sizeof(T) << " bytes, offset " << offset);
  const Inputs<T> inputs(size);
  EXPECT_TRUE(test::is_close(forward<T>(launch, inputs, size, relu, offset),
                             expected_forward<T>(inputs, size, relu), limit<T>));
}

template <class T>
void data_gradient_matches(IMPASTO_DEVICE::ConvDataGradientLauncher<T> launch, const ConvSize& size,
                           const GradientEpilogue& epilogue, std::int64_t offset = 0) {
  SCOPED_TRACE(testing::Message() << size << ", " << epilogue << ", " << sizeof(T)
                                  << " bytes, offset " << offset);
  const Inputs<T> inputs(size);
  EXPECT_TRUE(test::is_close(data_gradient<T>(launch, inputs, size, epilogue, offset),
                             expected_data_gradient<T>(inputs, size, epilogue), limit<T>));
}

class ConvForwardLadder : public testing::TestWithParam<IMPASTO_DEVICE::ConvForwardRung> {};
INSTANTIATE_TEST_SUITE_P(Every, ConvForwardLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::conv_forward_ladder()),
                         test::rung_name<IMPASTO_DEVICE::ConvForwardRung>);

TEST_P(ConvForwardLadder, MatchesTheReference) {
  test::for_each_storage_type_of(GetParam(), [&]<class T>() {
    const auto launch = GetParam().launch.template get<T>();
    for (const ConvSize& size : sizes) forward_matches<T>(launch, size, true);
    forward_matches<T>(launch, sizes[0], false, 1);
    forward_matches<T>(launch, narrow, false);
    if (GetParam().arithmetic == Arithmetic::tensor_cores) {
      forward_matches<T>(launch, tiles, false);
    }
  });
}

class ConvDataGradientLadder : public testing::TestWithParam<IMPASTO_DEVICE::ConvDataGradientRung> {
};
INSTANTIATE_TEST_SUITE_P(Every, ConvDataGradientLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::conv_data_gradient_ladder()),
                         test::rung_name<IMPASTO_DEVICE::ConvDataGradientRung>);

TEST_P(ConvDataGradientLadder, MatchesTheReference) {
  test::for_each_storage_type_of(GetParam(), [&]<class T>() {
    const auto launch = GetParam().launch.template get<T>();
    for (const GradientEpilogue& epilogue : test::epilogues) {
      data_gradient_matches<T>(launch, narrow, epilogue);
      if (!std::is_same_v<T, float16>) data_gradient_matches<T>(launch, sizes[1], epilogue);
    }
    data_gradient_matches<T>(launch, sizes[0], {true, true}, 1);
    if (GetParam().arithmetic == Arithmetic::tensor_cores) {
      data_gradient_matches<T>(launch, tiles, {true, true});
    }
  });
}

// Sums of 576 products of at most 2 are exact in float; both are rounded once.
TEST_P(ConvForwardLadder, IsExactOnIntegers) {
  const ConvSize& size = sizes[1];
  test::for_each_storage_type_of(GetParam(), [&]<class T>() {
    Inputs<T> inputs(size);
    inputs.x = test::integers<T>(x_count(size), 6, -2, 2);
    inputs.weight = test::integers<T>(9 * size.in_channels * size.out_channels, 7, -1, 1);
    inputs.bias = test::integers<float>(size.out_channels, 8);
    EXPECT_TRUE(
        test::is_equal(forward<T>(GetParam().launch.template get<T>(), inputs, size, true, 0),
                       expected_forward<T>(inputs, size, true)));
  });
}

// Six tiles of 8×16 pixels for two blocks, whose two warpgroups take turns; and two slices of
// channels, which need more loads for a tile than there are stages.
TEST(ConvDevice, PersistentBlocksTakeSeveralTiles) {
  test::device::choose_blocks(2);
  for (const auto& rung : test::persistent_rungs(IMPASTO_DEVICE::conv_forward_ladder())) {
    if (rung.runs_on(test::device::sm())) {
      forward_matches<bfloat16>(rung.launch.get<bfloat16>(), tiles, true);
    }
  }
  for (const auto& rung : test::persistent_rungs(IMPASTO_DEVICE::conv_data_gradient_ladder())) {
    if (rung.runs_on(test::device::sm())) {
      data_gradient_matches<float16>(rung.launch.get<float16>(), {1, 3, 35, 64, 128}, {true, true});
    }
  }
  test::device::choose_blocks(0);
}

// A GPU's tensor cores cut off where the machine rounds to nearest.
TEST(ConvDevice, MatchesTheReferenceHoweverTensorCoresRound) {
  for (int rounding = 0; rounding < test::device::rounding_count(); ++rounding) {
    SCOPED_TRACE(testing::Message() << "rounding " << rounding);
    test::device::choose_rounding(rounding);
    forward_matches<bfloat16>(&IMPASTO_DEVICE::conv_forward<bfloat16>, sizes[1], true);
    data_gradient_matches<float16>(&IMPASTO_DEVICE::conv_data_gradient<float16>, sizes[1],
                                   {false, true});
  }
  test::device::choose_rounding(0);
}

TEST(ConvDevice, FitsMapsOf16BitsWhoseChannelsComeIn64s) {
  EXPECT_TRUE(IMPASTO_DEVICE::conv_fits<bfloat16>({1, 2, 2, 64, 128}));
  EXPECT_TRUE(IMPASTO_DEVICE::conv_fits<float16>({1, 2, 2, 128, 64}));
  EXPECT_FALSE(IMPASTO_DEVICE::conv_fits<bfloat16>({1, 2, 2, 64, 72}));
  EXPECT_FALSE(IMPASTO_DEVICE::conv_fits<bfloat16>({1, 2, 2, 3, 64}));
  EXPECT_FALSE(IMPASTO_DEVICE::conv_fits<float>({1, 2, 2, 64, 64}));
}

}  // namespace
}  // namespace impasto::kernels::conv_device_test
