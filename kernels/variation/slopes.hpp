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
  float down_weight;   ///< of d² in means
  float right_weight;  ///< of r² in means

  VariationSlopes(const MapSize& size, const VariationOptions& options)
      : form(options.form), beta(static_cast<float>(options.beta)) {
    const auto mean_of = [](std::int64_t differences) {
      return differences > 0 ? 1 / static_cast<float>(differences) : 0.0F;
    };
    down_weight = mean_of((size.height - 1) * size.width * size.channels);
    right_weight = mean_of(size.height * (size.width - 1) * size.channels);
  }

  struct At {
    float value = 0;
    float down = 0;   ///< the derivative by d
    float right = 0;  ///< the derivative by r
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
    const float square = d * d + r * r;
    if (!(square > 0)) return {square, 0, 0};  // a NaN stays one
    const float power = std::pow(square, beta / 2);
    const float slope = beta * power / square;
    return {power, slope * d, slope * r};
  }
};

}  // namespace impasto::kernels
