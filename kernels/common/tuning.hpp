// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels {

/// The rung that was measured to be the fastest on one device, for one type and shape. `./dev tune`
/// writes a file of these for each device.
struct TunedRung {
  std::string_view device;   ///< as CUDA names it
  std::string_view op;       ///< "gram"
  std::string_view storage;  ///< "f32", "bf16" or "fp16"
  Arithmetic arithmetic;
  std::int64_t channels;
  std::int64_t pixels;  ///< of one image
  std::string_view rung;
};

inline constexpr std::initializer_list<TunedRung> tuned_rungs = {
#include "kernels/common/tuning/devices.inc"
};

template <class T>
constexpr std::string_view storage_name() {
  return std::is_same_v<T, float> ? "f32" : std::is_same_v<T, bfloat16> ? "bf16" : "fp16";
}

/// The table's rung for the shape nearest to `size`: the same number of channels, and the number of
/// pixels that differs by the smallest factor. The batch plays no part, so that an image has the
/// same bits in any batch. Empty if the table has no such row.
inline std::string_view tuned_rung(std::span<const TunedRung> table, std::string_view device,
                                   std::string_view op, std::string_view storage,
                                   Arithmetic arithmetic, const MapSize& size) {
  std::string_view best;
  double least = HUGE_VAL;
  for (const TunedRung& row : table) {
    if (row.device != device || row.op != op || row.storage != storage) continue;
    if (row.arithmetic != arithmetic || row.channels != size.channels) continue;
    const double distance =
        std::abs(std::log(static_cast<double>(row.pixels) / static_cast<double>(size.pixels())));
    if (distance < least) {
      least = distance;
      best = row.rung;
    }
  }
  return best;
}

/// While a ForcedRung lives, `op` launches this rung of its ladder instead of the one that ships:
/// for tests and measurements of a ladder. There can be one at a time.
class ForcedRung {
 public:
  ForcedRung(std::string_view op, std::string_view rung) { forced = {op, rung}; }
  ForcedRung(const ForcedRung&) = delete;
  ForcedRung& operator=(const ForcedRung&) = delete;
  ~ForcedRung() { forced = {}; }

  /// The rung that `op` is forced to launch; empty if there is none.
  static std::string_view of(std::string_view op) {
    return forced.op == op ? forced.rung : std::string_view();
  }

 private:
  struct Forced {
    std::string_view op;
    std::string_view rung;
  };
  static inline Forced forced;
};

/// Whether this GPU can run the rung on maps of T.
template <class T, class OpRung>
bool can_run(const OpRung& rung, const simt::DeviceFacts& device) {
  return offers<T>(rung.launch) && rung.runs_on(device.sm);
}

/// The rung that an operation launches: the one that the device's tuning table names, else the last
/// one that is marked as shipping. Throws simt::Error where this GPU has none.
template <class T, class OpRung>
const OpRung& shipped_rung(std::span<const OpRung> ladder, std::string_view op,
                           Arithmetic arithmetic, const MapSize& size) {
  const simt::DeviceFacts& device = simt::device();
  const std::string_view tuned =
      tuned_rung(tuned_rungs, device.name, op, storage_name<T>(), arithmetic, size);
  const std::string_view forced = ForcedRung::of(op);
  const OpRung* shipped = nullptr;
  for (const OpRung& rung : ladder) {
    if (!forced.empty()) {
      if (rung.name == forced && offers<T>(rung.launch)) return rung;
      continue;
    }
    if (rung.arithmetic != arithmetic || !can_run<T>(rung, device)) continue;
    if (rung.name == tuned) return rung;
    if (rung.ships) shipped = &rung;
  }
  if (shipped == nullptr) {
    throw simt::Error(std::string(op) + ": no kernel for this arithmetic on " + device.name +
                      ", which is sm_" + std::to_string(device.sm));
  }
  return *shipped;
}

}  // namespace impasto::kernels
