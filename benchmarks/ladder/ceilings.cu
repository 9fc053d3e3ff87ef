// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>

#include "benchmarks/ladder/ceilings.hpp"
#include "kernels/common/mma.cuh"
#include "simt/launch.hpp"

namespace impasto::bench::cuda {
namespace {

namespace device = kernels::cuda;

constexpr int threads = 256;
constexpr int rounds = 2048;
constexpr int chains = 8;  // independent of each other: more than latency times throughput

/// Past the L1 cache, which would otherwise hold a processor's share.
__device__ __forceinline__ float4 load(const float4* from) { return __ldcg(from); }

__global__ void __launch_bounds__(threads)
    copy_kernel(float4* to, const float4* from, std::int64_t count, int times) {
  for (int time = 0; time < times; ++time) {
    for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count;
         i += std::int64_t{gridDim.x} * threads) {
      to[i] = load(from + i);
    }
  }
}

/// Ordinary numbers: zeros save power and let the clock rise. The bits of `mask` are by chance (a
/// mixing function after Murmur3's), the others those of `bits`.
__device__ __forceinline__ std::uint32_t random_bits(std::uint32_t index, std::uint32_t bits,
                                                     std::uint32_t mask) {
  std::uint32_t z = index * 0x9e3779b9U;
  z = (z ^ (z >> 16U)) * 0x85ebca6bU;
  z = (z ^ (z >> 13U)) * 0xc2b2ae35U;
  return bits | ((z ^ (z >> 16U)) & mask);
}

/// From 0.5 to 1.
__global__ void __launch_bounds__(threads) fill_kernel(std::uint32_t* to, std::int64_t count) {
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count;
       i += std::int64_t{gridDim.x} * threads) {
    to[i] = random_bits(static_cast<std::uint32_t>(i), 0x3f000000U, 0x007fffffU);
  }
}

/// Sums what is above zero; written where the sum is not, so that it has to be read.
__global__ void __launch_bounds__(threads)
    read_kernel(float4* out, const float4* from, std::int64_t count, int times) {
  float4 sum = {};
  for (int time = 0; time < times; ++time) {
#pragma unroll 4
    for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count;
         i += std::int64_t{gridDim.x} * threads) {
      const float4 value = load(from + i);
      sum.x += value.x;
      sum.y += value.y;
      sum.z += value.z;
      sum.w += value.w;
    }
  }
  if (sum.x + sum.y + sum.z + sum.w < 0) out[threadIdx.x] = sum;
}

/// The values converge to 1; written where they do not, so that they have to be computed.
__global__ void __launch_bounds__(threads) fma_kernel(float* out, float factor) {
  float sum[chains];
#pragma unroll
  for (int c = 0; c < chains; ++c) sum[c] = static_cast<float>(c);
#pragma unroll 16
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int c = 0; c < chains; ++c) sum[c] = sum[c] * factor + factor;
  }
  float total = 0;
#pragma unroll
  for (int c = 0; c < chains; ++c) total += sum[c];
  if (total < 0) out[threadIdx.x] = total;
}

/// Products of numbers between -1 and 1; written where the sum is infinite, which it is not.
template <class T>
__global__ void __launch_bounds__(threads)
    mma_kernel(float* out, std::uint32_t bits, std::uint32_t mask) {
  std::uint32_t a[4];
  std::uint32_t b[2];
#pragma unroll
  for (int i = 0; i < 4; ++i) a[i] = random_bits(6 * threadIdx.x + i, bits, mask);
#pragma unroll
  for (int i = 0; i < 2; ++i) b[i] = random_bits(6 * threadIdx.x + 4 + i, bits, mask);
  float sum[chains][4] = {};
#pragma unroll 8
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int c = 0; c < chains; ++c) device::mma<T>(sum[c], a, b);
  }
  float total = 0;
#pragma unroll
  for (int c = 0; c < chains; ++c) total += sum[c][0] + sum[c][1] + sum[c][2] + sum[c][3];
  if (total > 1e30F) out[threadIdx.x] = total;
}

/// Cycles and nanoseconds of one multiprocessor.
__global__ void clock_kernel(long long* out, long long nanoseconds) {
  const auto now = [] {
    long long time = 0;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(time));
    return time;
  };
  const long long start = now();
  const long long cycles = clock64();
  while (now() - start < nanoseconds) {
  }
  out[0] = clock64() - cycles;
  out[1] = now() - start;
}

/// The least of ten, after two to warm up.
double seconds(Runtime& runtime, const std::function<void()>& launch) {
  const auto begin = runtime.make_event();
  const auto end = runtime.make_event();
  double least = 1e30;
  for (int time = 0; time < 12; ++time) {
    runtime.record(*begin);
    launch();
    runtime.record(*end);
    end->wait();
    if (time >= 2) least = std::min(least, end->milliseconds_since(*begin));
  }
  return 1e-3 * least;
}

}  // namespace

Ceilings measure_ceilings(Runtime& runtime) {
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, runtime.index()) != cudaSuccess) {
    throw std::runtime_error("cudaGetDeviceProperties failed");
  }
  const std::int64_t beyond_caches =
      std::max<std::int64_t>(8 * properties.l2CacheSize, std::int64_t{256} << 20U);
  const auto both = static_cast<std::size_t>(2 * beyond_caches);
  const std::shared_ptr<void> allocated = runtime.allocate(both);
  auto* memory = static_cast<float*>(allocated.get());
  const auto* from = reinterpret_cast<const float4*>(memory);
  auto* to = reinterpret_cast<float4*>(memory + beyond_caches / 4);

  const auto stream = runtime.stream();
  const auto blocks = static_cast<unsigned>(properties.multiProcessorCount * 8);
  const simt::Grid grid{"ceiling", {blocks}, {threads}};
  simt::launch(fill_kernel, grid, stream, reinterpret_cast<std::uint32_t*>(memory),
               beyond_caches / 2);
  /// Bytes per second of a kernel that moves each of `bytes` so many times, once or in and out.
  const auto rate = [&](auto kernel, double moved, std::int64_t bytes, int times) {
    const double taken =
        seconds(runtime, [&] { simt::launch(kernel, grid, stream, to, from, bytes / 16, times); });
    return moved * static_cast<double>(bytes) * times / taken;
  };
  const std::int64_t in_l2 = properties.l2CacheSize / 4;
  const double all_threads = static_cast<double>(blocks) * threads;
  Ceilings ceilings = {{"copy_bytes_per_second", rate(copy_kernel, 2, beyond_caches, 1)},
                       {"read_bytes_per_second", rate(read_kernel, 1, beyond_caches, 1)},
                       {"l2_copy_bytes_per_second", rate(copy_kernel, 2, in_l2, 50)},
                       {"l2_read_bytes_per_second", rate(read_kernel, 1, in_l2, 50)},
                       {"fma_flops", 2.0 * rounds * chains * all_threads / seconds(runtime, [&] {
                                       simt::launch(fma_kernel, grid, stream, memory, 0.5F);
                                     })}};
  if (properties.major >= 8) {
    // The bits that every number has, and those that are left to chance.
    const auto mma_rate = [&](auto kernel, double K, std::uint32_t bits, std::uint32_t mask) {
      const double taken =
          seconds(runtime, [&] { simt::launch(kernel, grid, stream, memory, bits, mask); });
      return 2.0 * 16 * 8 * K * rounds * chains * all_threads / 32 / taken;
    };
    ceilings["tf32_flops"] = mma_rate(mma_kernel<float>, 8, 0x3f000000U, 0x807fe000U);
    ceilings["bf16_flops"] = mma_rate(mma_kernel<kernels::bfloat16>, 16, 0x3f003f00U, 0x807f807fU);
    ceilings["fp16_flops"] = mma_rate(mma_kernel<kernels::float16>, 16, 0x38003800U, 0x83ff83ffU);
  }
  return ceilings;
}

double sm_megahertz(Runtime& runtime) {
  std::array<long long, 2> counted{};
  const std::shared_ptr<void> on_device = runtime.allocate(sizeof counted);
  simt::launch(clock_kernel, {"clock", {1}, {1}}, runtime.stream(),
               static_cast<long long*>(on_device.get()), 100'000LL);
  runtime.copy_to_host(counted.data(), on_device.get(), sizeof counted);
  runtime.synchronize();
  return 1e3 * static_cast<double>(counted[0]) / static_cast<double>(counted[1]);
}

}  // namespace impasto::bench::cuda
