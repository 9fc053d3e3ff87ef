// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/blocks.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// One step of L-BFGS without a line search, for each of N pictures by itself.
/// Math    g = grad / gradient_scale. From the second step on, with d the last direction and t its
///         length: s = t·d, y = g − last_grad; if y·s > 1e-10 the pair (s, y) is kept, the oldest of
///         more than `history` is dropped, and h = y·s / y·y.
///         d = −H·g by the two-loop recursion over the pairs, in which H begins as h·I; with no pair
///         d = −g. t = learning_rate, in the first step times min(1/u², 1/(u·Σ|g|)).  x += t·d
///         With a reach r > 0 no step is longer, and one along −g is as long: with l = r·√(H·W·C)/|d|,
///         t = l where no pair is kept, else min(learning_rate, l).
/// Shapes  pixels, direction, last_grad, grad (N,H,W,C);
///         pairs (N·lbfgs_vectors(history),H,W,C): for each picture every s, then every y, in two
///         rings of history + 1 slots, of which one is free for the next pair;
///         state (N, lbfgs_state_values(history)) in double, which begins with an LbfgsHeader
/// Source  Nocedal & Wright 2006, algorithm 7.4; torch.optim.LBFGS with line_search_fn=None. On a
///         device the recursion runs on inner products (Chen, Wang & Zhou 2014, "vector-free")
/// Cost    on a device 4·history values read per pixel value: memory is the bound
/// Order   inner products are summed in double, in a fixed order
struct LbfgsOptions {
  double learning_rate = 1;
  std::int64_t history = 100;  ///< pairs that are kept, at most
  double gradient_scale = 1;   ///< the gradient given is this many times the true one
  /// u: what a peer optimises is this many times the pixels. Only the first step depends on it.
  double unit = 1;
  /// r, in the units of the pixels: the root mean square of a step. 0: PyTorch's rule, whose first
  /// step may be too small for a float, and whose later ones may be too long where the curvature
  /// changes.
  double reach = 0;
};

inline constexpr double lbfgs_least_curvature = 1e-10;

/// What is known of a picture between steps; all 0 at first.
struct LbfgsHeader {
  double stepped;            ///< 1 after the first step
  double pairs;              ///< how many are kept
  double next;               ///< the free slot
  double inverse_curvature;  ///< h
  double length;             ///< t
};
inline constexpr std::int64_t lbfgs_header_values = 5;

/// The vectors of a picture's pairs.
constexpr std::int64_t lbfgs_vectors(std::int64_t history) { return 2 * (history + 1); }
/// The header; then, for a device, the inner products of these vectors and g with each other.
constexpr std::int64_t lbfgs_state_values(std::int64_t history) {
  const std::int64_t vectors = lbfgs_vectors(history) + 1;
  return lbfgs_header_values + vectors * vectors;
}

namespace reference {
void lbfgs(double* pixels, double* pairs, double* direction, double* last_grad, double* state,
           const double* grad, const MapSize& size, const LbfgsOptions& options);
}

namespace cpu {
void lbfgs(float* pixels, float* pairs, float* direction, float* last_grad, double* state,
           const float* grad, const MapSize& size, const LbfgsOptions& options);
}

/// Doubles of workspace for the device's version.
inline std::int64_t lbfgs_workspace(const MapSize& size, std::int64_t history) {
  const std::int64_t vectors = lbfgs_vectors(history) + 1;
  return size.batch * (3 * vectors * sum_blocks(size.per_image()) + vectors);
}

namespace IMPASTO_DEVICE {
/// Enqueues the step.
void lbfgs(float* pixels, float* pairs, float* direction, float* last_grad, double* state,
           const float* grad, const MapSize& size, const LbfgsOptions& options, double* workspace,
           Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
