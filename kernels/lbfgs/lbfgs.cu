// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "kernels/common/blocks.hpp"
#include "kernels/common/reduce.cuh"
#include "kernels/lbfgs/lbfgs.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// Where the parts of one picture are.
struct Picture {
  LbfgsHeader* header;
  double* products;      ///< (V+1,V+1), V = vectors; the last row and column are g's
  double* sums;          ///< (V+1, 3, blocks): what the products' blocks wrote
  double* coefficients;  ///< (V+1): of the direction
  float* pairs;
  float* direction;
  float* last_grad;
  float* pixels;
  const float* grad;
};

/// The arguments of every kernel below; blockIdx.z is the picture.
struct Call {
  float* pixels;
  float* pairs;
  float* direction;
  float* last_grad;
  double* state;
  const float* grad;
  double* workspace;
  std::int64_t count;  ///< values of a picture
  std::int64_t history;
  std::int64_t sum_blocks;
  float unscale;
  double learning_rate;
  double unit;
  double reach;

  __device__ Picture picture(std::int64_t n) const {
    const std::int64_t V = 2 * (history + 1);
    double* own_state = state + n * (lbfgs_header_values + (V + 1) * (V + 1));
    double* own_sums = workspace + n * (3 * (V + 1) * sum_blocks + V + 1);
    return {reinterpret_cast<LbfgsHeader*>(own_state),
            own_state + lbfgs_header_values,
            own_sums,
            own_sums + 3 * (V + 1) * sum_blocks,
            pairs + n * V * count,
            direction + n * count,
            last_grad + n * count,
            pixels + n * count,
            grad + n * count};
  }
};

/// Whether slot `slot` of a ring of `slots` holds a kept pair.
__device__ inline bool is_kept(const LbfgsHeader& header, std::int64_t slot, std::int64_t slots) {
  const std::int64_t age = (static_cast<std::int64_t>(header.next) - 1 - slot + 2 * slots) % slots;
  return age < static_cast<std::int64_t>(header.pairs);
}

/// The new pair, into the free slot, and the gradient for the next one. A thread takes one value at
/// a time. Bound by memory.
__global__ void __launch_bounds__(threads) lbfgs_pair_kernel(Call call) {
  const Picture own = call.picture(blockIdx.z);
  const std::int64_t slots = call.history + 1;
  const auto next = static_cast<std::int64_t>(own.header->next);
  const bool stepped = own.header->stepped != 0;
  const auto length = static_cast<float>(own.header->length);
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < call.count;
       i += stride) {
    const float g = call.unscale * own.grad[i];
    if (stepped) {
      own.pairs[next * call.count + i] = length * own.direction[i];
      own.pairs[(slots + next) * call.count + i] = g - own.last_grad[i];
    }
    own.last_grad[i] = g;
  }
}

/// The inner products of vector blockIdx.y with the new s, the new y and g. The row after the last
/// vector is that of g itself, and has Σ|g| in its first place. A block has a share of the values.
/// Bound by memory: each kept vector is read once.
__global__ void __launch_bounds__(threads) lbfgs_products_kernel(Call call) {
  SIMT_SHARED(double, warp_sums, [32]);
  const Picture own = call.picture(blockIdx.z);
  const std::int64_t slots = call.history + 1;
  const std::int64_t vector = blockIdx.y;
  const bool of_gradient = vector == 2 * slots;
  const auto next = static_cast<std::int64_t>(own.header->next);
  const bool stepped = own.header->stepped != 0;
  const std::int64_t slot = vector % slots;
  const bool used = of_gradient || (stepped && (slot == next || is_kept(*own.header, slot, slots)));
  double sums[3] = {};
  if (used) {
    const float* v = of_gradient ? own.last_grad : own.pairs + vector * call.count;
    const float* s = own.pairs + next * call.count;
    const float* y = own.pairs + (slots + next) * call.count;
    const std::int64_t stride = std::int64_t{gridDim.x} * threads;
    for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < call.count;
         i += stride) {
      const auto value = static_cast<double>(v[i]);
      if (of_gradient) {
        sums[0] += value < 0 ? -value : value;
        sums[1] += value * value;
      } else {
        sums[0] += value * static_cast<double>(s[i]);
        sums[1] += value * static_cast<double>(y[i]);
        sums[2] += value * static_cast<double>(own.last_grad[i]);
      }
    }
  }
  for (int k = 0; k < 3; ++k) {
    const double sum = block_sum(sums[k], warp_sums);
    if (threadIdx.x == 0) own.sums[(vector * 3 + k) * gridDim.x + blockIdx.x] = sum;
    __syncthreads();
  }
}

/// The recursion on inner products: the direction is Σ c_v·v over the pairs' vectors and g, and a
/// product of a vector with it is a row of `products` times c. One block for each picture; a thread
/// takes the entries of a row in strides. Bound by its own length, 2·pairs sums one after the other;
/// the bounds of one block per SM let it keep all in registers.
__global__ void __launch_bounds__(threads, 1) lbfgs_solve_kernel(Call call) {
  SIMT_SHARED(double, warp_sums, [32]);
  SIMT_SHARED(double, total, [1]);
  SIMT_SHARED(double, gradient_squared, [1]);
  const Picture own = call.picture(blockIdx.z);
  const int slots = static_cast<int>(call.history) + 1;
  const int V = 2 * slots;  // also g's row
  const int width = V + 1;
  const auto next = static_cast<int>(own.header->next);
  const bool stepped = own.header->stepped != 0;

  // The blocks' sums become rows and columns of the new s, the new y and g.
  for (int entry = static_cast<int>(threadIdx.x); entry < 3 * width; entry += threads) {
    double sum = 0;
    for (std::int64_t b = 0; b < call.sum_blocks; ++b) sum += own.sums[entry * call.sum_blocks + b];
    const int vector = entry / 3;
    const int with = entry % 3 == 0 ? next : entry % 3 == 1 ? slots + next : V;
    if (vector < V) {
      own.products[vector * width + with] = sum;
      const bool is_new = vector == next || vector == slots + next;
      if (!is_new) own.products[with * width + vector] = sum;
    } else if (entry % 3 == 0) {
      total[0] = sum;  // Σ|g|
    } else if (entry % 3 == 1) {
      gradient_squared[0] = sum;
    }
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    LbfgsHeader header = *own.header;
    const double magnitude = total[0];
    if (stepped) {
      const double curvature = own.products[next * width + slots + next];
      if (curvature > lbfgs_least_curvature) {
        if (header.pairs < static_cast<double>(call.history)) header.pairs += 1;
        header.next = static_cast<double>((next + 1) % slots);
        header.inverse_curvature = curvature / own.products[(slots + next) * width + slots + next];
      }
    }
    const double u = call.unit;
    const double first = u * magnitude <= u * u ? 1 / (u * u) : 1 / (u * magnitude);
    header.length = call.learning_rate * (stepped ? 1 : first);
    header.stepped = 1;
    *own.header = header;
  }

  // c = −g at first.
  double* c = own.coefficients;
  for (int v = static_cast<int>(threadIdx.x); v < width; v += threads) c[v] = v == V ? -1 : 0;
  __syncthreads();
  const auto kept = static_cast<int>(own.header->pairs);
  const auto newest = static_cast<int>(own.header->next) - 1;
  // The coefficient of a pair's y is −alpha, then −alpha·h. Whoever calls this passes a barrier before
  // the next call, which writes to `total` again. A thread reads those c that it has scaled itself.
  const auto product_with_direction = [&](int vector) {
    double sum = 0;
    for (int v = static_cast<int>(threadIdx.x); v < width; v += threads) {
      if (c[v] != 0) sum += own.products[vector * width + v] * c[v];
    }
    sum = block_sum(sum, warp_sums);
    if (threadIdx.x == 0) total[0] = sum;
    __syncthreads();
    return total[0];
  };
  for (int age = 0; age < kept; ++age) {
    const int slot = (newest - age + 2 * slots) % slots;
    const double with_s = product_with_direction(slot);
    if (threadIdx.x == 0) {
      c[slots + slot] -= with_s / own.products[slot * width + slots + slot];
    }
    __syncthreads();
  }
  const double h = kept > 0 ? own.header->inverse_curvature : 1;
  for (int v = static_cast<int>(threadIdx.x); v < width; v += threads) c[v] *= h;
  for (int age = kept - 1; age >= 0; --age) {
    const int slot = (newest - age + 2 * slots) % slots;
    const double with_y = product_with_direction(slots + slot);
    if (threadIdx.x == 0) {
      const double alpha = -c[slots + slot] / h;
      c[slot] += alpha - with_y / own.products[slot * width + slots + slot];
    }
    __syncthreads();
  }
  if (call.reach <= 0) return;
  __syncthreads();

  // |d|² = Σ c_v·c_w·⟨v, w⟩, a row a thread. That of g is among the products as a column.
  double share = 0;
  for (int v = static_cast<int>(threadIdx.x); v < width; v += threads) {
    if (c[v] == 0) continue;
    double row = 0;
    for (int w = 0; w < width; ++w) {
      if (c[w] == 0) continue;
      const double product = v < V   ? own.products[v * width + w]
                             : w < V ? own.products[w * width + v]
                                     : gradient_squared[0];
      row += product * c[w];
    }
    share += c[v] * row;
  }
  const double squared = block_sum(share, warp_sums);
  if (threadIdx.x == 0 && squared > 0) {
    const double limit = call.reach * std::sqrt(static_cast<double>(call.count) / squared);
    const bool shorter = kept == 0 || limit < call.learning_rate;
    own.header->length = shorter ? limit : call.learning_rate;
  }
}

/// The direction, a weighted sum of vectors, and the step along it. A thread takes one value at a
/// time. Bound by memory: each kept vector is read once.
__global__ void __launch_bounds__(threads) lbfgs_move_kernel(Call call) {
  const Picture own = call.picture(blockIdx.z);
  const std::int64_t V = 2 * (call.history + 1);
  const auto length = static_cast<float>(own.header->length);
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < call.count;
       i += stride) {
    double sum = own.coefficients[V] * static_cast<double>(own.last_grad[i]);
    for (std::int64_t v = 0; v < V; ++v) {
      const double c = own.coefficients[v];
      if (c != 0) sum += c * static_cast<double>(own.pairs[v * call.count + i]);
    }
    const auto d = static_cast<float>(sum);
    own.direction[i] = d;
    own.pixels[i] += length * d;
  }
}

}  // namespace

void lbfgs(float* pixels, float* pairs, float* direction, float* last_grad, double* state,
           const float* grad, const MapSize& size, const LbfgsOptions& options, double* workspace,
           Stream stream) {
  const std::int64_t count = size.per_image();
  const Call call{pixels,
                  pairs,
                  direction,
                  last_grad,
                  state,
                  grad,
                  workspace,
                  count,
                  options.history,
                  sum_blocks(count),
                  static_cast<float>(1 / options.gradient_scale),
                  options.learning_rate,
                  options.unit,
                  options.reach};
  const auto images = static_cast<unsigned>(size.batch);
  const auto vectors = static_cast<unsigned>(lbfgs_vectors(options.history));
  const auto shares = static_cast<unsigned>(call.sum_blocks);
  const unsigned blocks = blocks_for(count, threads);
  simt::launch(lbfgs_pair_kernel, {"lbfgs_pair", {blocks, 1, images}, {threads}}, stream, call);
  simt::launch(lbfgs_products_kernel, {"lbfgs_products", {shares, vectors + 1, images}, {threads}},
               stream, call);
  simt::launch(lbfgs_solve_kernel, {"lbfgs_solve", {1, 1, images}, {threads}}, stream, call);
  simt::launch(lbfgs_move_kernel, {"lbfgs_move", {blocks, 1, images}, {threads}}, stream, call);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
