// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// One layer's Wasserstein-2 distance between the pixels' features and the style's, both taken for
/// normal distributions, and what turns features into their gradient.
/// Math    μ = mean_scale·(means of `statistics`);  S = moment_scale·gram;  Σ = S − μμᵀ + ε·I; μ', S', Σ'
///         are the target's and A = √Σ'.
///         loss = loss_scale · (|μ − μ'|² + tr Σ' + tr Σ − 2·tr √(AΣA))
///         X = A·(AΣA)^−½·A transports: it maps deviations of the pixels to those of the style.
///         M = 2·gradient_scale·moment_scale · (I − X)
///         a = 2·gradient_scale·moment_scale/mean_scale · (Xμ − μ');  b = 0
///         With moment_scale = mean_scale²/P and gradient_scale = weight·loss_scale, F·M + a is the
///         gradient of weight·loss with respect to F: style_backward, then statistics_backward.
///         Root and inverse root take `root_steps` Newton–Schulz steps from a matrix divided by its
///         Frobenius norm. Roots of eigenvalues above 1e-3 of that norm come out exact to 1e-6, at
///         1e-4 a tenth too small, below that smaller still. This is what style-transfer-pytorch
///         computes, and it keeps X bounded.
/// Shapes  gram, matrix (N,C,C), which may be the same array; statistics and coefficients (N,2,C) as
///         channel_statistics and statistics_backward have them, two arrays; loss (N); the target,
///         for all images: means (C), second_moment and root (C,C), with both scales applied
/// Source  Dowson & Landau 1982 (the distance); Higham 2008, §6.3 (the root); Lin & Maji 2017, §3 (its
///         gradient, which commutes here); crowsonkb/style-transfer-pytorch
/// Cost    75 products of C×C matrices: 150·C³ FLOP per image
/// Order   fixed: the same bits on any number of threads
struct WassersteinScale {
  double moment = 1;
  double mean = 1;
  double loss = 1;
  double gradient = 1;
};

template <class T>
struct WassersteinTarget {
  const T* means;
  const T* second_moment;
  const T* root;  ///< from covariance_root
};

/// What is added to the diagonal of a covariance, so that a channel may be constant.
inline constexpr double least_variance = 1e-4;
inline constexpr int root_steps = 12;

namespace reference {
/// root = √(second_moment − means·meansᵀ + ε·I): (C,C) from (C,C) and (C).
void covariance_root(double* root, const double* second_moment, const double* means,
                     std::int64_t channels);
void wasserstein_loss(double* loss, double* matrix, double* coefficients, const double* gram,
                      const double* statistics, const WassersteinTarget<double>& target,
                      std::int64_t batch, std::int64_t channels, const WassersteinScale& scale);
}  // namespace reference

namespace IMPASTO_DEVICE {
/// Enqueues c = a·b of `images` pairs of C×C matrices, where b is symmetric and c another array.
using MatrixProduct =
    std::function<void(float* c, const float* a, const float* b, std::int64_t images)>;

/// Enqueue it, the products by `multiply`, in float whatever the network computes in. `workspace` holds
/// wasserstein_workspace(batch, channels) floats; a root is of a batch of 1.
void covariance_root(float* root, const float* second_moment, const float* means,
                     std::int64_t channels, const MatrixProduct& multiply, float* workspace,
                     Stream stream);
void wasserstein_loss(float* loss, float* matrix, float* coefficients, const float* gram,
                      const float* statistics, const WassersteinTarget<float>& target,
                      std::int64_t batch, std::int64_t channels, const WassersteinScale& scale,
                      const MatrixProduct& multiply, float* workspace, Stream stream);
}  // namespace IMPASTO_DEVICE

/// Four matrices and two norms per image.
constexpr std::int64_t wasserstein_workspace(std::int64_t batch, std::int64_t channels) {
  return batch * (4 * channels * channels + 2);
}

}  // namespace impasto::kernels
