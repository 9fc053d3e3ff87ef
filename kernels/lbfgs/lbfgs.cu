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
  double* block_sums;    ///< (lbfgs_sums, blocks): of this part
  double* sums;          ///< (parts, lbfgs_sums): for each vector and g, then of the tests
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
  const float* loss;
  float* ended;
  double* workspace;
  std::int64_t count;  ///< values of a picture, or of the part that is here
  std::int64_t sum_blocks;
  std::int64_t parts;
  std::int64_t own_part;
  float unscale;
  LbfgsOptions options;

  /// Of the n-th picture, as `sums` are laid out.
  IMPASTO_HOST_DEVICE double* sums_of(std::int64_t n) const {
    const std::int64_t V = lbfgs_vectors(options.history);
    const std::int64_t all = lbfgs_sums(options.history) * (sum_blocks + parts) + V + 1;
    return workspace + n * all + lbfgs_sums(options.history) * sum_blocks;
  }

  __device__ Picture picture(std::int64_t n) const {
    const std::int64_t V = lbfgs_vectors(options.history);
    double* own_state = state + n * (lbfgs_header_values + (V + 1) * (V + 1));
    double* sums = sums_of(n);
    return {reinterpret_cast<LbfgsHeader*>(own_state),
            own_state + lbfgs_header_values,
            sums - lbfgs_sums(options.history) * sum_blocks,
            sums,
            sums + lbfgs_sums(options.history) * parts,
            pairs + n * V * count,
            direction + n * count,
            last_grad + n * count,
            pixels + n * count,
            grad + n * count};
  }

  /// Says why the n-th picture moves no more, if so.
  __device__ void say_end(std::int64_t n, const LbfgsHeader& header) const {
    ended[2 * n] = static_cast<float>(header.end);
    ended[2 * n + 1] = static_cast<float>(header.ended_at);
  }
};

/// Whether slot `slot` of a ring of `slots` holds a kept pair.
__device__ inline bool is_kept(const LbfgsHeader& header, std::int64_t slot, std::int64_t slots) {
  const std::int64_t age = (static_cast<std::int64_t>(header.next) - 1 - slot + 2 * slots) % slots;
  return age < static_cast<std::int64_t>(header.pairs);
}

/// How many components of the gradient, and how many values of the last step, are above their
/// tolerances: whole numbers, so that the order of their sums is free. A block has a share of the
/// values. Bound by memory.
__global__ void __launch_bounds__(threads) lbfgs_tests_kernel(Call call) {
  SIMT_SHARED(double, warp_sums, [32]);
  const Picture own = call.picture(blockIdx.z);
  if (own.header->end != 0) return;
  const double to_gradient = 1 / (call.options.gradient_scale * call.options.unit);
  const bool stepped = own.header->stepped != 0;
  const double to_step = own.header->length * call.options.unit;
  double above[2] = {};
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < call.count;
       i += stride) {
    const double gradient = to_gradient * static_cast<double>(own.grad[i]);
    const double step = stepped ? to_step * static_cast<double>(own.direction[i]) : 0;
    // One that is no number is above, too.
    above[0] += fabs(gradient) <= call.options.tolerance_grad ? 0 : 1;
    above[1] += fabs(step) <= call.options.tolerance_change ? 0 : 1;
  }
  const std::int64_t first = lbfgs_sums(call.options.history) - 2;
  for (int k = 0; k < 2; ++k) {
    const double sum = block_sum(above[k], warp_sums);
    if (threadIdx.x == 0) own.block_sums[(first + k) * gridDim.x + blockIdx.x] = sum;
    __syncthreads();
  }
}

/// The new pair, into the free slot. A thread takes one value at a time. Bound by memory.
__global__ void __launch_bounds__(threads) lbfgs_pair_kernel(Call call) {
  const Picture own = call.picture(blockIdx.z);
  if (own.header->end != 0 || own.header->stepped == 0) return;
  const std::int64_t slots = call.options.history + 1;
  const auto next = static_cast<std::int64_t>(own.header->next);
  const auto length = static_cast<float>(own.header->length);
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < call.count;
       i += stride) {
    own.pairs[next * call.count + i] = length * own.direction[i];
    own.pairs[(slots + next) * call.count + i] = call.unscale * own.grad[i] - own.last_grad[i];
  }
}

/// The inner products of vector blockIdx.y with the new s, the new y and g. The row after the last
/// vector is that of g itself: Σ|g|, Σg² and how many values there are. A block has a share of the
/// values. Bound by memory: each kept vector is read once.
__global__ void __launch_bounds__(threads) lbfgs_products_kernel(Call call) {
  SIMT_SHARED(double, warp_sums, [32]);
  const Picture own = call.picture(blockIdx.z);
  if (own.header->end != 0) return;
  const std::int64_t slots = call.options.history + 1;
  const std::int64_t vector = blockIdx.y;
  const bool of_gradient = vector == 2 * slots;
  const auto next = static_cast<std::int64_t>(own.header->next);
  const bool stepped = own.header->stepped != 0;
  const std::int64_t slot = vector % slots;
  const bool used = of_gradient || (stepped && (slot == next || is_kept(*own.header, slot, slots)));
  double sums[3] = {};
  if (used) {
    const float* v = own.pairs + vector * call.count;
    const float* s = own.pairs + next * call.count;
    const float* y = own.pairs + (slots + next) * call.count;
    const std::int64_t stride = std::int64_t{gridDim.x} * threads;
    for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < call.count;
         i += stride) {
      const auto g = static_cast<double>(call.unscale * own.grad[i]);
      if (of_gradient) {
        sums[0] += g < 0 ? -g : g;
        sums[1] += g * g;
        sums[2] += 1;
      } else {
        const auto value = static_cast<double>(v[i]);
        sums[0] += value * static_cast<double>(s[i]);
        sums[1] += value * static_cast<double>(y[i]);
        sums[2] += value * g;
      }
    }
  }
  for (int k = 0; k < 3; ++k) {
    const double sum = block_sum(sums[k], warp_sums);
    if (threadIdx.x == 0) own.block_sums[(vector * 3 + k) * gridDim.x + blockIdx.x] = sum;
    __syncthreads();
  }
}

/// What the blocks wrote becomes the sums of this part, one of a thread.
__global__ void __launch_bounds__(32) lbfgs_sums_kernel(Call call) {
  const Picture own = call.picture(blockIdx.z);
  if (own.header->end != 0) return;
  const std::int64_t all = lbfgs_sums(call.options.history);
  const std::int64_t entry = std::int64_t{blockIdx.x} * 32 + threadIdx.x;
  if (entry >= (call.options.tests() ? all : all - 2)) return;
  double sum = 0;
  for (std::int64_t b = 0; b < call.sum_blocks; ++b) {
    sum += own.block_sums[entry * call.sum_blocks + b];
  }
  own.sums[call.own_part * all + entry] = sum;
}

/// The tests; then the recursion on inner products: the direction is Σ c_v·v over the pairs' vectors and g, and a
/// product of a vector with it is a row of `products` times c. One block for each picture; a thread
/// takes the entries of a row in strides. Bound by its own length, 2·pairs sums one after the other;
/// the bounds of one block per SM let it keep all in registers.
__global__ void __launch_bounds__(threads, 1) lbfgs_solve_kernel(Call call) {
  SIMT_SHARED(double, warp_sums, [32]);
  SIMT_SHARED(double, total, [1]);
  SIMT_SHARED(double, gradient_squared, [1]);
  SIMT_SHARED(double, values, [1]);  // of the picture
  const Picture own = call.picture(blockIdx.z);
  const auto all = static_cast<int>(lbfgs_sums(call.options.history));
  const auto sum_of_parts = [&](int entry) {
    double sum = own.sums[entry];
    for (std::int64_t part = 1; part < call.parts; ++part) sum += own.sums[part * all + entry];
    return sum;
  };
  if (call.options.tests()) {
    if (threadIdx.x == 0) {
      LbfgsHeader header = *own.header;
      lbfgs_test(header, call.options, sum_of_parts(all - 2) == 0, sum_of_parts(all - 1) == 0,
                 static_cast<double>(call.loss[blockIdx.z]));
      *own.header = header;
      call.say_end(blockIdx.z, header);
    }
    __syncthreads();
    if (own.header->resting != 0) return;
  }
  const int slots = static_cast<int>(call.options.history) + 1;
  const int V = 2 * slots;  // also g's row
  const int width = V + 1;
  const auto next = static_cast<int>(own.header->next);
  const bool stepped = own.header->stepped != 0;

  // The sums become rows and columns of the new s, the new y and g.
  for (int entry = static_cast<int>(threadIdx.x); entry < 3 * width; entry += threads) {
    const double sum = sum_of_parts(entry);
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
    } else {
      values[0] = sum;
    }
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    LbfgsHeader header = *own.header;
    const double magnitude = total[0];
    if (stepped) {
      const double curvature = own.products[next * width + slots + next];
      if (curvature > lbfgs_least_curvature) {
        if (header.pairs < static_cast<double>(call.options.history)) header.pairs += 1;
        header.next = static_cast<double>((next + 1) % slots);
        header.inverse_curvature = curvature / own.products[(slots + next) * width + slots + next];
      }
    }
    header.length = call.options.learning_rate;
    if (header.pairs == 0) {
      header.length *= lbfgs_first_factor(call.options.unit, magnitude, stepped);
    }
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
  __syncthreads();

  if (call.options.tests()) {
    double share = 0;
    for (int v = static_cast<int>(threadIdx.x); v < width; v += threads) {
      if (c[v] == 0) continue;
      share += c[v] * (v < V ? own.products[v * width + V] : gradient_squared[0]);
    }
    const double grad_dot_d = block_sum(share, warp_sums);
    if (threadIdx.x == 0 && lbfgs_is_flat(call.options, grad_dot_d, kept > 0)) {
      LbfgsHeader header = *own.header;
      lbfgs_ends(header, LbfgsEnd::slope);
      *own.header = header;
      call.say_end(blockIdx.z, header);
    }
    __syncthreads();
  }
  if (call.options.reach <= 0) return;

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
    const double limit = call.options.reach * std::sqrt(values[0] / squared);
    const bool shorter = kept == 0 || limit < call.options.learning_rate;
    own.header->length = shorter ? limit : call.options.learning_rate;
  }
}

/// The direction, a weighted sum of vectors, the step along it, and the gradient for the next pair. A
/// thread takes one value at a time. Bound by memory: each kept vector is read once.
__global__ void __launch_bounds__(threads) lbfgs_move_kernel(Call call) {
  const Picture own = call.picture(blockIdx.z);
  if (own.header->resting != 0) return;
  const std::int64_t V = lbfgs_vectors(call.options.history);
  const auto length = static_cast<float>(own.header->length);
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < call.count;
       i += stride) {
    const float g = call.unscale * own.grad[i];
    own.last_grad[i] = g;
    double sum = own.coefficients[V] * static_cast<double>(g);
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
           const float* grad, const float* loss, float* ended, const MapSize& size,
           const LbfgsOptions& options, const LbfgsParts& parts, double* workspace, Stream stream) {
  const std::int64_t count = size.per_image();
  const Call call{pixels,
                  pairs,
                  direction,
                  last_grad,
                  state,
                  grad,
                  loss,
                  ended,
                  workspace,
                  count,
                  sum_blocks(count),
                  parts.count,
                  parts.own,
                  static_cast<float>(1 / options.gradient_scale),
                  options};
  const auto images = static_cast<unsigned>(size.batch);
  const auto vectors = static_cast<unsigned>(lbfgs_vectors(options.history));
  const auto shares = static_cast<unsigned>(call.sum_blocks);
  const unsigned blocks = blocks_for(count, threads);
  if (options.tests()) {
    simt::launch(lbfgs_tests_kernel, {"lbfgs_tests", {shares, 1, images}, {threads}}, stream, call);
  }
  simt::launch(lbfgs_pair_kernel, {"lbfgs_pair", {blocks, 1, images}, {threads}}, stream, call);
  simt::launch(lbfgs_products_kernel, {"lbfgs_products", {shares, vectors + 1, images}, {threads}},
               stream, call);
  const std::int64_t sums = lbfgs_sums(options.history);
  simt::launch(lbfgs_sums_kernel, {"lbfgs_sums", {blocks_for(sums, 32), 1, images}, {32}}, stream,
               call);
  for (std::int64_t n = 0; n < size.batch && parts.count > 1; ++n) {
    parts.gather(call.sums_of(n), sums);
  }
  simt::launch(lbfgs_solve_kernel, {"lbfgs_solve", {1, 1, images}, {threads}}, stream, call);
  simt::launch(lbfgs_move_kernel, {"lbfgs_move", {blocks, 1, images}, {threads}}, stream, call);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
