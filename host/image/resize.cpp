// SPDX-License-Identifier: MIT
#include "host/image/resize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "host/core/error.hpp"

namespace impasto {
namespace {

/// The inputs of one output: `weights[k]` belongs to input `first + k`.
struct Taps {
  std::int64_t first;
  std::vector<float> weights;
};

double lobes_of(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::lanczos: return 3;
    case ResizeFilter::cubic: return 2;
    case ResizeFilter::linear: return 1;
  }
  return 0;
}

/// The filter's weight at a distance of `x` samples.
double kernel(ResizeFilter filter, double x) {
  const double lobes = lobes_of(filter);
  const double d = std::abs(x);
  if (x == 0) return 1;
  if (d >= lobes) return 0;
  switch (filter) {
    case ResizeFilter::lanczos: {
      const double px = std::numbers::pi * x;
      return lobes * std::sin(px) * std::sin(px / lobes) / (px * px);
    }
    case ResizeFilter::cubic:
      return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : ((-0.5 * d + 2.5) * d - 4) * d + 2;
    case ResizeFilter::linear: return 1 - d;
  }
  return 0;
}

std::vector<Taps> make_taps(std::int64_t from, std::int64_t to, ResizeFilter filter) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(1.0, step);
  const double reach = lobes_of(filter) * stretch;
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * step - 0.5;
    const auto first = std::max<std::int64_t>(0, std::llround(std::ceil(centre - reach)));
    const auto last = std::min<std::int64_t>(from - 1, std::llround(std::floor(centre + reach)));
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t j = first; j <= last; ++j) {
      weights.push_back(kernel(filter, (static_cast<double>(j) - centre) / stretch));
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

/// `read_row(y, row)` writes row `y`, 3 or 4 values a pixel. Results may leave the range of the
/// input.
template <std::size_t Channels, class ReadRow>
std::vector<float> filtered(const ReadRow& read_row, PictureSize from, PictureSize to,
                            ResizeFilter filter) {
  constexpr auto channels = static_cast<std::int64_t>(Channels);
  const auto columns = make_taps(from.width, to.width, filter);
  const auto rows = make_taps(from.height, to.height, filter);
  const std::int64_t line = to.width * channels;
  std::vector<float> narrow(static_cast<std::size_t>(from.height * line));
#pragma omp parallel
  {
    std::vector<float> row(static_cast<std::size_t>(from.width * channels));
#pragma omp for schedule(static)
    for (std::int64_t y = 0; y < from.height; ++y) {
      read_row(y, row.data());
      filter_row<Channels>(row.data(), columns, narrow.data() + y * line);
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

float clamp_sample(float value) { return std::clamp(value, 0.0F, 255.0F); }

/// Row `y` with its colours multiplied by alpha, then alpha.
void read_premultiplied(const PictureRows& picture, std::int64_t y, float* row) {
  const auto count = static_cast<std::size_t>(picture.size.width);
  std::vector<float> rgb(count * 3);
  std::vector<float> alpha(count);
  picture.read(y, rgb.data(), alpha.data());
  for (std::size_t x = 0; x < count; ++x) {
    for (std::size_t c = 0; c < 3; ++c) row[x * 4 + c] = rgb[x * 3 + c] * (alpha[x] / 255.0F);
    row[x * 4 + 3] = alpha[x];
  }
}

void separate_alpha(const std::vector<float>& rgba, Image& image) {
  const auto count = static_cast<std::size_t>(image.pixels());
  image.rgb.resize(count * 3);
  image.alpha.resize(count);
  constexpr float visible = 1.0F / 257.0F;  // one step at 16 bits
  for (std::size_t i = 0; i < count; ++i) {
    const float alpha = clamp_sample(rgba[i * 4 + 3]);
    const float scale = alpha < visible ? 0.0F : 255.0F / alpha;
    for (std::size_t c = 0; c < 3; ++c) {
      image.rgb[i * 3 + c] = clamp_sample(rgba[i * 4 + c] * scale);
    }
    image.alpha[i] = alpha;
  }
}

}  // namespace

PictureSize fit(PictureSize from, std::int64_t longer) {
  const std::int64_t own = std::max(from.height, from.width);
  const auto scaled = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, (2 * side * longer + own) / (2 * own));
  };
  return {scaled(from.height), scaled(from.width)};
}

Image resize(const PictureRows& picture, PictureSize to) {
  Image image{to.height, to.width, {}, {}, picture.bits};
  if (picture.has_alpha) {
    const auto read = [&](std::int64_t y, float* row) { read_premultiplied(picture, y, row); };
    separate_alpha(filtered<4>(read, picture.size, to, ResizeFilter::lanczos), image);
    return image;
  }
  const auto read = [&](std::int64_t y, float* row) { picture.read(y, row, nullptr); };
  image.rgb = filtered<3>(read, picture.size, to, ResizeFilter::lanczos);
  std::ranges::transform(image.rgb, image.rgb.begin(), clamp_sample);
  return image;
}

Image resize(const Image& image, std::int64_t height, std::int64_t width) {
  require(height > 0 && width > 0 && image.pixels() > 0, "resize of {}×{} to {}×{}", image.width,
          image.height, width, height);
  if (height == image.height && width == image.width) return image;
  const auto read = [&](std::int64_t y, float* rgb, float* alpha) {
    const std::int64_t start = y * image.width;
    std::copy_n(image.rgb.data() + start * 3, image.width * 3, rgb);
    if (alpha != nullptr) std::copy_n(image.alpha.data() + start, image.width, alpha);
  };
  Image resized = resize({{image.height, image.width}, !image.alpha.empty(), image.bits, read},
                         {height, width});
  resized.profile = image.profile;
  return resized;
}

std::vector<float> resample(const std::vector<float>& values, PictureSize from, PictureSize to,
                            ResizeFilter filter) {
  if (from.height == to.height && from.width == to.width) return values;
  const auto read = [&](std::int64_t y, float* row) {
    std::copy_n(values.data() + y * from.width * 3, from.width * 3, row);
  };
  return filtered<3>(read, from, to, filter);
}

}  // namespace impasto
