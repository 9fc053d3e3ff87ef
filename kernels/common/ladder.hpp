// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "kernels/common/arithmetic.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// One way to compute an operation, kernels/<op>/rung_N_idea.cuh: one idea a file. An operation's
/// rungs are its ladder, from the plainest to the fastest; kernels/<op>/ladder.hpp adds to this
/// what launches one. Every rung keeps to the operation's contract, whatever the size and the
/// alignment, and is tested and measured by its line in the ladder.
struct Rung {
  std::string_view name;  ///< its file's: "rung_3_shared_tile"
  std::string_view idea;  ///< in a few words, for tables
  Arithmetic arithmetic = Arithmetic::fp32;
  int least_sm = 75;  ///< of the GPU, 10·major + minor
  /// Needs what sm_90a alone has: no newer GPU runs it. Ships only where it was measured.
  bool sm_90a = false;

  [[nodiscard]] constexpr bool runs_on(int sm) const { return sm_90a ? sm == 90 : sm >= least_sm; }
};

/// A function for each type that feature maps are stored in; null where there is none.
template <template <class T> class Function>
struct PerStorage {
  Function<float> f32 = nullptr;
  Function<bfloat16> bf16 = nullptr;
  Function<float16> fp16 = nullptr;

  template <class T>
  [[nodiscard]] constexpr Function<T> get() const {
    if constexpr (std::is_same_v<T, float>) {
      return f32;
    } else if constexpr (std::is_same_v<T, bfloat16>) {
      return bf16;
    } else {
      return fp16;
    }
  }
};

/// The launchers of an idea that has one for each storage type.
template <class Idea, template <class> class Function>
constexpr PerStorage<Function> launchers() {
  return {&Idea::template launch<float>, &Idea::template launch<bfloat16>,
          &Idea::template launch<float16>};
}

/// Of one that has none for float.
template <class Idea, template <class> class Function>
constexpr PerStorage<Function> launchers_16_bit() {
  return {nullptr, &Idea::template launch<bfloat16>, &Idea::template launch<float16>};
}

/// The workspace that suffices for whichever rung of a ladder ships.
template <class Ladder>
std::int64_t largest_workspace(const Ladder& ladder, const MapSize& size) {
  std::int64_t most = 0;
  for (const auto& rung : ladder) most = std::max(most, rung.workspace(size));
  return most;
}

/// Whether there is a launcher for T.
template <class T, template <class> class Function>
constexpr bool offers(const PerStorage<Function>& launch) {
  return launch.template get<T>() != nullptr;
}
template <class T, class... Arguments>
constexpr bool offers(void (*launch)(Arguments...)) {
  return std::is_same_v<T, float> && launch != nullptr;
}

}  // namespace impasto::kernels
