// SPDX-License-Identifier: MIT
#include "host/backend/cuda/style_backward_graph.hpp"

namespace impasto::cuda {
namespace {

namespace fe = cudnn_frontend;
namespace graph = cudnn_frontend::graph;

/// Dense matrices (N,rows,columns).
graph::Tensor_attributes matrices(StyleBackwardTensor uid, std::int64_t count, std::int64_t rows,
                                  std::int64_t columns) {
  return graph::Tensor_attributes()
      .set_uid(uid)
      .set_dim({count, rows, columns})
      .set_stride({rows * columns, columns, 1});
}

graph::Pointwise_attributes mode(fe::PointwiseMode_t of) {
  return graph::Pointwise_attributes().set_mode(of);
}

}  // namespace

StyleBackwardGraph::StyleBackwardGraph(const StyleBackwardProblem& problem)
    : CudnnGraph(problem.precision, problem.describe()) {
  const std::int64_t N = problem.size.batch;
  const std::int64_t P = problem.size.pixels();
  const std::int64_t C = problem.size.channels;
  const auto map = [&](StyleBackwardTensor uid) { return tensor(matrices(uid, N, P, C)); };
  auto grad = matmul(map(style_features), tensor(matrices(style_matrix, N, C, C)),
                     graph::Matmul_attributes());
  const auto alpha = tensor(matrices(style_alpha, 1, 1, 1).set_data_type(fe::DataType_t::FLOAT));
  grad = pointwise(grad, alpha, mode(fe::PointwiseMode_t::MUL));
  if (problem.epilogue.accumulate) {
    grad = pointwise(grad, map(style_sum), mode(fe::PointwiseMode_t::ADD));
  }
  if (problem.epilogue.relu_mask) {
    grad = pointwise(grad, map(style_mask), mode(fe::PointwiseMode_t::RELU_BWD));
  }
  grad->set_output(true).set_uid(style_grad).set_dim({N, P, C}).set_stride({P * C, C, 1});
}

}  // namespace impasto::cuda
