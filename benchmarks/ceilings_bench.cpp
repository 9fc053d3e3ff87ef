// SPDX-License-Identifier: MIT
// What this machine can do at most, measured: the denominators of every other benchmark.
//   fma/<registers>/<threads>          float multiply-adds from registers, one loop per thread
//   bf16_dot/<registers>/<threads>     the same with vdpbf16ps, where the CPU has it
//   copy/<threads>                     reading one array and writing another, both beyond the
//   caches
#include <cstring>
#include <functional>
#include <immintrin.h>
#include <omp.h>
#include <vector>

#include "benchmarks/program.hpp"

namespace impasto::bench {
namespace {

// Twelve independent accumulators: more than latency times throughput of any FMA unit so far, and
// few enough for the registers of AVX2. Their values converge to 1, so nothing overflows.
constexpr int accumulators = 12;
constexpr int rounds = 100'000;

__attribute__((target("avx2,fma"))) void fma_avx2() {
  __m256 sum[accumulators];
  for (auto& one : sum) one = _mm256_set1_ps(0.5F);
  __m256 factor = _mm256_set1_ps(0.5F);
  benchmark::DoNotOptimize(factor);
  for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& one : sum) one = _mm256_fmadd_ps(one, factor, factor);
  }
  for (auto& one : sum) benchmark::DoNotOptimize(one);
}

__attribute__((target("avx512f"))) void fma_avx512() {
  __m512 sum[accumulators];
  for (auto& one : sum) one = _mm512_set1_ps(0.5F);
  __m512 factor = _mm512_set1_ps(0.5F);
  benchmark::DoNotOptimize(factor);
  for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& one : sum) one = _mm512_fmadd_ps(one, factor, factor);
  }
  for (auto& one : sum) benchmark::DoNotOptimize(one);
}

__attribute__((target("avx512f,avx512bf16"))) void dot_avx512() {
  __m512 sum[accumulators];
  for (auto& one : sum) one = _mm512_set1_ps(0.5F);
  // 2⁻²⁰ at every place: ten million of them added to 0.5 are still a small number.
  __m512i small = _mm512_set1_epi16(0x3580);
  __m512i unit = _mm512_set1_epi16(0x3f80);
  benchmark::DoNotOptimize(small);
  benchmark::DoNotOptimize(unit);
  for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& one : sum) {
      one = _mm512_dpbf16_ps(one, reinterpret_cast<__m512bh>(small),
                             reinterpret_cast<__m512bh>(unit));
    }
  }
  for (auto& one : sum) benchmark::DoNotOptimize(one);
}

/// `flops_per_instruction` counts a multiply-add as two.
void add_rate(const std::string& name, int flops_per_instruction, const std::function<void()>& loop,
              int threads) {
  add(fmt::format("{}/{}", name, threads), [=](benchmark::State& state) {
    for (auto _ : state) {
#pragma omp parallel num_threads(threads)
      loop();
    }
    report(state, {.flops = 1.0 * flops_per_instruction * accumulators * rounds * threads});
  });
}

void add_copy(int threads) {
  add(fmt::format("copy/{}", threads), [=](benchmark::State& state) {
    constexpr std::size_t bytes = std::size_t{1} << 30U;
    std::vector<char> from(bytes, 1);
    std::vector<char> to(bytes, 2);
    const auto share = bytes / static_cast<std::size_t>(threads);
    for (auto _ : state) {
#pragma omp parallel for num_threads(threads)
      for (int thread = 0; thread < threads; ++thread) {
        const std::size_t start = share * static_cast<std::size_t>(thread);
        std::memcpy(to.data() + start, from.data() + start, share);
      }
      benchmark::ClobberMemory();
    }
    report(state, {.bytes = 2.0 * static_cast<double>(bytes)});
  });
}

}  // namespace

void register_benchmarks(const Settings& /*settings*/) {
  std::vector<int> thread_counts = {1};
  if (omp_get_max_threads() > 1) thread_counts.push_back(omp_get_max_threads());
  for (const int threads : thread_counts) {
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
      add_rate("fma/256", 16, fma_avx2, threads);
    }
    if (__builtin_cpu_supports("avx512f") != 0) add_rate("fma/512", 32, fma_avx512, threads);
    if (__builtin_cpu_supports("avx512bf16") != 0) {
      add_rate("bf16_dot/512", 64, dot_avx512, threads);
    }
    add_copy(threads);
  }
}

}  // namespace impasto::bench
