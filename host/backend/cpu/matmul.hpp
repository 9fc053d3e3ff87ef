// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <dnnl.hpp>
#include <map>

#include "host/backend/cpu/onednn.hpp"

namespace impasto::cpu {

/// A batch of dense matrices (batch, rows, columns), row-major or, transposed, column-major.
struct Matrix {
  void* data;
  DataType type;
  std::int64_t batch;
  std::int64_t rows;
  std::int64_t columns;
  bool transposed = false;
};

/// Matrix products through oneDNN: c = a·b, or c += a·b.
///
/// Each thread computes blocks of c's rows with a primitive that was made for one thread. The
/// blocks depend on the shape alone, and so do the bits of the result. oneDNN itself, where it may
/// use several threads, splits the sum by their number on some processors.
class Matmul {
 public:
  explicit Matmul(const OneDnn& onednn) : onednn_(onednn) {}

  void operator()(const Matrix& c, const Matrix& a, const Matrix& b, bool accumulate);

 private:
  /// What the primitive of a block depends on: (rows × inner)·(inner × columns), and the distance
  /// between lines, which is that of the whole matrix.
  struct Key {
    std::int64_t rows, inner, columns, a_line, b_line;
    bool a_transposed, b_transposed, accumulate;
    DataType a, b, c;
    auto operator<=>(const Key&) const = default;
  };
  struct Primitive {
    dnnl::matmul matmul;
    dnnl::memory::desc a, b, c, scratchpad;
  };
  const Primitive& primitive_for(const Key& key);

  const OneDnn& onednn_;
  std::map<Key, Primitive> primitives_;
  Scratchpad scratchpads_;  ///< one for each thread
};

}  // namespace impasto::cpu
