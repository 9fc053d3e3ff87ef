// SPDX-License-Identifier: MIT
#include "host/backend/cuda/conv_graph.hpp"

namespace impasto::cuda {
namespace {

namespace fe = cudnn_frontend;
namespace graph = cudnn_frontend::graph;
using Tensor = std::shared_ptr<graph::Tensor_attributes>;

/// cuDNN names dimensions N,C,H,W whatever their order in memory; these strides make it NHWC.
Tensor feature_map(graph::Graph& made, ConvTensor uid, const kernels::ConvSize& size,
                   std::int64_t C) {
  const std::int64_t H = size.height;
  const std::int64_t W = size.width;
  return made.tensor(graph::Tensor_attributes()
                         .set_uid(uid)
                         .set_dim({size.batch, C, H, W})
                         .set_stride({H * W * C, 1, W * C, C}));
}

/// Filters (out,3,3,in).
Tensor filters(graph::Graph& made, std::int64_t out, std::int64_t in) {
  return made.tensor(graph::Tensor_attributes()
                         .set_uid(conv_weight)
                         .set_dim({out, in, 3, 3})
                         .set_stride({9 * in, 1, 3 * in, in}));
}

template <class Attributes>
Attributes same_size() {
  return Attributes().set_padding({1, 1}).set_stride({1, 1}).set_dilation({1, 1});
}

graph::Pointwise_attributes pointwise(fe::PointwiseMode_t mode) {
  return graph::Pointwise_attributes().set_mode(mode);
}

Tensor forward(graph::Graph& made, const ConvProblem& problem) {
  const kernels::ConvSize& size = problem.size;
  const std::int64_t K = size.out_channels;
  Tensor y = made.conv_fprop(feature_map(made, conv_x, size, size.in_channels),
                             filters(made, K, size.in_channels),
                             same_size<graph::Conv_fprop_attributes>());
  const Tensor bias = made.tensor(graph::Tensor_attributes()
                                      .set_uid(conv_bias)
                                      .set_dim({1, K, 1, 1})
                                      .set_stride({K, 1, K, K})
                                      .set_data_type(fe::DataType_t::FLOAT));
  y = made.pointwise(y, bias, pointwise(fe::PointwiseMode_t::ADD));
  if (problem.relu) y = made.pointwise(y, pointwise(fe::PointwiseMode_t::RELU_FWD));
  return y;
}

Tensor data_gradient(graph::Graph& made, const ConvProblem& problem) {
  const kernels::ConvSize& size = problem.size;
  const std::int64_t C = size.in_channels;
  const Tensor grad_y = feature_map(made, conv_x, size, size.out_channels);
  Tensor grad_x;
  if (problem.kind == ConvProblem::Kind::data_gradient) {
    grad_x = made.conv_fprop(grad_y, filters(made, C, size.out_channels),
                             same_size<graph::Conv_fprop_attributes>());
  } else {
    grad_x = made.conv_dgrad(grad_y, filters(made, size.out_channels, C),
                             same_size<graph::Conv_dgrad_attributes>());
    grad_x->set_dim({size.batch, C, size.height, size.width});
  }
  if (problem.epilogue.accumulate) {
    grad_x = made.pointwise(grad_x, feature_map(made, conv_sum, size, C),
                            pointwise(fe::PointwiseMode_t::ADD));
  }
  if (problem.epilogue.relu_mask) {
    grad_x = made.pointwise(grad_x, feature_map(made, conv_mask, size, C),
                            pointwise(fe::PointwiseMode_t::RELU_BWD));
  }
  return grad_x;
}

}  // namespace

ConvGraph::ConvGraph(const ConvProblem& problem)
    : CudnnGraph(problem.precision, problem.describe()) {
  const bool is_forward = problem.kind == ConvProblem::Kind::forward;
  const Tensor y = is_forward ? forward(*this, problem) : data_gradient(*this, problem);
  const std::int64_t C = is_forward ? problem.size.out_channels : problem.size.in_channels;
  const std::int64_t H = problem.size.height;
  const std::int64_t W = problem.size.width;
  y->set_output(true)
      .set_uid(conv_y)
      .set_dim({problem.size.batch, C, H, W})
      .set_stride({H * W * C, 1, W * C, C});
}

}  // namespace impasto::cuda
