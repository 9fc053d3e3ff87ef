// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

namespace impasto {

/// The eigenvalues of a symmetric matrix A, the largest first, and its eigenvectors u_k, so that
/// A = Σ_k values_k · u_k·u_kᵀ.
struct Eigen {
  std::vector<double> values;
  std::vector<double> vectors;  ///< (n,n), u_k in column k
};

/// Of the symmetric matrix `a` (n,n), by Jacobi's method: turns the plane of each pair of axes until nothing
/// is left beside the diagonal. Press et al., Numerical Recipes, 11.1.
Eigen eigen_of(std::vector<double> a, std::size_t n);

/// a^exponent for a symmetric matrix `a` (n,n), whose eigenvalues count as at least `least`.
std::vector<double> power_of(std::vector<double> a, std::size_t n, double exponent, double least);

}  // namespace impasto
