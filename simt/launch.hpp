// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "simt/cuda.hpp"
#include "simt/error.hpp"
#ifndef __CUDACC__
#include "simt/stream.hpp"
#endif

namespace simt {

/// The facts about a device that a choice between kernels may depend on.
struct DeviceFacts {
  std::string name;
  int sm = 0;        ///< compute capability, 10·major + minor
  int sm_count = 0;  ///< its SMs
};

#ifdef __CUDACC__

using StreamHandle = cudaStream_t;

/// The calling thread's device. Its properties are asked for once. Throws Error.
inline const DeviceFacts& device() {
  const auto require = [](cudaError_t status) {
    if (status != cudaSuccess) {
      throw Error(std::string("asking for the device: ") + cudaGetErrorString(status));
    }
  };
  static const std::vector<DeviceFacts> devices = [&] {
    int count = 0;
    require(cudaGetDeviceCount(&count));
    std::vector<DeviceFacts> all;
    for (int i = 0; i < count; ++i) {
      cudaDeviceProp properties{};
      require(cudaGetDeviceProperties(&properties, i));
      all.push_back({properties.name, 10 * properties.major + properties.minor,
                     properties.multiProcessorCount});
    }
    return all;
  }();
  int current = 0;
  require(cudaGetDevice(&current));
  return devices.at(static_cast<std::size_t>(current));
}

struct Grid {
  const char* name;  ///< of the kernel, for messages
  dim3 blocks;
  dim3 threads;
  std::size_t shared_bytes = 0;
  int phases = 1;  ///< see simt/cuda.hpp; with more than one all blocks have to be resident at once
};

/// Throws Error unless the status is success.
inline void require_success(cudaError_t status, const Grid& grid) {
  if (status == cudaSuccess) return;
  throw Error(std::string("kernel ") + grid.name + ": " + cudaGetErrorString(status));
}

/// Lets a kernel use more shared memory than CUDA grants by default.
inline void allow_shared_memory(const void* kernel, const Grid& grid) {
  constexpr std::size_t without_asking = 48U << 10U;
  if (grid.shared_bytes <= without_asking) return;
  require_success(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                       static_cast<int>(grid.shared_bytes)),
                  grid);
}

/// How many blocks of the kernel the calling thread's device runs at once. Throws Error.
template <class... Parameters>
unsigned resident_blocks(void (*kernel)(Parameters...), const Grid& grid) {
  const auto* function = reinterpret_cast<const void*>(kernel);
  allow_shared_memory(function, grid);
  int of_an_sm = 0;
  require_success(
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(
          &of_an_sm, function, static_cast<int>(grid.threads.x * grid.threads.y * grid.threads.z),
          grid.shared_bytes),
      grid);
  return static_cast<unsigned>(of_an_sm * device().sm_count);
}

/// Enqueues kernel(arguments...) for every thread of the grid. Throws Error.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Grid& grid, StreamHandle stream,
            Arguments... arguments) {
  const auto require = [&](cudaError_t status) { require_success(status, grid); };
  allow_shared_memory(reinterpret_cast<const void*>(kernel), grid);
  cudaLaunchConfig_t config{};
  config.gridDim = grid.blocks;
  config.blockDim = grid.threads;
  config.dynamicSmemBytes = grid.shared_bytes;
  config.stream = stream;
  cudaLaunchAttribute cooperative{};
  cooperative.id = cudaLaunchAttributeCooperative;
  cooperative.val.cooperative = 1;
  if (grid.phases > 1) {
    config.attrs = &cooperative;
    config.numAttrs = 1;
  }
  require(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...));
  if (synchronous_launches) require(cudaStreamSynchronize(stream));
}

#else

using StreamHandle = Stream*;

/// The host-SIMT machine is a device that knows the instructions of sm_90a.
inline const DeviceFacts& device() {
  static const DeviceFacts facts{"the host-SIMT machine", 90, 132};
  return facts;
}

/// The machine models neither registers nor an SM's memory: it says two blocks for each SM, or what a
/// test says, which with few of them gives a block several work tiles.
inline unsigned blocks_at_once = 2 * 132;
template <class... Parameters>
unsigned resident_blocks(void (* /*kernel*/)(Parameters...), const Grid& /*grid*/) {
  return blocks_at_once;
}

/// Enqueues kernel(arguments...) for every thread of the grid; without a stream it runs at once.
/// Throws Error for what CUDA would refuse: an impossible grid, the stream of a device that is not
/// the calling thread's. What the kernel does wrong is thrown when it runs.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Grid& grid, StreamHandle stream,
            Arguments... arguments) {
  require_valid(grid);
  if (grid.phases > 1 && grid.blocks.count() > resident_blocks(kernel, grid)) {
    throw Error(std::string("launch of ") + grid.name + ": " + std::to_string(grid.blocks.count()) +
                " blocks that wait for each other, and " +
                std::to_string(resident_blocks(kernel, grid)) + " run at once");
  }
  if (stream != nullptr && stream->device() != Machine::current()) {
    throw Error(std::string("launch of ") + grid.name + ": the stream is of device " +
                std::to_string(stream->device()) + ", the current device is " +
                std::to_string(Machine::current()));
  }
  count_call(std::string("launch of ") + grid.name);
  auto work = [=] {
    auto body = [=] { kernel(static_cast<Parameters>(arguments)...); };
    Machine::get().launch(
        grid, [](void* argument) { (*static_cast<decltype(body)*>(argument))(); }, &body, traced);
  };
  if (stream != nullptr) {
    stream->enqueue(work);
    if (synchronous_launches) stream->synchronize();
  } else {
    work();
  }
}

#endif

}  // namespace simt
