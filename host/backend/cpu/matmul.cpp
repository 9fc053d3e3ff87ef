// SPDX-License-Identifier: MIT
#include "host/backend/cpu/matmul.hpp"

#include <algorithm>
#include <atomic>
#include <omp.h>

#include "host/core/error.hpp"

namespace impasto::cpu {
namespace {

using dnnl::memory;

/// The distance in memory from one line of the matrix to the next, in values.
std::int64_t line(const Matrix& matrix) { return matrix.transposed ? matrix.rows : matrix.columns; }

memory::desc layout(std::int64_t rows, std::int64_t columns, DataType type, bool transposed,
                    std::int64_t line) {
  const memory::dims strides = transposed ? memory::dims{1, line} : memory::dims{line, 1};
  return {{rows, columns}, onednn_type(type), strides};
}

/// A matrix of the batch, from `row` on.
void* rows_from(const Matrix& matrix, std::int64_t index, std::int64_t row) {
  const std::int64_t offset =
      index * matrix.rows * matrix.columns + row * (matrix.transposed ? 1 : matrix.columns);
  return static_cast<std::byte*>(matrix.data) +
         static_cast<std::size_t>(offset) * size_of(matrix.type);
}

/// Rows of c per block: enough to be worth a call, few enough to give many threads a block. A batch
/// has at least one block for each matrix.
std::int64_t block_rows(const Matrix& c) {
  constexpr std::int64_t least_rows = 128;
  constexpr std::int64_t most_blocks = 32;
  const std::int64_t blocks = std::max<std::int64_t>(1, most_blocks / c.batch);
  const std::int64_t rows = std::max(least_rows, (c.rows + blocks - 1) / blocks);
  return std::min(c.rows, (rows + 15) / 16 * 16);
}

}  // namespace

const Matmul::Primitive& Matmul::primitive_for(const Key& key) {
  const auto found = primitives_.find(key);
  if (found != primitives_.end()) return found->second;
  dnnl::post_ops steps;
  if (key.accumulate) steps.append_sum(1.0F);
  Primitive made;
  made.a = layout(key.rows, key.inner, key.a, key.a_transposed, key.a_line);
  made.b = layout(key.inner, key.columns, key.b, key.b_transposed, key.b_line);
  made.c = layout(key.rows, key.columns, key.c, false, key.columns);
  const OneThread one_thread;
  const auto chosen =
      describe_matmul(onednn_.engine, made.a, made.b, made.c, OneDnn::attributes(steps));
  made.matmul = dnnl::matmul(chosen);
  made.scratchpad = chosen.scratchpad_desc();
  return primitives_.emplace(key, std::move(made)).first->second;
}

void Matmul::operator()(const Matrix& c, const Matrix& a, const Matrix& b, bool accumulate) {
  const std::int64_t block = block_rows(c);
  const std::int64_t blocks = (c.rows + block - 1) / block;
  const std::int64_t last_rows = c.rows - (blocks - 1) * block;
  const auto key = [&](std::int64_t rows) {
    return Key{rows,         a.columns,  c.columns, line(a), line(b), a.transposed,
               b.transposed, accumulate, a.type,    b.type,  c.type};
  };
  const Primitive& whole = primitive_for(key(block));
  const Primitive& last = primitive_for(key(last_rows));

  constexpr std::size_t cache_line = 64;
  const std::size_t bytes = std::max(whole.scratchpad.get_size(), last.scratchpad.get_size());
  const std::size_t apart = (bytes + cache_line - 1) / cache_line * cache_line;
  const int threads = OneDnn::threads();
  auto* scratchpads =
      static_cast<std::byte*>(scratchpads_.reserve(apart * static_cast<std::size_t>(threads)));

  std::atomic<bool> failed = false;  // an exception must not leave a parallel region
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::int64_t item = 0; item < c.batch * blocks; ++item) {
    omp_set_num_threads(1);  // within this thread's task: oneDNN must not divide the block
    const std::int64_t index = item / blocks;
    const std::int64_t row = item % blocks * block;
    const Primitive& primitive = item % blocks + 1 == blocks ? last : whole;
    void* scratchpad = scratchpads + apart * static_cast<std::size_t>(omp_get_thread_num());
    const dnnl::engine& engine = onednn_.engine;
    try {
      primitive.matmul.execute(
          onednn_.stream,
          {{DNNL_ARG_SRC, memory(primitive.a, engine, rows_from(a, index, row))},
           {DNNL_ARG_WEIGHTS, memory(primitive.b, engine, rows_from(b, index, 0))},
           {DNNL_ARG_DST, memory(primitive.c, engine, rows_from(c, index, row))},
           {DNNL_ARG_SCRATCHPAD, memory(primitive.scratchpad, engine, scratchpad)}});
    } catch (const dnnl::error&) {
      failed = true;
    }
  }
  require(!failed, "oneDNN could not multiply matrices");
}

}  // namespace impasto::cpu
