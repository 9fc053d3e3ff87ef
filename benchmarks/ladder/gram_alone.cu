// SPDX-License-Identifier: MIT
// The Gram ladder with nothing but the CUDA toolkit: for trying a rung on a machine that has a GPU and
// nothing else. cuda_bench, which needs the project's libraries, measures every operation, by noise, against
// ceilings; this one is for looking.
//
//   nvcc -std=c++20 -O3 --expt-relaxed-constexpr -lineinfo -arch=native -DIMPASTO_DEVICE=cuda -I. \
//     benchmarks/ladder/gram_alone.cu kernels/gram/gram.cu -o gram_alone
//   ./gram_alone bf16 65536 128        (fp32, bf16 or fp16; pixels; channels)
//
// Every rung that the GPU runs: some rows of its result against a sum in double, then the median of the
// times of 21 rounds of 20 launches, over sets of arrays that are three times the L2 cache together. Ends with 8
// where a rung is wrong, with 5 without a GPU.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cuda_runtime.h>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/gram/gram.hpp"

namespace {

using namespace impasto::kernels;

constexpr int least_launches = 20;
constexpr int rounds = 21;
constexpr double most_error = 1e-2;  // of tf32 and 16 bits, by the largest value of a row

void require(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

template <class T>
T* on_device(const std::vector<T>& values) {
  T* array = nullptr;
  require(cudaMalloc(&array, values.size() * sizeof(T)));
  require(cudaMemcpy(array, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  return array;
}

/// As a ReLU leaves a feature map: half of it is 0. Zeros alone would save power and raise the clock.
template <class T>
std::vector<T> feature_map(const MapSize& size) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<T> values(static_cast<std::size_t>(size.count()));
  for (T& value : values) value = T(std::max(0.0F, normal(random)));
  return values;
}

/// The largest difference between the first, middle and last row of G and their sums in double, by the
/// largest value of these rows.
template <class T>
double error_of(const std::vector<float>& gram, const std::vector<T>& features,
                const MapSize& size) {
  const auto C = static_cast<std::size_t>(size.channels);
  double off = 0;
  double largest = 0;
  for (const std::size_t i : {std::size_t{0}, C / 2, C - 1}) {
    std::vector<double> row(C, 0);
    for (std::size_t p = 0; p < features.size(); p += C) {
      const auto left = static_cast<double>(static_cast<float>(features[p + i]));
      for (std::size_t j = 0; j < C; ++j) {
        row[j] += left * static_cast<double>(static_cast<float>(features[p + j]));
      }
    }
    for (std::size_t j = 0; j < C; ++j) {
      const double error = std::abs(static_cast<double>(gram[i * C + j]) - row[j]);
      off = std::isfinite(error) ? std::max(off, error) : HUGE_VAL;
      largest = std::max(largest, std::abs(row[j]));
    }
  }
  return off / largest;
}

/// Whether every rung is right.
template <class T>
bool measure(const MapSize& size) {
  const std::vector<T> features = feature_map<T>(size);
  const std::size_t bytes = features.size() * sizeof(T);
  int l2_bytes = 0;
  require(cudaDeviceGetAttribute(&l2_bytes, cudaDevAttrL2CacheSize, 0));
  const std::size_t sets =
      std::clamp<std::size_t>(3 * static_cast<std::size_t>(l2_bytes) / bytes + 1, 2, 512);
  std::vector<T*> maps;
  for (std::size_t k = 0; k < sets; ++k) maps.push_back(on_device(features));
  std::vector<float> result(static_cast<std::size_t>(size.channels * size.channels));
  float* const gram = on_device(result);
  cudaStream_t stream = nullptr;
  require(cudaStreamCreate(&stream));
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  require(cudaEventCreate(&begin));
  require(cudaEventCreate(&end));
  cudaDeviceProp about{};
  require(cudaGetDeviceProperties(&about, 0));

  std::printf("%s: %lld pixels of %lld channels\n\n", about.name,
              static_cast<long long>(size.pixels()), static_cast<long long>(size.channels));
  std::printf("| rung | us | GB/s | TFLOP/s | error |\n|:--|--:|--:|--:|--:|\n");
  bool right = true;
  for (const cuda::GramRung& rung : cuda::gram_ladder()) {
    const auto launch = rung.launch.get<T>();
    if (launch == nullptr || !rung.runs_on(10 * about.major + about.minor)) continue;
    const std::int64_t floats =
        std::max({std::int64_t{1}, rung.workspace(size), cuda::gram_workspace(size)});
    const std::vector<float> none(static_cast<std::size_t>(floats), NAN);
    float* const workspace = on_device(none);
    const auto run = [&] {
      for (std::size_t k = 0; k < std::max<std::size_t>(sets, least_launches); ++k) {
        launch(gram, maps[k % sets], size, workspace, stream);
      }
    };
    require(cudaMemset(gram, 0xff, result.size() * sizeof(float)));  // NaN
    run();
    require(cudaMemcpyAsync(result.data(), gram, result.size() * sizeof(float),
                            cudaMemcpyDeviceToHost, stream));
    require(cudaStreamSynchronize(stream));
    const double error = error_of(result, features, size);
    std::vector<double> times;
    for (int k = 0; k < rounds; ++k) {
      require(cudaEventRecord(begin, stream));
      run();
      require(cudaEventRecord(end, stream));
      require(cudaEventSynchronize(end));
      float milliseconds = 0;
      require(cudaEventElapsedTime(&milliseconds, begin, end));
      times.push_back(1e-3 * milliseconds /
                      static_cast<double>(std::max<std::size_t>(sets, least_launches)));
    }
    std::ranges::nth_element(times, times.begin() + rounds / 2);
    const double seconds = times[rounds / 2];
    const double flops =
        2.0 * static_cast<double>(size.channels) * static_cast<double>(size.count());
    std::printf("| %s | %.2f | %.0f | %.1f | %.1e |%s\n", std::string(rung.name).c_str(),
                1e6 * seconds, 1e-9 * static_cast<double>(bytes) / seconds, 1e-12 * flops / seconds,
                error, error > most_error ? " WRONG" : "");
    right = right && error <= most_error;
    require(cudaFree(workspace));
  }
  return right;
}

}  // namespace

int main(int count, char** words) {
  constexpr int wrong_use = 2;
  constexpr int no_device = 5;
  constexpr int wrong_result = 8;
  const std::string type = count == 4 ? words[1] : "";
  const MapSize size{1, 1, count == 4 ? std::atoll(words[2]) : 0,
                     count == 4 ? std::atoll(words[3]) : 0};
  if ((type != "fp32" && type != "bf16" && type != "fp16") || size.pixels() < 1 ||
      size.channels < 1) {
    std::fprintf(stderr, "usage: gram_alone fp32|bf16|fp16 PIXELS CHANNELS\n");
    return wrong_use;
  }
  try {
    const bool right = type == "fp32"   ? measure<float>(size)
                       : type == "bf16" ? measure<bfloat16>(size)
                                        : measure<float16>(size);
    return right ? 0 : wrong_result;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gram_alone: %s\n", error.what());
    return no_device;
  }
}
