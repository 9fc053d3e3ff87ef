// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/size.hpp"
#include "simt/ptx_sm90.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

template <class T>
inline constexpr simt::Element element_of =
    std::is_same_v<T, bfloat16> ? simt::Element::bf16 : simt::Element::f16;

/// Where a pipeline stands: the stage of shared memory that is next, and the parity of the phase of
/// that stage's barriers. The parity changes when all stages have been used.
template <int stages>
struct PipelineState {
  int stage = 0;
  unsigned parity = 0;

  __device__ __forceinline__ void advance() {
    if (++stage < stages) return;
    stage = 0;
    parity ^= 1U;
  }
};

/// Makes the barriers of a pipeline's stages. At full[s] the producer arrives with the bytes of its
/// loads; at free[s] = full[stages + s] each of the `warps` that read the stage arrives. One thread
/// calls this, before fence_barriers.
template <int stages>
__device__ __forceinline__ void init_stages(simt::Mbarrier* full, unsigned warps) {
  for (int s = 0; s < stages; ++s) {
    init(full[s], 1);
    init(full[stages + s], warps);
  }
}

/// The tensor map of a feature map, (C,P,N), for boxes of 64 channels and `pixels` pixels of an
/// image. The number of channels is a multiple of 8.
template <class T>
simt::TensorMap make_tensor_map(const T* features, const MapSize& size, int pixels) {
  const auto extent = [](std::int64_t count) { return static_cast<std::uint64_t>(count); };
  return simt::make_tensor_map(features, element_of<T>,
                               {{extent(size.channels), extent(size.pixels()), extent(size.batch)},
                                {64, static_cast<std::uint32_t>(pixels), 1}});
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
