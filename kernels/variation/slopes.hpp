// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/variation/variation.hpp"

namespace impasto::kernels {

/// What one pixel's differences add to the loss, and the derivatives by them, in float: shared by the
/// CPU's version and the device's.
struct VariationSlopes {
  VariationForm form;
  float beta;
  float down_weight;      ///< of d² in means
  float right_weight;     ///< of r² in means
  float plain_weight;     ///< of d² and r² in nine_point
  float diagonal_weight;  ///< of e² and f² in nine_point

  VariationSlopes(const MapSize& size, const VariationOptions& options)
      : form(options.form), beta(static_cast<float>(options.beta)) {
    const auto mean_of = [](std::int64_t differences) {
      return differences > 0 ? 1 / static_cast<float>(differences) : 0.0F;
    };
    down_weight = mean_of((size.height - 1) * size.width * size.channels);
    right_weight = mean_of(size.height * (size.width - 1) * size.channels);
    plain_weight = mean_of(size.per_image()) / 3;
    diagonal_weight = mean_of((size.height + 1) * (size.width + 1) * size.channels) / 12;
  }

  struct At {
    float value = 0;
    float down = 0;        ///< the derivative by d
    float right = 0;       ///< the derivative by r
    float down_right = 0;  ///< the derivative by e
    float down_left = 0;   ///< the derivative by f
  };

  IMPASTO_HOST_DEVICE static float sign(float x) {
    return static_cast<float>(x > 0) - static_cast<float>(x < 0);
  }

  /// At value `i` of an image of `rows` rows of `row` values, C to a pixel: h is its row, `at` its
  /// place in it.
  IMPASTO_HOST_DEVICE At operator()(const float* image, std::int64_t h, std::int64_t at,
                                    std::int64_t rows, std::int64_t row, std::int64_t C) const {
    const bool has_down = h + 1 < rows;
    const bool has_right = at + C < row;
    if (form == VariationForm::power && !(has_down && has_right)) return {};
    const float* x = image + h * row + at;
    const float d = has_down ? x[row] - x[0] : 0.0F;
    const float r = has_right ? x[C] - x[0] : 0.0F;
    if (form == VariationForm::absolute) return {std::abs(d) + std::abs(r), sign(d), sign(r)};
    if (form == VariationForm::means) {
      return {down_weight * d * d + right_weight * r * r, 2 * down_weight * d,
              2 * right_weight * r};
    }
    if (form == VariationForm::nine_point) return nine_point(x, h, at, rows, row, C, d, r);
    const float square = d * d + r * r;
    if (square == 0) return {};
    const float power = std::pow(square, beta / 2);
    const float slope = beta * power / square;
    return {power, slope * d, slope * r};
  }

  /// The derivative of the sum by a value: what it is subtracted in, and what it is added in.
  IMPASTO_HOST_DEVICE float gradient(const At& here, const float* image, std::int64_t h,
                                     std::int64_t at, std::int64_t rows, std::int64_t row,
                                     std::int64_t C) const {
    float slope = -here.down - here.right;
    if (h > 0) slope += (*this)(image, h - 1, at, rows, row, C).down;
    if (at >= C) slope += (*this)(image, h, at - C, rows, row, C).right;
    if (form != VariationForm::nine_point) return slope;
    slope -= here.down_right + here.down_left;
    if (h > 0 && at >= C) slope += (*this)(image, h - 1, at - C, rows, row, C).down_right;
    if (h > 0 && at + C < row) slope += (*this)(image, h - 1, at + C, rows, row, C).down_left;
    return slope;
  }

 private:
  /// A difference along the edge is one of e and one of f beyond it; in a picture of one row or one
  /// column it lies on two edges.
  IMPASTO_HOST_DEVICE At nine_point(const float* x, std::int64_t h, std::int64_t at,
                                    std::int64_t rows, std::int64_t row, std::int64_t C, float d,
                                    float r) const {
    const int across = (h == 0 ? 2 : 0) + (h + 1 == rows ? 2 : 0);
    const int along = (at < C ? 2 : 0) + (at + C >= row ? 2 : 0);
    const float right_by = plain_weight + static_cast<float>(across) * diagonal_weight;
    const float down_by = plain_weight + static_cast<float>(along) * diagonal_weight;
    const bool has_down = h + 1 < rows;
    const float e = has_down && at + C < row ? x[row + C] - x[0] : 0.0F;
    const float f = has_down && at >= C ? x[row - C] - x[0] : 0.0F;
    return {down_by * d * d + right_by * r * r + diagonal_weight * (e * e + f * f), 2 * down_by * d,
            2 * right_by * r, 2 * diagonal_weight * e, 2 * diagonal_weight * f};
  }
};

}  // namespace impasto::kernels
