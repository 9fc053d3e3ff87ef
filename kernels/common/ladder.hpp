// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "kernels/common/arithmetic.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// One way to compute an operation: kernels/<op>/rung_N_idea.cuh, one idea a file. The rungs of an
/// operation are its ladder, from the plainest on; kernels/<op>/<op>.cu lists them, a line each.
/// Every rung keeps to the operation's contract for every size and alignment, and its line is all
/// that tests and benchmarks need.
struct Rung {
  std::string_view name;  ///< "rung_3_shared_tile"
  std::string_view idea;  ///< in a few words, for tables
  Arithmetic arithmetic = Arithmetic::fp32;
  int least_sm = 75;        ///< the oldest GPU that runs it, 10·major + minor
  bool sm_90a = false;      ///< needs what sm_90a alone has: no newer GPU runs it
  bool persistent = false;  ///< a block may take several work tiles: tests give it more than one
  /// What the operation launches where no tuning table names another rung: the last rung that is
  /// marked so and that the GPU can run. A rung without the mark is a candidate.
  bool ships = false;

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

/// A rung and what launches it: Launcher<T> is the operation's pointer to a function that takes
/// maps of T.
template <template <class T> class Launcher>
struct RungWith : Rung {
  /// Floats that launch() needs, 0 where the operation's contract says how much every rung needs.
  std::int64_t (*workspace)(const MapSize& size);
  PerStorage<Launcher> launch;

  /// The rung of `Idea`, a struct with a static launch<T>() for every type that maps are stored in,
  /// and a static workspace() if it needs one of its own.
  template <class Idea>
  static constexpr RungWith of(const Rung& about) {
    return {about,
            workspace_of<Idea>(),
            {&Idea::template launch<float>, &Idea::template launch<bfloat16>,
             &Idea::template launch<float16>}};
  }
  /// The rung of an idea that has none for float.
  template <class Idea>
  static constexpr RungWith of_16_bit(const Rung& about) {
    return {about,
            workspace_of<Idea>(),
            {nullptr, &Idea::template launch<bfloat16>, &Idea::template launch<float16>}};
  }
  /// The rung of an idea for pixels, which are float: its launch() is no template.
  template <class Idea>
  static constexpr RungWith of_pixels(const Rung& about) {
    return {about, workspace_of<Idea>(), {&Idea::launch, nullptr, nullptr}};
  }

 private:
  template <class Idea>
  static constexpr auto workspace_of() -> std::int64_t (*)(const MapSize&) {
    if constexpr (requires(const MapSize& size) { Idea::workspace(size); }) {
      return &Idea::workspace;
    } else {
      return [](const MapSize&) -> std::int64_t { return 0; };
    }
  }
};

/// Two parts of a ladder as one.
template <class OpRung, std::size_t m, std::size_t n>
constexpr std::array<OpRung, m + n> joined(const std::array<OpRung, m>& first,
                                           const std::array<OpRung, n>& second) {
  return [&]<std::size_t... i, std::size_t... j>(std::index_sequence<i...>,
                                                 std::index_sequence<j...>) {
    return std::array<OpRung, m + n>{first[i]..., second[j]...};
  }
  (std::make_index_sequence<m>(), std::make_index_sequence<n>());
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

}  // namespace impasto::kernels
