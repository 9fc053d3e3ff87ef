// SPDX-License-Identifier: MIT
#include "host/backend/cuda/conv_graph.hpp"

#include <charconv>

#include "host/core/error.hpp"

namespace impasto::cuda {
namespace {

namespace fe = cudnn_frontend;
namespace graph = cudnn_frontend::graph;
using Tensor = std::shared_ptr<graph::Tensor_attributes>;

const std::string engine_parameter = "engine";
const std::string knob_parameter = "knob ";

fe::DataType_t storage_of(Precision precision) {
  switch (precision) {
    case Precision::bf16: return fe::DataType_t::BFLOAT16;
    case Precision::fp16: return fe::DataType_t::HALF;
    default: return fe::DataType_t::FLOAT;
  }
}

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

ConvGraph::ConvGraph(const ConvProblem& problem) : problem_(problem) {
  const fe::DataType_t storage = storage_of(problem.precision);
  set_io_data_type(storage)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  const bool is_forward = problem.kind == ConvProblem::Kind::forward;
  const Tensor y = is_forward ? forward(*this, problem) : data_gradient(*this, problem);
  const std::int64_t C = is_forward ? problem.size.out_channels : problem.size.in_channels;
  const std::int64_t H = problem.size.height;
  const std::int64_t W = problem.size.width;
  y->set_output(true)
      .set_uid(conv_y)
      .set_data_type(storage)
      .set_dim({problem.size.batch, C, H, W})
      .set_stride({H * W * C, 1, W * C, C});
}

void ConvGraph::require_success(fe::error_t status, const char* step) const {
  if (status.is_good()) return;
  fail(ErrorKind::backend, "cuDNN: {}: {}: {}", problem_.describe(), step, status.get_message());
}

void ConvGraph::find_engines(const std::vector<std::uint8_t>& device) {
  const auto properties = std::make_shared<fe::DeviceProperties>();
  require_success(properties->deserialize(device), "description of the device");
  set_device_properties(properties);
  require_success(validate(), "validate");
  require_success(build_operation_graph(), "operation graph");
  require_success(create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}), "engines");
  filter_engines();
}

void ConvGraph::find_engines(cudnnHandle_t handle) {
  require_success(validate(), "validate");
  require_success(build_operation_graph(handle), "operation graph");
  require_success(create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}), "engines");
  filter_engines();
}

std::unique_ptr<ConvPlan> ConvGraph::build(std::int64_t index) {
  std::int64_t engine = 0;
  std::unordered_map<fe::KnobType_t, std::int64_t> knobs;
  if (get_engine_and_knobs_at_index(index, engine, knobs).is_bad()) return nullptr;
  auto built = std::make_unique<ConvPlan>();
  built->parameters[engine_parameter] = engine;
  for (const auto& [knob, value] : knobs) {
    // One that cudnn-frontend has no name for could not be asked for again.
    if (knob == fe::KnobType_t::NOT_SET) return nullptr;
    built->parameters[knob_parameter + std::to_string(static_cast<std::int64_t>(knob))] = value;
  }
  if (build_plan_at_index(index).is_bad()) return nullptr;
  built->plan = plans.execution_plans[static_cast<std::size_t>(index)];
  built->workspace_bytes = built->plan->getWorkspaceSize();
  return built;
}

std::unique_ptr<ConvPlan> ConvGraph::build(cudnnHandle_t handle,
                                           const std::map<std::string, std::int64_t>& parameters) {
  std::int64_t engine = -1;
  std::unordered_map<fe::KnobType_t, std::int64_t> knobs;
  for (const auto& [name, value] : parameters) {
    if (name == engine_parameter) {
      engine = value;
    } else if (name.starts_with(knob_parameter)) {
      int knob = 0;
      const char* digits = name.data() + knob_parameter.size();
      std::from_chars(digits, name.data() + name.size(), knob);
      knobs[static_cast<fe::KnobType_t>(knob)] = value;
    }
  }
  if (engine < 0) return nullptr;
  require_success(validate(), "validate");
  require_success(build_operation_graph(handle), "operation graph");
  if (create_execution_plan(engine, knobs).is_bad()) return nullptr;
  filter_engines();
  return build(0);
}

void ConvPlan::run(cudnnHandle_t handle, const std::unordered_map<std::int64_t, void*>& tensors,
                   void* workspace) const {
  std::vector<std::int64_t> uids;
  std::vector<void*> data;
  for (const auto& [uid, pointer] : tensors) {
    uids.push_back(uid);
    data.push_back(pointer);
  }
  try {
    const auto count = static_cast<std::int64_t>(uids.size());
    const auto pack = fe::VariantPackBuilder()
                          .setWorkspacePointer(workspace)
                          .setDataPointers(count, data.data())
                          .setUids(count, uids.data())
                          .build();
    const cudnnStatus_t status =
        fe::detail::execute(handle, plan->get_raw_desc(), pack.get_raw_desc());
    if (status == CUDNN_STATUS_SUCCESS) return;
    fail(ErrorKind::backend, "cuDNN: {}: {}", plan->getTag(), fe::detail::get_error_string(status));
  } catch (const fe::cudnnException& error) {
    fail(ErrorKind::backend, "cuDNN: {}: {}", plan->getTag(), error.what());
  }
}

void ConvGraph::filter_engines() {
  using Note = fe::NumericalNote_t;
  std::vector<Note> unwanted = {Note::DOWN_CONVERT_INPUTS,
                                Note::REDUCED_PRECISION_REDUCTION,
                                Note::NONDETERMINISTIC,
                                Note::FFT,
                                Note::WINOGRAD,
                                Note::WINOGRAD_TILE_4x4,
                                Note::WINOGRAD_TILE_6x6,
                                Note::WINOGRAD_TILE_13x13};
  if (problem_.precision == Precision::fp32) unwanted.push_back(Note::TENSOR_CORE);
  deselect_numeric_notes(unwanted);
}

std::int64_t ConvGraph::engine_count() const { return get_execution_plan_count(); }

std::int64_t ConvGraph::allowed_engine_count() {
  // In spite of its name: those that are not barred.
  return static_cast<std::int64_t>(plans.get_barred_engine_configs().size());
}

}  // namespace impasto::cuda
