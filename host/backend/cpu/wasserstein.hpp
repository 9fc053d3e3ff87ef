// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/backend/cpu/matmul.hpp"
#include "host/backend/ops.hpp"

namespace impasto::cpu {

/// kernels/wasserstein_loss/wasserstein_loss.hpp through products of floats, whatever the network
/// computes in.
class Wasserstein {
 public:
  explicit Wasserstein(Matmul& matmul) : matmul_(matmul) {}

  void covariance_root(const Tensor& root, const Tensor& second_moment, const Tensor& statistics);
  void loss(const Tensor& loss, const Tensor& matrix, const Tensor& coefficients,
            const Tensor& gram, const Tensor& statistics, const WassersteinTarget& target,
            const WassersteinScale& scale);

 private:
  float* workspace(std::int64_t batch, std::int64_t channels);

  Matmul& matmul_;
  std::vector<float> workspace_;  ///< grows for more channels
};

}  // namespace impasto::cpu
