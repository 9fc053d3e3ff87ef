// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "simt/machine.hpp"

/// CUDA's words on the host-SIMT machine. Included through simt/cuda.hpp.

// Marks functions of the machine itself, whose accesses are not traced.
#define SIMT_UNTRACED __attribute__((noinline, no_sanitize("thread")))

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) __attribute__((aligned(bytes)))

/// An array that all threads of the block share: SIMT_SHARED(float, tile, [8][33]).
#define SIMT_SHARED(type, name, ...)                                          \
  using simt_##name = type __VA_ARGS__;                                       \
  auto& name = *static_cast<simt_##name*>(simt::Machine::get().static_shared( \
      simt::Site{__FILE__, __LINE__}, #name, sizeof(simt_##name)))

namespace simt {

template <class T>
T* dynamic_shared(Site site = Site::here()) {
  return static_cast<T*>(Machine::get().dynamic_shared(site));
}

/// The machine runs the whole grid once for each phase.
SIMT_UNTRACED inline bool in_phase(int phase, Site site = Site::here()) {
  return Machine::get().in_phase(phase, site);
}
SIMT_UNTRACED inline void next_phase() { Machine::get().next_phase(); }

/// Whether this file's kernels report every access (simt/README.md).
#if defined(__SANITIZE_THREAD__)
inline constexpr bool traced = true;
#elif defined(__has_feature)
inline constexpr bool traced = __has_feature(thread_sanitizer);
#else
inline constexpr bool traced = false;
#endif

/// One load or store of up to 16 bytes, as one instruction does it. The compiler may split a plain
/// assignment, and a warp's request would be counted as several.
template <class V>
SIMT_UNTRACED V reported_load(const V* from) {
  const Machine::NoTrace no_trace;
  Machine::get().check(Access::read, from, sizeof(V), caller(__builtin_return_address(0)));
  return *from;
}
template <class V>
SIMT_UNTRACED void reported_store(V* to, const V& value) {
  const Machine::NoTrace no_trace;
  Machine::get().check(Access::write, to, sizeof(V), caller(__builtin_return_address(0)));
  *to = value;
}
template <class V>
__attribute__((always_inline)) inline V load_vector(const V* from) {
  if constexpr (traced) return reported_load(from);
  return *from;
}
template <class V>
__attribute__((always_inline)) inline void store_vector(V* to, const V& value) {
  if constexpr (traced) {
    reported_store(to, value);
  } else {
    *to = value;
  }
}

/// Reads like CUDA's threadIdx and its kin.
template <Dim3 (Machine::*get)() const>
struct Index {
  struct X {
    SIMT_UNTRACED operator unsigned() const { return (Machine::get().*get)().x; }
  } x;
  struct Y {
    SIMT_UNTRACED operator unsigned() const { return (Machine::get().*get)().y; }
  } y;
  struct Z {
    SIMT_UNTRACED operator unsigned() const { return (Machine::get().*get)().z; }
  } z;
};

/// Every lane brings a value; pick(lane, value_of) computes each lane's result from all of them.
template <class T, class Pick>
SIMT_UNTRACED T exchange(const char* what, unsigned mask, T value, Pick pick, const Site& site) {
  struct Own {
    T value;
    T result;
  } own{value, value};
  Machine::get().rendezvous(
      what, mask, &own,
      [](Lanes& lanes, const void* argument) {
        const auto& choose = *static_cast<const Pick*>(argument);
        for (unsigned lane = 0; lane < 32; ++lane) {
          if (lanes[lane] != nullptr) {
            static_cast<Own*>(lanes[lane])->result = choose(lane, [&](unsigned i) -> const T* {
              return lanes[i] == nullptr ? nullptr : &static_cast<const Own*>(lanes[i])->value;
            });
          }
        }
      },
      &pick, site);
  return own.result;
}

/// The value of the lane that `source` names, or this lane's own if that lies outside its segment
/// of `width` lanes. Reading a lane outside the mask is undefined in CUDA and an error here.
template <class T, class Source>
SIMT_UNTRACED T shuffle(const char* what, unsigned mask, T value, int width, Source source,
                        const Site& site) {
  if (width <= 0 || width > 32 || !std::has_single_bit(static_cast<unsigned>(width))) {
    Machine::get().fail(std::string(what) + ": a width that is no power of two up to 32",
                        to_string(site));
  }
  const auto own_lane = static_cast<int>(Machine::get().lane());
  const int segment = own_lane / width * width;
  const int wanted = source(own_lane - segment);
  const bool inside = wanted >= 0 && wanted < width;
  const auto lane = static_cast<unsigned>(inside ? segment + wanted : own_lane);
  if ((mask >> lane & 1U) == 0) {
    Machine::get().fail(
        std::string(what) + ": reads lane " + std::to_string(lane) + ", which its mask leaves out",
        to_string(site));
  }
  struct Own {
    T value;
    T result;
    unsigned lane;
  } own{value, value, lane};
  Machine::get().rendezvous(
      what, mask, &own,
      [](Lanes& lanes, const void* /*argument*/) {
        for (void* each : lanes) {
          if (each == nullptr) continue;
          auto& self = *static_cast<Own*>(each);
          self.result = static_cast<const Own*>(lanes[self.lane])->value;
        }
      },
      nullptr, site);
  return own.result;
}

template <class T, class Change>
SIMT_UNTRACED T atomic(T* address, Change change, const Site& site) {
  Machine::get().check(Access::atomic, address, sizeof(T), site);
  const T before = *address;
  *address = change(before);
  return before;
}

}  // namespace simt

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): CUDA's names.
using dim3 = simt::Dim3;

inline constexpr simt::Index<&simt::Machine::thread_index> threadIdx{};
inline constexpr simt::Index<&simt::Machine::block_index> blockIdx{};
inline constexpr simt::Index<&simt::Machine::block_size> blockDim{};
inline constexpr simt::Index<&simt::Machine::grid_size> gridDim{};
inline constexpr int warpSize = 32;

SIMT_UNTRACED inline void __syncthreads(simt::Site site = simt::Site::here()) {
  simt::Machine::get().barrier(site);
}
SIMT_UNTRACED inline void __syncwarp(unsigned mask = 0xffffffffU,
                                     simt::Site site = simt::Site::here()) {
  simt::Machine::get().warp_barrier(mask, site);
}
inline void __threadfence() { simt::Machine::get().fence(); }
inline void __threadfence_block() {}

inline unsigned __activemask() { return simt::Machine::get().active_lanes(); }

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32,
              simt::Site site = simt::Site::here()) {
  return simt::shuffle(
      "__shfl_sync", mask, value, width, [=](int /*own*/) { return lane & (width - 1); }, site);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                  simt::Site site = simt::Site::here()) {
  return simt::shuffle(
      "__shfl_xor_sync", mask, value, width, [=](int own) { return own ^ lanes; }, site);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32,
                   simt::Site site = simt::Site::here()) {
  return simt::shuffle(
      "__shfl_down_sync", mask, value, width, [=](int own) { return own + static_cast<int>(by); },
      site);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32,
                 simt::Site site = simt::Site::here()) {
  return simt::shuffle(
      "__shfl_up_sync", mask, value, width, [=](int own) { return own - static_cast<int>(by); },
      site);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, simt::Site site = simt::Site::here()) {
  return simt::exchange(
      "__ballot_sync", mask, predicate != 0 ? 1U : 0U,
      [](unsigned /*lane*/, auto value_of) {
        unsigned bits = 0;
        for (unsigned i = 0; i < 32; ++i) {
          if (const unsigned* vote = value_of(i)) bits |= *vote << i;
        }
        return bits;
      },
      site);
}
inline int __any_sync(unsigned mask, int predicate, simt::Site site = simt::Site::here()) {
  return __ballot_sync(mask, predicate, site) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate, simt::Site site = simt::Site::here()) {
  return __ballot_sync(mask, predicate, site) == mask ? 1 : 0;
}
template <class T>
T __reduce_add_sync(unsigned mask, T value, simt::Site site = simt::Site::here()) {
  return simt::exchange(
      "__reduce_add_sync", mask, value,
      [](unsigned /*lane*/, auto value_of) {
        T sum{};
        for (unsigned i = 0; i < 32; ++i) {
          if (const T* term = value_of(i)) sum += *term;
        }
        return sum;
      },
      site);
}

template <class T>
T atomicAdd(T* address, T value, simt::Site site = simt::Site::here()) {
  return simt::atomic(
      address, [=](T old) { return old + value; }, site);
}
template <class T>
T atomicMax(T* address, T value, simt::Site site = simt::Site::here()) {
  return simt::atomic(
      address, [=](T old) { return std::max(old, value); }, site);
}
template <class T>
T atomicMin(T* address, T value, simt::Site site = simt::Site::here()) {
  return simt::atomic(
      address, [=](T old) { return std::min(old, value); }, site);
}
template <class T>
T atomicExch(T* address, T value, simt::Site site = simt::Site::here()) {
  return simt::atomic(
      address, [=](T /*old*/) { return value; }, site);
}
template <class T>
T atomicCAS(T* address, T expected, T value, simt::Site site = simt::Site::here()) {
  return simt::atomic(
      address, [=](T old) { return old == expected ? value : old; }, site);
}

#define SIMT_VECTOR(name, type, bytes)                                                   \
  struct alignas(4 * sizeof(type)) name##4 {                                             \
    type x, y, z, w;                                                                     \
  };                                                                                     \
  struct alignas(2 * sizeof(type)) name##2 {                                             \
    type x, y;                                                                           \
  };                                                                                     \
  inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; } \
  inline name##2 make_##name##2(type x, type y) { return {x, y}; }

SIMT_VECTOR(float, float, 4)
SIMT_VECTOR(int, int, 4)
SIMT_VECTOR(uint, unsigned, 4)
#undef SIMT_VECTOR

template <class T>
T __ldg(const T* address) {
  return *address;
}
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline int __popc(unsigned bits) { return std::popcount(bits); }
inline int __clz(int bits) { return std::countl_zero(static_cast<unsigned>(bits)); }
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
