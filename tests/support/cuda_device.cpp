// SPDX-License-Identifier: MIT
#include <cuda_runtime.h>
#include <stdexcept>
#include <string>

#include "tests/support/device_array.hpp"

namespace impasto::test::device {
namespace {

void require(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

}  // namespace

void* allocate(std::size_t bytes) {
  void* data = nullptr;
  require(cudaMalloc(&data, bytes));
  require(cudaMemset(data, 0xFF, bytes));
  return data;
}
void free(void* data) { cudaFree(data); }
void write(void* to, const void* from, std::size_t bytes) {
  require(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
}
void read(void* to, const void* from, std::size_t bytes) {
  require(cudaDeviceSynchronize());
  require(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
}

int sm() {
  cudaDeviceProp properties{};
  require(cudaGetDeviceProperties(&properties, 0));
  return 10 * properties.major + properties.minor;
}

/// A GPU chooses its own order: run again and compare.
int order_count() { return 3; }
void choose_order(int /*order*/) {}

/// Its own.
int rounding_count() { return 1; }
void choose_rounding(int /*rounding*/) {}
void choose_blocks(unsigned /*blocks*/) {}

}  // namespace impasto::test::device
