// SPDX-License-Identifier: MIT
#include "host/backend/cpu/product.hpp"

namespace impasto::cpu {
namespace {

using dnnl::memory;

memory::desc layout(const Matrix& matrix) {
  const std::int64_t stride = matrix.stride != 0 ? matrix.stride : matrix.rows * matrix.columns;
  const memory::dims strides = matrix.transposed ? memory::dims{stride, 1, matrix.rows}
                                                 : memory::dims{stride, matrix.columns, 1};
  return {{matrix.batch, matrix.rows, matrix.columns}, onednn_type(matrix.type), strides};
}

}  // namespace

Product::MatrixKey Product::key_of(const Matrix& matrix) {
  return {matrix.type, matrix.batch, matrix.rows, matrix.columns, matrix.transposed, matrix.stride};
}

void Product::operator()(const Matrix& c, const Matrix& a, const Matrix& b, bool accumulate) {
  const Key key{key_of(c), key_of(a), key_of(b), accumulate};
  auto found = primitives_.find(key);
  if (found == primitives_.end()) {
    dnnl::primitive_attr attributes;
    if (accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    const dnnl::matmul::primitive_desc chosen({layout(a), layout(b), layout(c)}, attributes,
                                              onednn_.engine);
    found = primitives_.emplace(key, dnnl::matmul(chosen)).first;
  }
  found->second.execute(onednn_.stream,
                        {{DNNL_ARG_SRC, memory(layout(a), onednn_.engine, a.data)},
                         {DNNL_ARG_WEIGHTS, memory(layout(b), onednn_.engine, b.data)},
                         {DNNL_ARG_DST, memory(layout(c), onednn_.engine, c.data)}});
}

}  // namespace impasto::cpu
