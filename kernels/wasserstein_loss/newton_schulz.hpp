// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>

#include "kernels/wasserstein_loss/wasserstein_loss.hpp"

/// The order of the products, for the CPU's version and the device's. A class `Steps` does them, on
/// batches of float matrices (N,C,C):
///   multiply(c, a, b)              c = a·b, where b is symmetric
///   multiply_one(c, a, b)          the same of single matrices
///   half_of_three_minus(x)         x = (3·I − x)/2
///   normalise(y, z, norm)          norm = |y|; y = y/norm; z = I
///   normalise_root(y, z, of, norm) y is a root, divided by √of: norm = |y|; y = y/norm;
///                                  z = I/(norm·√of)
namespace impasto::kernels {

/// What a version works in.
struct NewtonSchulzMemory {
  float* y;
  float* z;
  float* t;
  float* spare;
  float* norm;       ///< (N), of the matrix whose root is taken
  float* root_norm;  ///< (N), of its root, divided by √norm

  std::int64_t images;
  std::int64_t per_image;  ///< C·C

  NewtonSchulzMemory(float* workspace, std::int64_t batch, std::int64_t channels)
      : images(batch), per_image(channels * channels) {
    y = workspace;
    z = y + images * per_image;
    t = z + images * per_image;
    spare = t + images * per_image;
    norm = spare + images * per_image;
    root_norm = norm + images;
  }
};

/// y, any symmetric positive matrix, becomes its root divided by √norm.
template <class Steps>
void take_root(Steps& steps, NewtonSchulzMemory& m) {
  steps.normalise(m.y, m.z, m.norm);
  for (int i = 0; i < root_steps; ++i) {
    steps.multiply(m.t, m.z, m.y);
    steps.half_of_three_minus(m.t);
    steps.multiply(m.spare, m.y, m.t);
    std::swap(m.spare, m.y);
    steps.multiply(m.spare, m.t, m.z);
    std::swap(m.spare, m.z);
  }
}

/// From what take_root leaves, z becomes the inverse of the root. This is the iteration for the root's
/// gradient, 2·∂(tr √B)/∂B = B^−½: it starts from I and so commutes with the root.
template <class Steps>
void invert_root(Steps& steps, NewtonSchulzMemory& m) {
  steps.normalise_root(m.y, m.z, m.norm, m.root_norm);
  for (int i = 0; i < root_steps; ++i) {
    steps.multiply(m.t, m.y, m.y);
    steps.half_of_three_minus(m.t);
    steps.multiply(m.spare, m.z, m.t);
    std::swap(m.spare, m.z);
    if (i + 1 == root_steps) break;
    steps.multiply(m.spare, m.y, m.t);
    std::swap(m.spare, m.y);
  }
}

/// y = root·x·root, where x is y or z and the root one matrix for all images.
template <class Steps>
void sandwich(Steps& steps, NewtonSchulzMemory& m, const float* root, const float* x) {
  for (std::int64_t at = 0; at < m.images * m.per_image; at += m.per_image) {
    steps.multiply_one(m.t + at, root, x + at);
    steps.multiply_one(m.y + at, m.t + at, root);
  }
}

}  // namespace impasto::kernels
