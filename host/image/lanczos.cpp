// SPDX-License-Identifier: MIT
#include "host/image/lanczos.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace impasto {
namespace {

/// The inputs of one output: `weights[k]` belongs to input `first + k`.
struct Taps {
  std::int64_t first;
  std::vector<float> weights;
};

double kernel(double x) {
  constexpr double lobes = 3;
  if (x == 0) return 1;
  if (std::abs(x) >= lobes) return 0;
  const double px = std::numbers::pi * x;
  return lobes * std::sin(px) * std::sin(px / lobes) / (px * px);
}

std::vector<Taps> make_taps(std::int64_t from, std::int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(1.0, step);
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * step - 0.5;
    const auto first = std::max<std::int64_t>(0, std::llround(std::ceil(centre - 3 * stretch)));
    const auto last =
        std::min<std::int64_t>(from - 1, std::llround(std::floor(centre + 3 * stretch)));
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t j = first; j <= last; ++j) {
      weights.push_back(kernel((static_cast<double>(j) - centre) / stretch));
      sum += weights.back();
    }
    Taps& tap = taps.emplace_back(Taps{first, {}});
    for (const double weight : weights) tap.weights.push_back(static_cast<float>(weight / sum));
  }
  return taps;
}

/// The channels are summed side by side: one after the other, each sum would wait for its last
/// step.
template <std::size_t Channels>
void filter_row(const float* row, const std::vector<Taps>& taps, float* out) {
  for (const Taps& tap : taps) {
    std::array<float, Channels> sum{};
    const float* in = row + static_cast<std::size_t>(tap.first) * Channels;
    for (const float weight : tap.weights) {
      for (std::size_t c = 0; c < Channels; ++c) sum[c] += weight * in[c];
      in += Channels;
    }
    out = std::copy(sum.begin(), sum.end(), out);
  }
}

}  // namespace

std::vector<float> lanczos(const RowReader& read_row, PictureSize from, PictureSize to,
                           std::int64_t channels) {
  const auto columns = make_taps(from.width, to.width);
  const auto rows = make_taps(from.height, to.height);
  const std::int64_t line = to.width * channels;
  const auto filter = channels == 4 ? filter_row<4> : filter_row<3>;
  std::vector<float> narrow(static_cast<std::size_t>(from.height * line));
#pragma omp parallel
  {
    std::vector<float> row(static_cast<std::size_t>(from.width * channels));
#pragma omp for schedule(static)
    for (std::int64_t y = 0; y < from.height; ++y) {
      read_row(y, row.data());
      filter(row.data(), columns, narrow.data() + y * line);
    }
  }
  std::vector<float> result(static_cast<std::size_t>(to.height * line));
#pragma omp parallel for schedule(static)
  for (std::int64_t y = 0; y < to.height; ++y) {
    const Taps& tap = rows[static_cast<std::size_t>(y)];
    float* const out = result.data() + y * line;
    const float* in = narrow.data() + tap.first * line;
    for (const float weight : tap.weights) {
      for (std::int64_t i = 0; i < line; ++i) out[i] += weight * in[i];
      in += line;
    }
  }
  return result;
}

}  // namespace impasto
