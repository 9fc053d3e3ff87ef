// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cudnn.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "host/backend/cuda/cublaslt.hpp"
#include "host/backend/cuda/loading.hpp"
#include "host/core/error.hpp"

namespace cudnn_frontend {
/// Where cudnn-frontend looks for cuDNN's functions.
void* cudnn_dlhandle = nullptr;
}  // namespace cudnn_frontend

namespace impasto::cuda {
namespace {

namespace fe = cudnn_frontend;

const std::string engine_parameter = "engine";
const std::string knob_parameter = "knob ";
/// Of a knob with more values, as the number of parts of a sum, the 1st, 2nd, 4th … is tried.
constexpr std::int64_t most_values = 32;

std::string parameter_of(fe::KnobType_t knob) {
  return knob_parameter + std::to_string(static_cast<std::int64_t>(knob));
}

fe::DataType_t cudnn_type(DataType type) {
  switch (type) {
    case DataType::bf16: return fe::DataType_t::BFLOAT16;
    case DataType::fp16: return fe::DataType_t::HALF;
    default: return fe::DataType_t::FLOAT;
  }
}

constexpr std::size_t oldest = 90300;  // the first that takes maps of 2³¹ values

std::string version_text(std::size_t version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

/// The compiler of cuDNN's own engines, which looks for it by name alone; without it cuDNN still has
/// the engines that it brings compiled.
void load_compiler() {
  try {
    SharedLibrary(fmt::format("libnvrtc.so.{}", CUBLAS_VER_MAJOR), toolkit_wheel);
  } catch (const Error&) {
    return;
  }
}

const SharedLibrary& library() {
  static const SharedLibrary loaded = [] {
    cublaslt();
    load_compiler();
    return SharedLibrary("libcudnn.so.9", "cudnn");
  }();
  return loaded;
}

}  // namespace

void load_cudnn() {
  cudnn_frontend::cudnn_dlhandle = library().handle();
  const std::size_t found = fe::detail::get_backend_version();
  if (found >= oldest) return;
  fail(ErrorKind::backend, "cuDNN {} is too old: {} is needed", version_text(found),
       version_text(oldest));
}

std::shared_ptr<cudnnContext> open_cudnn(kernels::cuda::Stream stream) {
  load_cudnn();
  const auto require_success = [](cudnnStatus_t status, const char* call) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    const ErrorKind kind =
        status == CUDNN_STATUS_ALLOC_FAILED ? ErrorKind::out_of_memory : ErrorKind::backend;
    fail(kind, "{}: {}", call, fe::detail::get_error_string(status));
  };
  cudnnHandle_t made = nullptr;
  require_success(fe::detail::create_handle(&made), "cudnnCreate");
  std::shared_ptr<cudnnContext> handle(made,
                                       [](cudnnHandle_t old) { fe::detail::destroy_handle(old); });
  require_success(fe::detail::set_stream(made, stream), "cudnnSetStream");
  return handle;
}

std::string cudnn_version() { return version_text(fe::detail::get_backend_version()); }

std::string cudnn_file() { return library().path(); }

CudnnGraph::CudnnGraph(Precision precision, std::string description)
    : precision_(precision), description_(std::move(description)) {
  set_io_data_type(cudnn_type(storage_of(precision)))
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
}

void CudnnGraph::require_success(fe::error_t status, const char* step) const {
  if (status.is_good()) return;
  fail(ErrorKind::backend, "cuDNN: {}: {}: {}", description_, step, status.get_message());
}

void CudnnGraph::prepare(cudnnHandle_t handle) {
  require_success(validate(), "validate");
  require_success(build_operation_graph(handle), "operation graph");
}

void CudnnGraph::prepare(const std::vector<std::uint8_t>& device) {
  const auto properties = std::make_shared<fe::DeviceProperties>();
  require_success(properties->deserialize(device), "description of the device");
  set_device_properties(properties);
  require_success(validate(), "validate");
  require_success(build_operation_graph(), "operation graph");
}

void CudnnGraph::find_engines() {
  require_success(create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}), "engines");
  engines_.clear();
  for (std::int64_t index = 0; index < get_execution_plan_count(); ++index) {
    if (is_allowed(index)) engines_.push_back(index);
  }
  std::stable_partition(engines_.begin(), engines_.end(),
                        [this](std::int64_t index) { return is_precompiled(index); });
}

std::unique_ptr<CudnnPlan> CudnnGraph::build(std::int64_t index) {
  std::int64_t engine = 0;
  std::unordered_map<fe::KnobType_t, std::int64_t> knobs;
  if (get_engine_and_knobs_at_index(index, engine, knobs).is_bad()) return nullptr;
  auto built = std::make_unique<CudnnPlan>();
  built->parameters[engine_parameter] = engine;
  for (const auto& [knob, value] : knobs) {
    // One that cudnn-frontend has no name for could not be asked for again.
    if (knob == fe::KnobType_t::NOT_SET) return nullptr;
    built->parameters[parameter_of(knob)] = value;
  }
  if (build_plan_at_index(index).is_bad()) return nullptr;
  built->plan = plans.execution_plans[static_cast<std::size_t>(index)];
  built->workspace_bytes = built->plan->getWorkspaceSize();
  return built;
}

std::unique_ptr<CudnnPlan> CudnnGraph::build(
    const std::map<std::string, std::int64_t>& parameters) {
  const auto engine = parameters.find(engine_parameter);
  if (engine == parameters.end()) return nullptr;
  std::unordered_map<fe::KnobType_t, std::int64_t> knobs;
  for (const auto& [name, value] : parameters) {
    if (!name.starts_with(knob_parameter)) continue;
    int knob = 0;
    const char* digits = name.data() + knob_parameter.size();
    std::from_chars(digits, name.data() + name.size(), knob);
    knobs[static_cast<fe::KnobType_t>(knob)] = value;
  }
  if (create_execution_plan(engine->second, knobs).is_bad()) return nullptr;
  const std::int64_t index = get_execution_plan_count() - 1;
  return is_allowed(index) ? build(index) : nullptr;
}

std::vector<Knob> CudnnGraph::knobs(const std::map<std::string, std::int64_t>& parameters) {
  using Descriptor = fe::detail::backend_descriptor;
  const auto number = parameters.find(engine_parameter);
  if (number == parameters.end()) return {};
  // cudnn-frontend's own query forgets the description of the device.
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  if (fe::detail::create_engine(engine, number->second, operation_graph->get_raw_desc(),
                                device_properties)
          .is_bad()) {
    return {};
  }
  std::vector<Descriptor> descriptors;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int i = 0; i < CUDNN_KNOB_TYPE_COUNTS; ++i) {
    descriptors.emplace_back(CUDNN_BACKEND_KNOB_INFO_DESCRIPTOR);
    raw.push_back(descriptors.back().get_ptr());
  }
  std::int64_t count = 0;
  if (fe::detail::get_attribute(engine.get_ptr(), CUDNN_ATTR_ENGINE_KNOB_INFO,
                                CUDNN_TYPE_BACKEND_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS, &count,
                                raw.data()) != CUDNN_STATUS_SUCCESS) {
    return {};
  }
  raw.resize(static_cast<std::size_t>(std::min<std::int64_t>(count, CUDNN_KNOB_TYPE_COUNTS)));
  std::vector<Knob> all;
  for (const auto descriptor : raw) {
    const auto read = [&](cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                          auto value) {
      std::int64_t read_count = 0;
      fe::detail::get_attribute(descriptor, name, type, 1, &read_count, &value);
      return value;
    };
    const auto whole = [&](cudnnBackendAttributeName_t name) {
      return read(name, CUDNN_TYPE_INT64, std::int64_t{0});
    };
    const auto knob = fe::convert_from_backend_knob_type(
        read(CUDNN_ATTR_KNOB_INFO_TYPE, CUDNN_TYPE_KNOB_TYPE, CUDNN_KNOB_TYPE_COUNTS));
    if (knob == fe::KnobType_t::NOT_SET) continue;  // could not be asked for
    const std::int64_t first = whole(CUDNN_ATTR_KNOB_INFO_MINIMUM_VALUE);
    const std::int64_t last = whole(CUDNN_ATTR_KNOB_INFO_MAXIMUM_VALUE);
    const std::int64_t stride = std::max<std::int64_t>(whole(CUDNN_ATTR_KNOB_INFO_STRIDE), 1);
    const bool doubling = (last - first) / stride >= most_values;
    Knob& added = all.emplace_back(Knob{parameter_of(knob), {}});
    for (std::int64_t step = 0; first + step * stride <= last; step += doubling ? step + 1 : 1) {
      added.values.push_back(first + step * stride);
    }
  }
  return all;
}

void CudnnPlan::run(cudnnHandle_t handle, const std::unordered_map<std::int64_t, void*>& tensors,
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

bool CudnnGraph::is_allowed(std::int64_t index) const {
  using Note = fe::NumericalNote_t;
  const std::vector<Note>& notes = plans.numeric_notes[static_cast<std::size_t>(index)];
  return std::none_of(notes.begin(), notes.end(), [&](Note note) {
    switch (note) {
      case Note::DOWN_CONVERT_INPUTS:
      case Note::REDUCED_PRECISION_REDUCTION:
      case Note::NONDETERMINISTIC:
      case Note::FFT:
      case Note::WINOGRAD:
      case Note::WINOGRAD_TILE_4x4:
      case Note::WINOGRAD_TILE_6x6:
      case Note::WINOGRAD_TILE_13x13: return true;
      case Note::TENSOR_CORE: return precision_ == Precision::fp32;
      default: return false;
    }
  });
}

bool CudnnGraph::is_precompiled(std::int64_t index) const {
  std::vector<fe::BehaviorNote_t> notes;
  require_success(get_behavior_notes_for_plan_at_index(index, notes), "notes");
  return std::find(notes.begin(), notes.end(), fe::BehaviorNote_t::RUNTIME_COMPILATION) ==
         notes.end();
}

std::int64_t CudnnGraph::precompiled_engine_count() const {
  return std::count_if(engines_.begin(), engines_.end(),
                       [this](std::int64_t index) { return is_precompiled(index); });
}

}  // namespace impasto::cuda
