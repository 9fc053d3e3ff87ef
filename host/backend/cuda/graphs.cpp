// SPDX-License-Identifier: MIT
#include "host/backend/cuda/graphs.hpp"

namespace impasto::cuda {
namespace {

namespace fe = cudnn_frontend;
namespace graph = cudnn_frontend::graph;
using TensorPtr = std::shared_ptr<graph::Tensor_attributes>;

/// cuDNN names dimensions N,C,H,W whatever their order in memory; the strides make the map NHWC.
TensorPtr feature_map(graph::Graph& made, ConvTensor uid, const kernels::ConvSize& size,
                      std::int64_t C) {
  const std::int64_t H = size.height;
  const std::int64_t W = size.width;
  return made.tensor(graph::Tensor_attributes()
                         .set_uid(uid)
                         .set_dim({size.batch, C, H, W})
                         .set_stride({H * W * C, 1, W * C, C}));
}

/// Filters (out,3,3,in).
TensorPtr filters(graph::Graph& made, std::int64_t out, std::int64_t in) {
  return made.tensor(graph::Tensor_attributes()
                         .set_uid(conv_weight)
                         .set_dim({out, in, 3, 3})
                         .set_stride({9 * in, 1, 3 * in, in}));
}

template <class Attributes>
Attributes same_size() {
  return Attributes().set_padding({1, 1}).set_stride({1, 1}).set_dilation({1, 1});
}

graph::Pointwise_attributes as(fe::PointwiseMode_t mode) {
  return graph::Pointwise_attributes().set_mode(mode);
}

TensorPtr add_bias(graph::Graph& made, const TensorPtr& y, std::int64_t channels) {
  const TensorPtr bias = made.tensor(graph::Tensor_attributes()
                                         .set_uid(conv_bias)
                                         .set_dim({1, channels, 1, 1})
                                         .set_stride({channels, 1, channels, channels}));
  return made.pointwise(y, bias, as(fe::PointwiseMode_t::ADD));
}

TensorPtr forward(graph::Graph& made, const ConvProblem& problem, ConvAs how) {
  const kernels::ConvSize& size = problem.size;
  const std::int64_t K = size.out_channels;
  TensorPtr y = made.conv_fprop(feature_map(made, conv_x, size, size.in_channels),
                                filters(made, K, size.in_channels),
                                same_size<graph::Conv_fprop_attributes>());
  if (how == ConvAs::biased_convolution) y = add_bias(made, y, K);
  if (problem.relu) y = made.pointwise(y, as(fe::PointwiseMode_t::RELU_FWD));
  return y;
}

TensorPtr data_gradient(graph::Graph& made, const ConvProblem& problem, ConvAs how) {
  const kernels::ConvSize& size = problem.size;
  const std::int64_t C = size.in_channels;
  const TensorPtr grad_y = feature_map(made, conv_x, size, size.out_channels);
  TensorPtr grad_x;
  if (how != ConvAs::own_operation) {
    grad_x = made.conv_fprop(grad_y, filters(made, C, size.out_channels),
                             same_size<graph::Conv_fprop_attributes>());
  } else {
    grad_x = made.conv_dgrad(grad_y, filters(made, size.out_channels, C),
                             same_size<graph::Conv_dgrad_attributes>());
    grad_x->set_dim({size.batch, C, size.height, size.width});
  }
  if (problem.epilogue.accumulate) {
    grad_x =
        made.pointwise(grad_x, feature_map(made, conv_sum, size, C), as(fe::PointwiseMode_t::ADD));
  }
  if (how == ConvAs::biased_convolution) grad_x = add_bias(made, grad_x, C);
  if (problem.epilogue.relu_mask) {
    grad_x = made.pointwise(grad_x, feature_map(made, conv_mask, size, C),
                            as(fe::PointwiseMode_t::RELU_BWD));
  }
  return grad_x;
}

/// What tells graphs of one problem apart in messages.
const char* remark(const ConvProblem& problem, ConvAs how) {
  const bool forward = problem.kind == ConvProblem::Kind::forward;
  switch (how) {
    case ConvAs::convolution: return forward ? ", no bias" : "";
    case ConvAs::biased_convolution: return forward ? "" : ", bias of zeros";
    case ConvAs::own_operation: return ", own operation";
  }
  return "";
}

/// Dense matrices (N,rows,columns).
graph::Tensor_attributes matrices(StyleBackwardTensor uid, std::int64_t count, std::int64_t rows,
                                  std::int64_t columns) {
  return graph::Tensor_attributes()
      .set_uid(uid)
      .set_dim({count, rows, columns})
      .set_stride({rows * columns, columns, 1});
}

}  // namespace

ConvGraph::ConvGraph(const ConvProblem& problem, ConvAs how)
    : CudnnGraph(problem.precision, problem.describe() + remark(problem, how)) {
  const bool is_forward = problem.kind == ConvProblem::Kind::forward;
  const TensorPtr y =
      is_forward ? forward(*this, problem, how) : data_gradient(*this, problem, how);
  const std::int64_t C = is_forward ? problem.size.out_channels : problem.size.in_channels;
  const std::int64_t H = problem.size.height;
  const std::int64_t W = problem.size.width;
  y->set_output(true)
      .set_uid(conv_y)
      .set_dim({problem.size.batch, C, H, W})
      .set_stride({H * W * C, 1, W * C, C});
}

StyleBackwardGraph::StyleBackwardGraph(const StyleBackwardProblem& problem)
    : CudnnGraph(problem.precision, problem.describe()) {
  const std::int64_t N = problem.size.batch;
  const std::int64_t P = problem.size.pixels();
  const std::int64_t C = problem.size.channels;
  const auto map = [&](StyleBackwardTensor uid) { return tensor(matrices(uid, N, P, C)); };
  auto grad = matmul(map(style_features), tensor(matrices(style_matrix, N, C, C)),
                     graph::Matmul_attributes());
  const auto alpha = tensor(matrices(style_alpha, 1, 1, 1).set_data_type(fe::DataType_t::FLOAT));
  grad = pointwise(grad, alpha, as(fe::PointwiseMode_t::MUL));
  if (problem.epilogue.accumulate) {
    grad = pointwise(grad, map(style_sum), as(fe::PointwiseMode_t::ADD));
  }
  if (problem.epilogue.relu_mask) {
    grad = pointwise(grad, map(style_mask), as(fe::PointwiseMode_t::RELU_BWD));
  }
  grad->set_output(true).set_uid(style_grad).set_dim({N, P, C}).set_stride({P * C, C, 1});
}

}  // namespace impasto::cuda
