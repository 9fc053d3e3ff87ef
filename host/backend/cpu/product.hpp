// SPDX-License-Identifier: MIT
#pragma once

#include <dnnl.hpp>
#include <map>
#include <tuple>

#include "host/backend/cpu/onednn.hpp"

namespace impasto::cpu {

/// A dense matrix, or a batch of them: (batch, rows, columns), row-major or, transposed,
/// column-major.
struct Matrix {
  void* data;
  DataType type;
  std::int64_t batch;
  std::int64_t rows;
  std::int64_t columns;
  bool transposed = false;
  std::int64_t stride = 0;  ///< values from one matrix of the batch to the next; 0: rows·columns
};

/// Matrix products through oneDNN, primitives cached by shape.
class Product {
 public:
  explicit Product(const OneDnn& onednn) : onednn_(onednn) {}

  /// c = a·b, or c += a·b.
  void operator()(const Matrix& c, const Matrix& a, const Matrix& b, bool accumulate);

 private:
  using MatrixKey =
      std::tuple<DataType, std::int64_t, std::int64_t, std::int64_t, bool, std::int64_t>;
  using Key = std::tuple<MatrixKey, MatrixKey, MatrixKey, bool>;
  static MatrixKey key_of(const Matrix& matrix);

  const OneDnn& onednn_;
  std::map<Key, dnnl::matmul> primitives_;
};

}  // namespace impasto::cpu
