// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "kernels/variation/variation.hpp"

namespace impasto::kernels::reference {
namespace {

double sign(double x) { return (x > 0 ? 1 : 0) - (x < 0 ? 1 : 0); }

/// Σ|x[to] − x[from]| or the mean of its squares over pairs of neighbours, with its gradient: one
/// direction of `absolute` or `means`.
struct Direction {
  bool absolute;
  double count;  ///< of pairs
  const double* x;
  double* grad;  ///< or null
  double gradient_scale;
  double sum = 0;

  void visit(std::int64_t from, std::int64_t to) {
    const double difference = x[to] - x[from];
    sum += absolute ? std::abs(difference) : difference * difference / count;
    if (grad == nullptr) return;
    const double slope = gradient_scale * (absolute ? sign(difference) : 2 * difference / count);
    grad[to] += slope;
    grad[from] -= slope;
  }
};

/// Over the picture continued by one pixel on each side: neighbours below and to the right of its own
/// pixels, and both diagonals of every window of four. The sum; adds to `grad` unless it is null.
double nine_point(double* grad, const double* x, std::int64_t H, std::int64_t W, std::int64_t C,
                  double gradient_scale) {
  const auto place = [=](std::int64_t h, std::int64_t w, std::int64_t c) {
    return (std::clamp<std::int64_t>(h, 0, H - 1) * W + std::clamp<std::int64_t>(w, 0, W - 1)) * C +
           c;
  };
  double sum = 0;
  const auto visit = [&](std::int64_t from, std::int64_t to, double weight) {
    const double difference = x[to] - x[from];
    sum += weight * difference * difference;
    if (grad == nullptr) return;
    grad[to] += gradient_scale * weight * 2 * difference;
    grad[from] -= gradient_scale * weight * 2 * difference;
  };
  const double plain = 1 / (3.0 * static_cast<double>(H * W * C));
  const double diagonal = 1 / (12.0 * static_cast<double>((H + 1) * (W + 1) * C));
  for (std::int64_t c = 0; c < C; ++c) {
    for (std::int64_t h = -1; h < H; ++h) {
      for (std::int64_t w = -1; w < W; ++w) {
        if (h >= 0 && w >= 0) {
          visit(place(h, w, c), place(h + 1, w, c), plain);
          visit(place(h, w, c), place(h, w + 1, c), plain);
        }
        visit(place(h, w, c), place(h + 1, w + 1, c), diagonal);
        visit(place(h, w + 1, c), place(h + 1, w, c), diagonal);
      }
    }
  }
  return sum;
}

}  // namespace

void variation(double* loss, double* grad_pixels, const double* pixels, const MapSize& size,
               const VariationOptions& options) {
  const auto [N, H, W, C] = size;
  for (std::int64_t n = 0; n < N; ++n) {
    const double* x = pixels + n * size.per_image();
    double* grad = grad_pixels == nullptr ? nullptr : grad_pixels + n * size.per_image();
    // clang 14 captures no structured bindings, so the lambda names what it takes.
    const auto place = [width = W, channels = C](std::int64_t h, std::int64_t w, std::int64_t c) {
      return (h * width + w) * channels + c;
    };
    double sum = 0;
    if (options.form == VariationForm::nine_point) {
      sum = nine_point(grad, x, H, W, C, options.gradient);
    } else if (options.form == VariationForm::power) {
      for (std::int64_t h = 0; h + 1 < H; ++h) {
        for (std::int64_t w = 0; w + 1 < W; ++w) {
          for (std::int64_t c = 0; c < C; ++c) {
            const std::int64_t here = place(h, w, c);
            const std::int64_t below = place(h + 1, w, c);
            const std::int64_t right = place(h, w + 1, c);
            const double d = x[below] - x[here];
            const double r = x[right] - x[here];
            const double square = d * d + r * r;
            sum += std::pow(square, options.beta / 2);
            if (grad == nullptr || square == 0) continue;
            const double slope =
                options.gradient * options.beta * std::pow(square, options.beta / 2 - 1);
            grad[below] += slope * d;
            grad[right] += slope * r;
            grad[here] -= slope * (d + r);
          }
        }
      }
    } else {
      const bool absolute = options.form == VariationForm::absolute;
      Direction down{absolute, static_cast<double>((H - 1) * W * C), x, grad, options.gradient};
      Direction right{absolute, static_cast<double>(H * (W - 1) * C), x, grad, options.gradient};
      for (std::int64_t h = 0; h < H; ++h) {
        for (std::int64_t w = 0; w < W; ++w) {
          for (std::int64_t c = 0; c < C; ++c) {
            if (h + 1 < H) down.visit(place(h, w, c), place(h + 1, w, c));
            if (w + 1 < W) right.visit(place(h, w, c), place(h, w + 1, c));
          }
        }
      }
      sum = down.sum + right.sum;
    }
    loss[n] = options.loss * sum;
  }
}

}  // namespace impasto::kernels::reference
