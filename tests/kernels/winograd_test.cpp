// SPDX-License-Identifier: MIT
// The transforms with plain sums between them, against the reference convolution.
#include "kernels/conv/winograd.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "kernels/conv/conv.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels {
namespace {

using test::ErrorLimit;
using test::GuardedBuffer;
using test::is_close;

/// A convolution of the given size in bfloat16, some tiles and some output channels at a time.
struct Problem {
  explicit Problem(const ConvSize& s)
      : size(s),
        x_size{s.batch, s.height, s.width, s.in_channels},
        y_size{s.batch, s.height, s.width, s.out_channels},
        x(x_size.count()),
        held(y_size.count()),
        map(y_size.count()),
        filters(9 * s.in_channels * s.out_channels),
        bias(s.out_channels) {
    test::fill_features(x, 1);
    test::fill_gaussian(held, 2);
    test::fill_features(map, 3);
    test::fill_gaussian(filters, 4);
    test::fill_gaussian(bias, 5);
  }

  /// The same in double: filters (Cin,9,Cout) turned to (Cout,9,Cin).
  std::vector<double> expected(const cpu::WinogradEpilogue& epilogue) {
    std::vector<double> weight(static_cast<std::size_t>(filters.size()));
    for (std::int64_t c = 0; c < size.in_channels; ++c) {
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        for (std::int64_t k = 0; k < size.out_channels; ++k) {
          weight[static_cast<std::size_t>((k * 9 + tap) * size.in_channels + c)] =
              value(filters, (c * 9 + tap) * size.out_channels + k);
        }
      }
    }
    std::vector<double> wide(static_cast<std::size_t>(x_size.count()));
    for (std::int64_t i = 0; i < x_size.count(); ++i)
      wide[static_cast<std::size_t>(i)] = value(x, i);
    std::vector<double> added(static_cast<std::size_t>(size.out_channels));
    for (std::int64_t k = 0; k < size.out_channels && epilogue.bias != nullptr; ++k) {
      added[static_cast<std::size_t>(k)] = static_cast<double>(bias.data()[k]);
    }
    std::vector<double> y(static_cast<std::size_t>(y_size.count()));
    reference::conv_forward(y.data(), wide.data(), weight.data(), added.data(), size,
                            epilogue.relu);
    for (std::int64_t i = 0; i < y_size.count(); ++i) {
      double& one = y[static_cast<std::size_t>(i)];
      if (epilogue.accumulate) one += value(held, i);
      if (epilogue.mask != nullptr && !(value(map, i) > 0)) one = 0;
    }
    return y;
  }

  GuardedBuffer<bfloat16> run(const cpu::WinogradEpilogue& epilogue, std::int64_t block,
                              std::int64_t slice) {
    GuardedBuffer<bfloat16> y(y_size.count());
    if (epilogue.accumulate) std::copy(held.begin(), held.end(), y.begin());
    const std::int64_t all =
        size.batch * cpu::winograd_tiles(size.height) * cpu::winograd_tiles(size.width);
    for (std::int64_t first = 0; first < all; first += block) {
      const std::int64_t tiles = std::min(block, all - first);
      GuardedBuffer<float> v(36 * tiles * size.in_channels);
      cpu::winograd_input(v.data(), x.data(), x_size, first, tiles);
      for (std::int64_t k = 0; k < size.out_channels; k += slice) {
        const cpu::ChannelRange range{k, std::min(slice, size.out_channels - k)};
        GuardedBuffer<float> u(36 * size.in_channels * range.count);
        GuardedBuffer<float> m(36 * tiles * range.count);
        cpu::winograd_filters(u.data(), filters.data(), size.in_channels, size.out_channels, range);
        multiply(m, v, u, tiles, range.count);
        cpu::winograd_output(y.data(), m.data(), y_size, first, tiles, range, epilogue);
      }
    }
    return y;
  }

  template <class T>
  static double value(const GuardedBuffer<T>& buffer, std::int64_t i) {
    return static_cast<double>(static_cast<float>(buffer.data()[i]));
  }

  void multiply(GuardedBuffer<float>& m, const GuardedBuffer<float>& v,
                const GuardedBuffer<float>& u, std::int64_t tiles, std::int64_t channels) const {
    for (std::int64_t position = 0; position < 36; ++position) {
      for (std::int64_t t = 0; t < tiles; ++t) {
        for (std::int64_t k = 0; k < channels; ++k) {
          double sum = 0;
          for (std::int64_t c = 0; c < size.in_channels; ++c) {
            sum += value(v, (position * tiles + t) * size.in_channels + c) *
                   value(u, (position * size.in_channels + c) * channels + k);
          }
          m.data()[(position * tiles + t) * channels + k] = static_cast<float>(sum);
        }
      }
    }
  }

  ConvSize size;
  MapSize x_size;
  MapSize y_size;
  GuardedBuffer<bfloat16> x;
  GuardedBuffer<bfloat16> held;
  GuardedBuffer<bfloat16> map;
  GuardedBuffer<bfloat16> filters;
  GuardedBuffer<float> bias;
};

/// bfloat16's own rounding is 1.7e-3 of the RMS; the transforms add 1e-6.
constexpr ErrorLimit limit{4e-3, 4e-2};

TEST(Winograd, IsTheConvolutionAtEverySize) {
  const std::vector<ConvSize> sizes = {{1, 1, 1, 1, 1},   {1, 4, 4, 16, 16}, {1, 5, 3, 3, 7},
                                       {2, 7, 9, 17, 33}, {1, 13, 8, 32, 5}, {3, 3, 2, 16, 20}};
  for (const ConvSize& size : sizes) {
    SCOPED_TRACE(testing::Message() << size.batch << "x" << size.height << "x" << size.width << "x"
                                    << size.in_channels << " to " << size.out_channels);
    Problem problem(size);
    const cpu::WinogradEpilogue epilogue{.bias = problem.bias.data(), .relu = true};
    EXPECT_TRUE(is_close(problem.run(epilogue, 1000, 1000), problem.expected(epilogue), limit));
  }
}

TEST(Winograd, BlocksOfTilesAndSlicesOfChannelsGiveTheSameBits) {
  Problem problem({2, 11, 14, 8, 40});
  const cpu::WinogradEpilogue epilogue{.bias = problem.bias.data(), .relu = true};
  const auto whole = problem.run(epilogue, 1000, 1000);
  const auto pieces = problem.run(epilogue, 5, 16);
  EXPECT_EQ(0,
            std::memcmp(whole.data(), pieces.data(), static_cast<std::size_t>(whole.size()) * 2));
}

TEST(Winograd, EveryEpilogueDoesWhatItSays) {
  Problem problem({1, 6, 7, 5, 19});
  for (const bool accumulate : {false, true}) {
    for (const bool masked : {false, true}) {
      const cpu::WinogradEpilogue epilogue{.accumulate = accumulate,
                                           .mask = masked ? problem.map.data() : nullptr};
      EXPECT_TRUE(is_close(problem.run(epilogue, 3, 16), problem.expected(epilogue), limit))
          << accumulate << masked;
    }
  }
}

}  // namespace
}  // namespace impasto::kernels
