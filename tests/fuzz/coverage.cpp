// SPDX-License-Identifier: MIT
#include "tests/fuzz/coverage.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace impasto::fuzz {
namespace {

/// How often each branch was taken. Branches share a counter now and then, which costs a few finds.
std::array<std::uint8_t, std::size_t{1} << 16U> counters;
thread_local std::uintptr_t last_place = 0;

std::array<Comparison, 1024> comparisons;
std::size_t compared = 0;

void note_branch(std::uintptr_t place) {
  std::uint8_t& counter = counters.at((place ^ last_place) % counters.size());
  if (counter < 255) ++counter;
  last_place = place >> 1U;
}

void note_comparison(std::uint64_t left, std::uint64_t right) {
  if (left == right) return;
  comparisons.at(compared % comparisons.size()) = {left, right};
  ++compared;
}

/// 1, 2, 3, 4 to 7, ... times: a bit each.
std::uint8_t bucket(std::uint8_t count) {
  if (count < 4) return static_cast<std::uint8_t>(1U << count >> 1U);
  const int width = std::bit_width(count);  // 3 to 8
  return static_cast<std::uint8_t>(8U << std::min(width - 3, 4));
}

}  // namespace

void Coverage::begin() {
  counters.fill(0);
  last_place = 0;
  compared = 0;
}

bool Coverage::found_new() {
  bool found = false;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    const std::uint8_t times = bucket(counters.at(i));
    if ((times & ~seen_[i]) == 0) continue;
    seen_[i] |= times;
    found = true;
  }
  return found;
}

std::size_t Coverage::branches() const {
  return seen_.size() - static_cast<std::size_t>(std::ranges::count(seen_, 0));
}

Comparison some_comparison(Random& random) {
  if (compared == 0) return {0, 0};
  return comparisons.at(random() % std::min(compared, comparisons.size()));
}

}  // namespace impasto::fuzz

// What GCC calls with -fsanitize-coverage=trace-pc,trace-cmp.

// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

void __sanitizer_cov_trace_pc() {
  impasto::fuzz::note_branch(reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
}

void __sanitizer_cov_trace_cmp1(std::uint8_t a, std::uint8_t b) {
  impasto::fuzz::note_comparison(a, b);
}
void __sanitizer_cov_trace_cmp2(std::uint16_t a, std::uint16_t b) {
  impasto::fuzz::note_comparison(a, b);
}
void __sanitizer_cov_trace_cmp4(std::uint32_t a, std::uint32_t b) {
  impasto::fuzz::note_comparison(a, b);
}
void __sanitizer_cov_trace_cmp8(std::uint64_t a, std::uint64_t b) {
  impasto::fuzz::note_comparison(a, b);
}
void __sanitizer_cov_trace_const_cmp1(std::uint8_t a, std::uint8_t b) {
  impasto::fuzz::note_comparison(a, b);
}
void __sanitizer_cov_trace_const_cmp2(std::uint16_t a, std::uint16_t b) {
  impasto::fuzz::note_comparison(a, b);
}
void __sanitizer_cov_trace_const_cmp4(std::uint32_t a, std::uint32_t b) {
  impasto::fuzz::note_comparison(a, b);
}
void __sanitizer_cov_trace_const_cmp8(std::uint64_t a, std::uint64_t b) {
  impasto::fuzz::note_comparison(a, b);
}
void __sanitizer_cov_trace_cmpf(float, float) {}
void __sanitizer_cov_trace_cmpd(double, double) {}
/// `cases` are their number, their bits, and their values.
void __sanitizer_cov_trace_switch(std::uint64_t value, const std::uint64_t* cases) {
  for (std::uint64_t i = 0; i < cases[0]; ++i) impasto::fuzz::note_comparison(value, cases[2 + i]);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
