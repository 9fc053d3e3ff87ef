// SPDX-License-Identifier: MIT
// What this machine can do at most, measured: the denominators of every other benchmark.
//   fma/<registers>/<threads>          float multiply-adds from registers, one loop per thread
//   bf16_dot/<registers>/<threads>     the same with vdpbf16ps, where the CPU has it
//   copy/<threads>                     reading one array and writing another, beyond the caches
// What they compute is compared with what it must be.
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <immintrin.h>
#include <omp.h>
#include <vector>

#include "benchmarks/program.hpp"
#include "host/backend/registry.hpp"

namespace impasto::bench {
namespace {

// Twelve independent accumulators: more than latency times throughput of any FMA unit so far, and
// few enough for the registers of AVX2. Their values converge to 1, so nothing overflows.
constexpr int accumulators = 12;
constexpr int rounds = 100'000;

/// Whether a value is what a loop must make of it.
bool near(float value, double expected) {
  return std::abs(static_cast<double>(value) - expected) < 1e-3;
}

/// sum = sum · factor + factor, as the compiler writes it for a register; every value is 0.5 at first.
template <class Register>
[[gnu::always_inline]] inline bool fma(Register& factor) {
  Register sum[accumulators];
  for (auto& one : sum) one = factor;
  benchmark::DoNotOptimize(factor);
  for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& one : sum) one = one * factor + factor;
  }
  bool right = true;
  for (const auto& one : sum) right = right && near(one[0], 1);
  return right;
}

[[gnu::target("avx2,fma")]] bool fma_avx2() {
  __m256 half = _mm256_set1_ps(0.5F);
  return fma(half);
}

[[gnu::target("avx512f")]] bool fma_avx512() {
  __m512 half = _mm512_set1_ps(0.5F);
  return fma(half);
}

__attribute__((target("avx512f,avx512bf16"))) bool dot_avx512() {
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
  bool right = true;
  for (const auto& one : sum)
    right = right && near(_mm512_cvtss_f32(one), 0.5 + rounds * 2 * 0x1p-20);
  return right;
}

/// The counter of a ceiling, whose result was right.
void report_rate(benchmark::State& state, const char* unit, double amount, bool right) {
  if (!right) {
    state.SkipWithError("what was computed is wrong");
    return;
  }
  state.counters[unit] = rate_of(amount);
  state.counters["verified"] = 1;
}

void add_ceiling(const std::string& name, const std::function<void(benchmark::State&)>& body) {
  add_row(name, "ceilings, as <what>/<bits of a register>/<threads>", name, body);
}

/// `flops_per_instruction` counts a multiply-add as two.
void add_rate(const std::string& name, int flops_per_instruction, const std::function<bool()>& loop,
              int threads) {
  add_ceiling(fmt::format("{}/{}", name, threads), [=](benchmark::State& state) {
    std::atomic<bool> right = true;
    take_samples(state, [&] {
      return seconds_of([&] {
#pragma omp parallel num_threads(threads)
        if (!loop()) right = false;
      });
    });
    report_rate(state, "FLOP/s", 1.0 * flops_per_instruction * accumulators * rounds * threads,
                right);
  });
}

void add_copy(int threads) {
  add_ceiling(fmt::format("copy/{}", threads), [=](benchmark::State& state) {
    constexpr std::size_t bytes = std::size_t{1} << 30U;
    std::vector<char> from(bytes, 1);
    std::vector<char> to(bytes, 2);
    const auto share = bytes / static_cast<std::size_t>(threads);
    take_samples(state, [&] {
      return seconds_of([&] {
#pragma omp parallel for num_threads(threads)
        for (int thread = 0; thread < threads; ++thread) {
          const std::size_t start = share * static_cast<std::size_t>(thread);
          std::memcpy(to.data() + start, from.data() + start, share);
        }
        benchmark::ClobberMemory();
      });
    });
    report_rate(state, "bytes/s", 2.0 * static_cast<double>(bytes), from == to);
  });
}

void register_rows() {
  add_context("device", make_backend("cpu")->description());
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
  }
  for (const int threads : thread_counts) add_copy(threads);
}

}  // namespace
}  // namespace impasto::bench

int main(int argc, char** argv) {
  return impasto::bench::run_program(
      argc, argv,
      {.about = "What this processor can do at most: multiply-adds and bytes copied per second.",
       .register_rows = impasto::bench::register_rows});
}
