// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include "kernels/common/blocks.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// One step of L-BFGS without a line search, for each of N pictures by itself.
/// Math    g = grad / gradient_scale. From the second step on, with d the last direction and t its
///         length: s = t·d, y = g − last_grad; if y·s > 1e-10 the pair (s, y) is kept, the oldest of
///         more than `history` is dropped, and h = y·s / y·y.
///         d = −H·g by the two-loop recursion over the pairs, in which H begins as h·I; with no pair
///         d = −g. t = learning_rate; with no pair times 1/u², in the first step times
///         min(1/u², 1/(u·Σ|g|)).  x += t·d
///         With a reach r > 0 no step is longer, and one along −g is as long: with l = r·√(H·W·C)/|d|,
///         t = l where no pair is kept, else min(learning_rate, l).
///         Where a test (LbfgsOptions) finds that this step is not to be taken, or none any more, x stays.
/// Shapes  pixels, direction, last_grad, grad (N,H,W,C); loss (N);
///         ended (N,2): an LbfgsEnd, and the evaluation that it came with, from 0;
///         pairs (N·lbfgs_vectors(history),H,W,C): for each picture every s, then every y, in two
///         rings of history + 1 slots, of which one is free for the next pair;
///         state (N, lbfgs_state_values(history)) in double, which begins with an LbfgsHeader
///         H is that of the rows that are here, where several devices hold a part of a picture each (LbfgsParts)
/// Source  Nocedal & Wright 2006, algorithm 7.4; torch.optim.LBFGS with line_search_fn=None. On a
///         device the recursion runs on inner products (Chen, Wang & Zhou 2014, "vector-free")
/// Cost    on a device 4·history values read per pixel value: memory is the bound
/// Order   inner products are summed in double, in a fixed order; of several parts, in their order
struct LbfgsOptions {
  double learning_rate = 1;
  std::int64_t history = 100;  ///< pairs that are kept, at most
  double gradient_scale = 1;   ///< the gradient given is this many times the true one
  /// u: what a peer optimises is this many times the pixels. Steps with no pair and tests depend on it.
  double unit = 1;
  /// r, in the units of the pixels: the root mean square of a step. 0: PyTorch's rule, whose first
  /// step may be too small for a float, and whose later ones may be too long where the curvature
  /// changes.
  double reach = 0;
  /// PyTorch's tests, in the peer's unit: max|g|/u at most the first; g·d (with no pair, g·d/u²) above
  /// minus the second, u·max|t·d| at most the second, or the loss changed by less. Below 0: never.
  double tolerance_grad = -1;
  double tolerance_change = -1;
  /// A peer calls PyTorch's step() again after so many steps, or after a test has ended the call: it
  /// evaluates the same picture again and goes on. 0: one call has all steps.
  std::int64_t call_steps = 0;

  [[nodiscard]] constexpr bool tests() const {
    return tolerance_grad >= 0 || tolerance_change >= 0;
  }
};

inline constexpr double lbfgs_least_curvature = 1e-10;

/// Why no step follows any more.
enum class LbfgsEnd : std::uint8_t {
  none,
  gradient,  ///< its largest component is small enough
  slope,     ///< the loss falls too little along the direction
  step,      ///< the last one moved no value far enough
  loss       ///< it changed too little in the last step
};

/// What is known of a picture between steps; all 0 at first.
struct LbfgsHeader {
  double stepped;            ///< 1 after the first step
  double pairs;              ///< how many are kept
  double next;               ///< the free slot
  double inverse_curvature;  ///< h
  double length;             ///< t
  // Of the tests.
  double evaluations;
  double call_steps;  ///< taken in this call; 0: the next evaluation begins one
  double loss;        ///< where the last step began
  double resting;     ///< 1: this evaluation is followed by no step
  double end;         ///< an LbfgsEnd
  double ended_at;    ///< the evaluation, from 0
};
inline constexpr std::int64_t lbfgs_header_values = 11;

constexpr void lbfgs_ends(LbfgsHeader& header, LbfgsEnd end) {
  header.resting = 1;
  header.end = static_cast<double>(end);
  header.ended_at = header.evaluations - 1;
}

/// The tests of an evaluation, before its direction is known, in PyTorch's order. Whether a step follows is
/// then in the header. A gradient that is small stays so, whoever calls again.
constexpr void lbfgs_test(LbfgsHeader& header, const LbfgsOptions& options, bool small_gradient,
                          bool small_step, double loss) {
  header.evaluations += 1;
  header.resting = 1;
  if (header.end != 0) return;
  const bool begins = header.call_steps == 0;
  const double change = loss < header.loss ? header.loss - loss : loss - header.loss;
  LbfgsEnd found = LbfgsEnd::none;
  if (small_gradient) {
    found = LbfgsEnd::gradient;
  } else if (!begins && small_step) {
    found = LbfgsEnd::step;
  } else if (!begins && change < options.tolerance_change) {
    found = LbfgsEnd::loss;
  }
  if (found == LbfgsEnd::none) {
    header.resting = 0;
    header.loss = loss;
    header.call_steps += 1;
    if (header.call_steps == static_cast<double>(options.call_steps)) header.call_steps = 0;
  } else {
    header.call_steps = 0;
    if (found == LbfgsEnd::gradient || options.call_steps == 0) lbfgs_ends(header, found);
  }
}

/// What the first step's t is multiplied by, and that of a later one with no pair.
constexpr double lbfgs_first_factor(double unit, double grad_magnitude, bool stepped) {
  const double least = unit * unit;
  const double divisor = unit * grad_magnitude;
  return 1 / (stepped || divisor < least ? least : divisor);
}

/// Whether the loss falls too little along d, with grad_dot_d = g·d.
constexpr bool lbfgs_is_flat(const LbfgsOptions& options, double grad_dot_d, bool has_pairs) {
  const double slope = has_pairs ? grad_dot_d : grad_dot_d / (options.unit * options.unit);
  return options.tolerance_change >= 0 && slope > -options.tolerance_change;
}

/// The vectors of a picture's pairs.
constexpr std::int64_t lbfgs_vectors(std::int64_t history) { return 2 * (history + 1); }
/// The header; then, for a device, the inner products of these vectors and g with each other.
constexpr std::int64_t lbfgs_state_values(std::int64_t history) {
  const std::int64_t vectors = lbfgs_vectors(history) + 1;
  return lbfgs_header_values + vectors * vectors;
}

/// The part of each picture that is moved here, where other devices move the rest at the same time.
struct LbfgsParts {
  std::int64_t count = 1;
  std::int64_t own = 0;
  /// Brings what each part has at sums + part·values, so many doubles, to all parts: on a device, in the order
  /// of its stream. Needed where there are several.
  std::function<void(double* sums, std::int64_t values)> gather = {};
};

/// On the host, a sum over the whole picture from that over the part.
inline double lbfgs_sum(const LbfgsParts& parts, double own) {
  if (parts.count == 1) return own;
  std::vector<double> sums(static_cast<std::size_t>(parts.count));
  sums[static_cast<std::size_t>(parts.own)] = own;
  parts.gather(sums.data(), 1);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// Where there are no tests, `loss` and `ended` may be null.
namespace reference {
void lbfgs(double* pixels, double* pairs, double* direction, double* last_grad, double* state,
           const double* grad, const double* loss, double* ended, const MapSize& size,
           const LbfgsOptions& options, const LbfgsParts& parts);
}

namespace cpu {
void lbfgs(float* pixels, float* pairs, float* direction, float* last_grad, double* state,
           const float* grad, const float* loss, float* ended, const MapSize& size,
           const LbfgsOptions& options, const LbfgsParts& parts);
}

/// What a device sums over a picture: three for each of the vectors and g, two for the tests.
constexpr std::int64_t lbfgs_sums(std::int64_t history) {
  return 3 * (lbfgs_vectors(history) + 1) + 2;
}
/// Doubles of workspace for the device's version.
inline std::int64_t lbfgs_workspace(const MapSize& size, std::int64_t history, std::int64_t parts) {
  const std::int64_t sums = lbfgs_sums(history) * (sum_blocks(size.per_image()) + parts);
  return size.batch * (sums + lbfgs_vectors(history) + 1);
}

namespace IMPASTO_DEVICE {
/// Enqueues the step.
void lbfgs(float* pixels, float* pairs, float* direction, float* last_grad, double* state,
           const float* grad, const float* loss, float* ended, const MapSize& size,
           const LbfgsOptions& options, const LbfgsParts& parts, double* workspace, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
