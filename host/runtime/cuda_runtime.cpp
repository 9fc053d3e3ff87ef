// SPDX-License-Identifier: MIT
// The runtime on a GPU, with one stream. An error of earlier work shows at the next call.
#include <cuda_runtime.h>
#include <nvtx3/nvToolsExt.h>

#include "host/core/error.hpp"
#include "host/runtime/launch_mode.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::cuda {
namespace {

void require_success(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  const ErrorKind kind =
      status == cudaErrorMemoryAllocation ? ErrorKind::out_of_memory : ErrorKind::backend;
  fail(kind, "{}: {}", call, cudaGetErrorString(status));
}
/// An error that was expected and dealt with must not be found by whoever asks for the last one.
void forget_last_error() { static_cast<void>(cudaGetLastError()); }

#define IMPASTO_CUDA_CALL(function, ...) require_success(function(__VA_ARGS__), #function)

struct CudaGraph final : Graph {
  explicit CudaGraph(cudaGraphExec_t ready) : executable(ready) {}
  ~CudaGraph() override { cudaGraphExecDestroy(executable); }
  cudaGraphExec_t executable;
};

struct CudaEvent final : Event {
  CudaEvent() { IMPASTO_CUDA_CALL(cudaEventCreate, &event); }
  ~CudaEvent() override { cudaEventDestroy(event); }
  bool passed() override {
    const cudaError_t status = cudaEventQuery(event);
    if (status == cudaErrorNotReady) {
      forget_last_error();
      return false;
    }
    require_success(status, "cudaEventQuery");
    return true;
  }
  void wait() override { IMPASTO_CUDA_CALL(cudaEventSynchronize, event); }
  double milliseconds_since(Event& earlier) override {
    float elapsed = 0;
    IMPASTO_CUDA_CALL(cudaEventElapsedTime, &elapsed, static_cast<CudaEvent&>(earlier).event,
                      event);
    return static_cast<double>(elapsed);
  }
  cudaEvent_t event = nullptr;
};

}  // namespace

struct Runtime::State {
  int index = 0;
  cudaStream_t stream = nullptr;
  cudaDeviceProp properties{};
};

Runtime::Runtime(int index) : state_(std::make_unique<State>()) {
  read_launch_mode();
  state_->index = index;
  make_current();
  IMPASTO_CUDA_CALL(cudaGetDeviceProperties, &state_->properties, index);
  IMPASTO_CUDA_CALL(cudaStreamCreateWithFlags, &state_->stream, cudaStreamNonBlocking);
}

Runtime::~Runtime() { cudaStreamDestroy(state_->stream); }

int Runtime::index() const { return state_->index; }
void Runtime::make_current() const { IMPASTO_CUDA_CALL(cudaSetDevice, state_->index); }

std::string Runtime::device() const {
  const cudaDeviceProp& gpu = state_->properties;
  int driver = 0;
  IMPASTO_CUDA_CALL(cudaDriverGetVersion, &driver);
  return fmt::format("{}, compute capability {}.{}, {} MiB, driver for CUDA {}.{}", gpu.name,
                     gpu.major, gpu.minor, gpu.totalGlobalMem >> 20U, driver / 1000,
                     driver % 1000 / 10);
}

int Runtime::sm() const { return 10 * state_->properties.major + state_->properties.minor; }
Stream Runtime::stream() const { return state_->stream; }
bool Runtime::synchronous() { return simt::synchronous_launches; }

std::optional<std::size_t> Runtime::free_memory() const {
  make_current();
  std::size_t free = 0;
  std::size_t total = 0;
  IMPASTO_CUDA_CALL(cudaMemGetInfo, &free, &total);
  return free;
}

std::shared_ptr<void> Runtime::allocate(std::size_t bytes) {
  make_current();
  void* data = nullptr;
  const cudaError_t status = cudaMalloc(&data, bytes);
  if (status == cudaErrorMemoryAllocation) {
    forget_last_error();
    std::size_t free = 0;
    std::size_t total = 0;
    IMPASTO_CUDA_CALL(cudaMemGetInfo, &free, &total);
    fail(ErrorKind::out_of_memory, "not enough GPU memory: {} MiB asked for, {} of {} MiB are free",
         bytes >> 20U, free >> 20U, total >> 20U);
  }
  require_success(status, "cudaMalloc");
  return {data, [](void* memory) { cudaFree(memory); }};
}

std::shared_ptr<void> Runtime::allocate_pinned(std::size_t bytes) {
  make_current();
  void* data = nullptr;
  IMPASTO_CUDA_CALL(cudaMallocHost, &data, bytes);
  return {data, [](void* memory) { cudaFreeHost(memory); }};
}

void Runtime::fill_zero(void* to, std::size_t bytes) {
  make_current();
  IMPASTO_CUDA_CALL(cudaMemsetAsync, to, 0, bytes, state_->stream);
}

void Runtime::copy(void* to, const void* from, std::size_t bytes) {
  make_current();
  IMPASTO_CUDA_CALL(cudaMemcpyAsync, to, from, bytes, cudaMemcpyDeviceToDevice, state_->stream);
}

void Runtime::copy_to_device(void* to, const void* from, std::size_t bytes) {
  make_current();
  IMPASTO_CUDA_CALL(cudaMemcpyAsync, to, from, bytes, cudaMemcpyHostToDevice, state_->stream);
}

void Runtime::copy_to_host(void* to, const void* from, std::size_t bytes) {
  make_current();
  IMPASTO_CUDA_CALL(cudaMemcpyAsync, to, from, bytes, cudaMemcpyDeviceToHost, state_->stream);
}

void Runtime::synchronize() { IMPASTO_CUDA_CALL(cudaStreamSynchronize, state_->stream); }

std::unique_ptr<Event> Runtime::make_event() {
  make_current();
  return std::make_unique<CudaEvent>();
}

void Runtime::record(Event& event) {
  make_current();
  IMPASTO_CUDA_CALL(cudaEventRecord, static_cast<CudaEvent&>(event).event, state_->stream);
}

void Runtime::begin_range(const char* name) { nvtxRangePushA(name); }
void Runtime::end_range() { nvtxRangePop(); }

std::unique_ptr<Graph> Runtime::capture(const std::function<void()>& enqueue) {
  make_current();
  IMPASTO_CUDA_CALL(cudaStreamBeginCapture, state_->stream, cudaStreamCaptureModeThreadLocal);
  cudaGraph_t graph = nullptr;
  try {
    enqueue();
  } catch (...) {
    cudaStreamEndCapture(state_->stream, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    forget_last_error();
    throw;
  }
  IMPASTO_CUDA_CALL(cudaStreamEndCapture, state_->stream, &graph);
  cudaGraphExec_t executable = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  require_success(status, "cudaGraphInstantiate");
  return std::make_unique<CudaGraph>(executable);
}

void Runtime::replay(Graph& graph) {
  make_current();
  IMPASTO_CUDA_CALL(cudaGraphLaunch, static_cast<CudaGraph&>(graph).executable, state_->stream);
}

}  // namespace impasto::cuda
