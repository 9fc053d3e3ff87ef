// SPDX-License-Identifier: MIT
#include "host/film/flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "host/core/error.hpp"

namespace impasto::film {
namespace {

/// A place between pixels.
struct Place {
  double x = 0;
  double y = 0;
};

/// Whether the flow is known at the pixel `i`. What is no number is unknown as well.
bool is_known(const Flow& flow, std::int64_t i) {
  const auto at = static_cast<std::size_t>(2 * i);
  return std::abs(flow.uv[at]) < Flow::unknown && std::abs(flow.uv[at + 1]) < Flow::unknown;
}

/// Where the flow leads from the pixel `i`; nothing where it is unknown.
bool leads(const Flow& flow, std::int64_t i, Place& to) {
  to = {static_cast<double>(i % flow.width), static_cast<double>(i / flow.width)};
  if (!is_known(flow, i)) return false;
  to.x += static_cast<double>(flow.uv[static_cast<std::size_t>(2 * i)]);
  to.y += static_cast<double>(flow.uv[static_cast<std::size_t>(2 * i + 1)]);
  return true;
}

/// Whether the place is in one of the picture's pixels, which reach half a step beyond their middles.
bool is_inside(const Place& at, std::int64_t height, std::int64_t width) {
  return at.x >= -0.5 && at.y >= -0.5 && at.x <= static_cast<double>(width) - 0.5 &&
         at.y <= static_cast<double>(height) - 0.5;
}

/// The values (H,W,C) between pixels, bilinear; beyond the edge those of the outermost.
template <std::size_t channels>
std::array<double, channels> sample(const std::vector<float>& values, std::int64_t height,
                                    std::int64_t width, const Place& at) {
  const double x = std::clamp(at.x, 0.0, static_cast<double>(width - 1));
  const double y = std::clamp(at.y, 0.0, static_cast<double>(height - 1));
  const auto left = static_cast<std::int64_t>(x);
  const auto top = static_cast<std::int64_t>(y);
  const std::int64_t right = std::min(left + 1, width - 1);
  const std::int64_t bottom = std::min(top + 1, height - 1);
  const double across = x - static_cast<double>(left);
  const double down = y - static_cast<double>(top);
  std::array<double, channels> result{};
  for (std::size_t c = 0; c < channels; ++c) {
    const auto value = [&](std::int64_t row, std::int64_t column) {
      const auto pixel = static_cast<std::size_t>(row * width + column);
      return static_cast<double>(values[pixel * channels + c]);
    };
    const double above = value(top, left) + across * (value(top, right) - value(top, left));
    const double below =
        value(bottom, left) + across * (value(bottom, right) - value(bottom, left));
    result[c] = above + down * (below - above);
  }
  return result;
}

double squares(double a, double b) { return a * a + b * b; }

/// |∇u|² + |∇v|², of central differences; at the edge of one-sided ones.
double gradient_squares(const Flow& flow, std::int64_t row, std::int64_t column) {
  const auto value = [&](std::int64_t y, std::int64_t x, std::size_t c) {
    return static_cast<double>(flow.at(y, x, c));
  };
  const std::int64_t above = std::max<std::int64_t>(row - 1, 0);
  const std::int64_t below = std::min(row + 1, flow.height - 1);
  const std::int64_t left = std::max<std::int64_t>(column - 1, 0);
  const std::int64_t right = std::min(column + 1, flow.width - 1);
  const auto rows = static_cast<double>(std::max<std::int64_t>(below - above, 1));
  const auto columns = static_cast<double>(std::max<std::int64_t>(right - left, 1));
  double sum = 0;
  for (const std::size_t c : {0U, 1U}) {
    sum += squares((value(row, right, c) - value(row, left, c)) / columns,
                   (value(below, column, c) - value(above, column, c)) / rows);
  }
  return sum;
}

/// Calls visit(y, x) for the pixels of the 7×7 around one that are in the picture.
template <class Visit>
void for_each_near(const Flow& flow, std::int64_t row, std::int64_t column, Visit visit) {
  constexpr std::int64_t radius = 3;
  for (std::int64_t y = std::max<std::int64_t>(row - radius, 0);
       y <= std::min(row + radius, flow.height - 1); ++y) {
    for (std::int64_t x = std::max<std::int64_t>(column - radius, 0);
         x <= std::min(column + radius, flow.width - 1); ++x) {
      visit(y, x);
    }
  }
}

/// The largest |w|² of the known flow in 7×7 pixels around one.
double fastest_near(const Flow& flow, std::int64_t row, std::int64_t column) {
  double fastest = 0;
  for_each_near(flow, row, column, [&](std::int64_t y, std::int64_t x) {
    Place to;
    if (!leads(flow, y * flow.width + x, to)) return;
    fastest =
        std::max(fastest, squares(to.x - static_cast<double>(x), to.y - static_cast<double>(y)));
  });
  return fastest;
}

/// |∇w|² from which on a flow turns from one motion to another, if these are slow.
constexpr double least_gradient = 0.002;

/// Whether w differs by more than half a pixel in 7×7 pixels around one.
bool motions_differ(const Flow& flow, std::int64_t row, std::int64_t column) {
  std::array<float, 2> lowest = {flow.at(row, column, 0), flow.at(row, column, 1)};
  std::array<float, 2> highest = lowest;
  for_each_near(flow, row, column, [&](std::int64_t y, std::int64_t x) {
    for (const std::size_t c : {0U, 1U}) {
      lowest[c] = std::min(lowest[c], flow.at(y, x, c));
      highest[c] = std::max(highest[c], flow.at(y, x, c));
    }
  });
  return squares(static_cast<double>(highest[0] - lowest[0]),
                 static_cast<double>(highest[1] - lowest[1])) > 0.25;
}

/// Whether no motions meet at a pixel.
bool is_smooth(const Flow& flow, std::int64_t row, std::int64_t column) {
  const double gradient = gradient_squares(flow, row, column);
  return gradient <= least_gradient ||
         gradient <= 0.01 * fastest_near(flow, row, column) + least_gradient;
}

/// Whether there and back leads to the same place. An unknown flow, huge or no number, does not.
bool comes_back(const Flow& backward, const Flow& forward, std::int64_t i) {
  Place at;
  if (!leads(backward, i, at) || !is_inside(at, backward.height, backward.width)) return false;
  const double u = at.x - static_cast<double>(i % backward.width);
  const double v = at.y - static_cast<double>(i / backward.width);
  const auto back = sample<2>(forward.uv, forward.height, forward.width, at);
  return squares(back[0] + u, back[1] + v) <=
         0.01 * (squares(back[0], back[1]) + squares(u, v)) + 0.5;
}

}  // namespace

Flow resized(const Flow& flow, std::int64_t height, std::int64_t width) {
  if (flow.height == height && flow.width == width) return flow;
  Flow result{height, width, std::vector<float>(static_cast<std::size_t>(2 * height * width))};
  const double down = static_cast<double>(height) / static_cast<double>(flow.height);
  const double across = static_cast<double>(width) / static_cast<double>(flow.width);
  // What mixes with an unknown value is unknown, and no factor makes it known.
  std::vector<float> known = flow.uv;
  for (float& value : known) {
    if (!(std::abs(value) < Flow::unknown)) value = std::numeric_limits<float>::quiet_NaN();
  }
  for (std::int64_t i = 0; i < height * width; ++i) {
    const Place at{(static_cast<double>(i % width) + 0.5) / across - 0.5,
                   (static_cast<double>(i / width) + 0.5) / down - 0.5};
    const auto uv = sample<2>(known, flow.height, flow.width, at);
    result.uv[static_cast<std::size_t>(2 * i)] = static_cast<float>(uv[0] * across);
    result.uv[static_cast<std::size_t>(2 * i + 1)] = static_cast<float>(uv[1] * down);
  }
  return result;
}

Flow sharpened(const Flow& flow, const Image& from, const Image& to) {
  Flow result = flow;
#pragma omp parallel for
  for (std::int64_t i = 0; i < from.pixels(); ++i) {
    const std::int64_t row = i / flow.width;
    const std::int64_t column = i % flow.width;
    if (gradient_squares(flow, row, column) <= least_gradient ||
        !motions_differ(flow, row, column)) {
      continue;
    }
    double least = std::numeric_limits<double>::infinity();
    for_each_near(flow, row, column, [&](std::int64_t y, std::int64_t x) {
      if (!is_known(flow, y * flow.width + x) || gradient_squares(flow, y, x) > least_gradient) {
        return;
      }
      const float u = flow.at(y, x, 0);
      const float v = flow.at(y, x, 1);
      const auto shown = sample<3>(to.rgb, to.height, to.width,
                                   {static_cast<double>(column) + static_cast<double>(u),
                                    static_cast<double>(row) + static_cast<double>(v)});
      double cost =
          0.01 * std::sqrt(squares(static_cast<double>(x - column), static_cast<double>(y - row)));
      for (std::size_t c = 0; c < 3; ++c) {
        const auto own = static_cast<double>(from.rgb[3 * static_cast<std::size_t>(i) + c]);
        cost += std::abs(shown[c] - own) / 3;
      }
      if (cost >= least) return;
      least = cost;
      result.uv[static_cast<std::size_t>(2 * i)] = u;
      result.uv[static_cast<std::size_t>(2 * i + 1)] = v;
    });
  }
  return result;
}

Image warped(const Image& picture, const Flow& flow) {
  require(picture.height == flow.height && picture.width == flow.width,
          "a flow of another size than the picture");
  Image result{
      picture.height, picture.width, std::vector<float>(picture.rgb.size()), {}, picture.bits};
#pragma omp parallel for
  for (std::int64_t i = 0; i < picture.pixels(); ++i) {
    Place at;
    static_cast<void>(leads(flow, i, at));
    const auto rgb = sample<3>(picture.rgb, picture.height, picture.width, at);
    for (std::size_t c = 0; c < rgb.size(); ++c) {
      result.rgb[3 * static_cast<std::size_t>(i) + c] = static_cast<float>(rgb[c]);
    }
  }
  return result;
}

Mask seen_before(const Flow& backward, const Flow& forward) {
  require(backward.height == forward.height && backward.width == forward.width,
          "flows of two sizes");
  const std::int64_t pixels = backward.height * backward.width;
  Mask mask{backward.height, backward.width,
            std::vector<float>(static_cast<std::size_t>(pixels), 0)};
#pragma omp parallel for
  for (std::int64_t i = 0; i < pixels; ++i) {
    if (comes_back(backward, forward, i)) mask.values[static_cast<std::size_t>(i)] = 1;
  }
  return mask;
}

Mask reliable(const Flow& backward, Mask seen) {
  require(backward.height == seen.height && backward.width == seen.width,
          "a flow of another size than the mask");
#pragma omp parallel for
  for (std::int64_t i = 0; i < backward.height * backward.width; ++i) {
    float& value = seen.values[static_cast<std::size_t>(i)];
    if (value > 0 && !is_smooth(backward, i / backward.width, i % backward.width)) value = 0;
  }
  return seen;
}

Likeness likeness(const Image& frame, const Image& earlier_warped, const Mask& mask) {
  Likeness result;
  for (const float value : mask.values) result.reliable += static_cast<double>(value);
  result.reliable /= static_cast<double>(frame.pixels());
  std::array<double, 3> mean{};
  for (std::size_t i = 0; i < frame.rgb.size(); ++i) {
    mean[i % 3] += static_cast<double>(frame.rgb[i]) / static_cast<double>(frame.pixels());
  }
  double difference = 0;
  double contrast = 0;
  for (std::size_t i = 0; i < frame.rgb.size(); ++i) {
    const auto value = static_cast<double>(frame.rgb[i]);
    difference += std::abs(value - static_cast<double>(earlier_warped.rgb[i]));
    contrast += std::abs(value - mean[i % 3]);
  }
  // A picture of one colour is like another one within a grey level or two.
  const double least = 2 * static_cast<double>(frame.rgb.size());
  result.residual = difference / std::max(contrast, least);
  return result;
}

void LongTerm::add(const Image& picture, const Mask& mask) {
  if (mask_.values.empty()) {
    picture_ = picture;
    mask_ = mask;
    return;
  }
  for (std::size_t p = 0; p < mask.values.size(); ++p) {
    if (mask_.values[p] > 0 || mask.values[p] == 0) continue;
    mask_.values[p] = mask.values[p];
    std::copy_n(&picture.rgb[3 * p], 3, &picture_.rgb[3 * p]);
  }
}

}  // namespace impasto::film
