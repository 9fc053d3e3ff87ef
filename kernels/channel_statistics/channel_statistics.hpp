// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Mean and standard deviation of every channel of a feature map, a loss on both, and its gradient.
/// Math    statistics: μ_c = Σ_p w_p·F_pc / P;  σ_c = √(Σ_p w_p·F_pc² / P − μ_c²), with weights w of mean
///                     1, or all 1
///         loss:       loss[n] = loss_scale · Σ_c ((μ_c − μ'_c)² + (σ_c − σ'_c)²) with the target μ', σ';
///                     b_c = k·(σ_c − σ'_c)/σ_c, 0 where σ_c is 0;  a_c = k·(μ_c − μ'_c) − b_c·μ_c;
///                     k = gradient_scale = weight·2·loss_scale/P
///         backward:   grad_pc = mask ⊙ (grad_pc + a_c + b_c·F_pc), as the epilogue says
/// Shapes  features, grad (N,H,W,C); statistics and coefficients (N,2,C): all means, then all deviations;
///         all a, then all b. They may be one array. weights (H,W), for every image, or null for all 1;
///         target (2,C), for every image; loss (N)
/// Source  Li, Wang, Liu, Hou 2017, §4.2; Galerne, Raad, Lezama, Morel 2024, §3
/// Cost    statistics: 1 value read; backward: 1 read, 1 written (2 and 1 to accumulate); 3 FLOP each
/// Errors  sums are in double. A variance of at most 1e-12 of the mean square is rounding, and taken for 0
/// Order   sums are in a fixed order
struct StatisticsLossScale {
  double loss = 1;
  double gradient = 1;
};

inline constexpr double least_relative_variance = 1e-12;

namespace reference {
void channel_statistics(double* statistics, const double* features, const double* weights,
                        const MapSize& size);
void statistics_loss(double* loss, double* coefficients, const double* statistics,
                     const double* target, std::int64_t batch, std::int64_t channels,
                     const StatisticsLossScale& scale);
void statistics_backward(double* grad, const double* features, const double* coefficients,
                         const MapSize& size, const GradientEpilogue& epilogue);
}  // namespace reference

namespace cpu {
/// T: float or bfloat16.
template <class T>
void channel_statistics(float* statistics, const T* features, const float* weights,
                        const MapSize& size);
void statistics_loss(float* loss, float* coefficients, const float* statistics, const float* target,
                     std::int64_t batch, std::int64_t channels, const StatisticsLossScale& scale);
template <class T>
void statistics_backward(T* grad, const T* features, const float* coefficients, const MapSize& size,
                         const GradientEpilogue& epilogue);
}  // namespace cpu

/// How many blocks of the device's version share the pixels of an image.
constexpr std::int64_t statistics_shares(const MapSize& size) {
  return std::clamp<std::int64_t>((size.pixels() + 511) / 512, 1, 64);
}
/// Doubles of workspace for the device's version.
constexpr std::int64_t channel_statistics_workspace(const MapSize& size) {
  return 2 * size.batch * size.channels * statistics_shares(size);
}

namespace IMPASTO_DEVICE {
/// Enqueue it. T: float, bfloat16 or float16.
template <class T>
void channel_statistics(float* statistics, const T* features, const float* weights,
                        const MapSize& size, double* workspace, Stream stream);
void statistics_loss(float* loss, float* coefficients, const float* statistics, const float* target,
                     std::int64_t batch, std::int64_t channels, const StatisticsLossScale& scale,
                     Stream stream);
template <class T>
void statistics_backward(T* grad, const T* features, const float* coefficients, const MapSize& size,
                         const GradientEpilogue& epilogue, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
