// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "simt/cuda.hpp"
#include "simt/ptx.hpp"
#include "simt/sm90.hpp"

/// The instructions that sm_90a adds to those of ptx.hpp (PTX ISA 8.5, §9.7.8.27, §9.7.13.15,
/// §9.7.15): barriers in shared memory at which loads arrive; TMA, with which one thread loads a
/// box of a tensor; and wgmma, with which a warpgroup, four neighbouring warps, multiplies two
/// factors in shared memory. For other architectures they compile to a trap: a kernel that uses
/// them is launched on sm_90 alone.
///
/// Tiles. A row of a tile has 128 bytes, 64 values; a tile begins at a multiple of 1024 bytes of
/// shared memory. TMA swizzles the 16-byte chunks of a row: chunk i of row r goes to i ^ (r % 8).
/// wgmma undoes it. Both compute it from the address alone.
///
/// wgmma. D += A·B with A (64,16), B (16,n), D (64,n) in float. Warp w of the warpgroup has rows
/// 16·w to 16·w + 15, and of these a lane, with group = lane / 4 and pair = 2·(lane % 4),
///   d[4·j], d[4·j + 1]        D[16·w + group    ][8·j + pair, + 1]
///   d[4·j + 2], d[4·j + 3]    D[16·w + group + 8][8·j + pair, + 1]
namespace simt {

#ifdef __CUDACC__

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define SIMT_SM90(...) asm volatile(__VA_ARGS__)
#else
#define SIMT_SM90(...) __trap()
#endif

/// Makes a barrier. Call fence_barriers before a load arrives at it, and __syncthreads before another
/// thread uses it.
__device__ __forceinline__ void init(Mbarrier& barrier, unsigned arrivals) {
  SIMT_SM90("mbarrier.init.shared::cta.b64 [%0], %1;\n" ::"r"(shared_address(&barrier)),
            "r"(arrivals)
            : "memory");
}
__device__ __forceinline__ void fence_barriers() {
  SIMT_SM90("fence.mbarrier_init.release.cluster;\n" ::: "memory");
}
__device__ __forceinline__ void arrive(Mbarrier& barrier) {
  SIMT_SM90("mbarrier.arrive.shared::cta.b64 _, [%0];\n" ::"r"(shared_address(&barrier))
            : "memory");
}
/// Arrives, and announces the bytes that loads will bring in this phase.
__device__ __forceinline__ void arrive_expect_tx(Mbarrier& barrier, unsigned bytes) {
  SIMT_SM90(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\n" ::"r"(shared_address(&barrier)),
      "r"(bytes)
      : "memory");
}
/// Waits until the phase of this parity has ended; the first phase has parity 0, the second 1.
/// Waiting for parity 1 on a fresh barrier returns at once.
__device__ __forceinline__ void wait(Mbarrier& barrier, unsigned parity) {
  unsigned ended = 0;
  do {
    SIMT_SM90(
        "{\n"
        ".reg .pred p;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
        "selp.u32 %0, 1, 0, p;\n"
        "}\n"
        : "=r"(ended)
        : "r"(shared_address(&barrier)), "r"(parity)
        : "memory");
  } while (ended == 0);
}

/// Starts to load the tensor's box at (x, y, z) into a tile; all of the box's bytes arrive at the
/// barrier. Values outside the tensor are zero.
__device__ __forceinline__ void tma_load(void* tile, const TensorMap& tensor, int x, int y, int z,
                                         Mbarrier& arrives_at) {
  SIMT_SM90(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %5}], [%2];\n" ::"r"(shared_address(tile)),
      "l"(&tensor), "r"(shared_address(&arrives_at)), "r"(x), "r"(y), "r"(z)
      : "memory");
}

/// Describes a factor that begins at `start` in a tile; eight rows of a tile take 1024 bytes. With
/// Major::mn the next 64 rows of A, or columns of B, lie `next_columns` bytes further.
__device__ __forceinline__ MatrixDescriptor matrix_descriptor(const void* start,
                                                              unsigned next_columns = 16) {
  const std::uint64_t address = (shared_address(start) & 0x3ffffU) >> 4U;
  return {address | std::uint64_t{next_columns / 16} << 16U | std::uint64_t{1024 / 16} << 32U |
          std::uint64_t{1} << 62U};
}

/// Between what threads do to shared memory themselves, or by cp.async, and a wgmma or a load by TMA
/// that does something to the same bytes (PTX ISA 8.5, §9.7.15.4: any access through two proxies needs
/// the fence). Who stored or read calls it, and then comes a barrier. The end of a load and of a
/// product is such a fence itself.
__device__ __forceinline__ void fence_async_proxy() {
  SIMT_SM90("fence.proxy.async.shared::cta;\n" ::: "memory");
}

/// Keeps the compiler from moving the registers across this point.
template <std::size_t registers>
__device__ __forceinline__ void hold(float (&d)[registers]) {
#pragma unroll
  for (std::size_t i = 0; i < registers; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

/// Before the first wgmma, and before one that uses registers which other instructions have
/// written.
template <std::size_t registers>
__device__ __forceinline__ void wgmma_fence(float (&d)[registers]) {
  hold(d);
  SIMT_SM90("wgmma.fence.sync.aligned;\n" ::: "memory");
}
__device__ __forceinline__ void wgmma_commit_group() {
  SIMT_SM90("wgmma.commit_group.sync.aligned;\n" ::: "memory");
}
/// Waits until only the newest `groups_left` committed groups are under way. Until then nothing
/// else may use the registers `d` of the others, or write to their tiles.
template <int groups_left, std::size_t registers>
__device__ __forceinline__ void wgmma_wait_group(float (&d)[registers]) {
  SIMT_SM90("wgmma.wait_group.sync.aligned %0;\n" ::"n"(groups_left) : "memory");
  hold(d);
}

#define SIMT_8(d, i)                                                                          \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), \
      "+f"(d[i + 6]), "+f"(d[i + 7])
#define SIMT_32(d, i) SIMT_8(d, i), SIMT_8(d, i + 8), SIMT_8(d, i + 16), SIMT_8(d, i + 24)
#define SIMT_WGMMA_64(type)                                                            \
  SIMT_SM90(                                                                           \
      "{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\n"                                     \
      "wgmma.mma_async.sync.aligned.m64n64k16.f32." type "." type                      \
      " {"                                                                             \
      "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21," \
      "%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, %32, %33, p, 1, 1, %35, %35;\n}\n"    \
      : SIMT_32(d, 0)                                                                  \
      : "l"(a.bits), "l"(b.bits), "r"(static_cast<int>(accumulate)), "n"(static_cast<int>(major)))
#define SIMT_WGMMA_128(type)                                                             \
  SIMT_SM90(                                                                             \
      "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"                                       \
      "wgmma.mma_async.sync.aligned.m64n128k16.f32." type "." type                       \
      " {"                                                                               \
      "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,"   \
      "%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41," \
      "%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61," \
      "%62,%63}, %64, %65, p, 1, 1, %67, %67;\n}\n"                                      \
      : SIMT_32(d, 0), SIMT_32(d, 32)                                                    \
      : "l"(a.bits), "l"(b.bits), "r"(static_cast<int>(accumulate)), "n"(static_cast<int>(major)))

/// Starts D = A·B, or D += A·B with `accumulate`. D has 2·registers columns, 64 or 128.
template <Element element, Major major, std::size_t registers>
__device__ __forceinline__ void wgmma(float (&d)[registers], MatrixDescriptor a, MatrixDescriptor b,
                                      bool accumulate) {
  static_assert(registers == 32 || registers == 64);
  if constexpr (registers == 32 && element == Element::bf16) {
    SIMT_WGMMA_64("bf16");
  } else if constexpr (registers == 32) {
    SIMT_WGMMA_64("f16");
  } else if constexpr (element == Element::bf16) {
    SIMT_WGMMA_128("bf16");
  } else {
    SIMT_WGMMA_128("f16");
  }
}

#undef SIMT_WGMMA_128
#undef SIMT_WGMMA_64
#undef SIMT_32
#undef SIMT_8
#undef SIMT_SM90

#else

void init(Mbarrier& barrier, unsigned arrivals, Site site = Site::here());
void fence_barriers();
void arrive(Mbarrier& barrier, Site site = Site::here());
void arrive_expect_tx(Mbarrier& barrier, unsigned bytes, Site site = Site::here());
void wait(Mbarrier& barrier, unsigned parity, Site site = Site::here());
void tma_load(void* tile, const TensorMap& tensor, int x, int y, int z, Mbarrier& arrives_at,
              Site site = Site::here());
MatrixDescriptor matrix_descriptor(const void* start, unsigned next_columns = 16,
                                   Site site = Site::here());
void fence_async_proxy();
void wgmma_fence(Site site);
template <std::size_t registers>
void wgmma_fence(float (&/*d*/)[registers], Site site = Site::here()) {
  wgmma_fence(site);
}
void wgmma_commit_group(Site site = Site::here());
void wgmma_wait_group(int groups_left, Site site);
template <int groups_left, std::size_t registers>
void wgmma_wait_group(float (&/*d*/)[registers], Site site = Site::here()) {
  wgmma_wait_group(groups_left, site);
}
void start_product(float* d, int columns, Element element, Major major, MatrixDescriptor a,
                   MatrixDescriptor b, bool accumulate, Site site);
template <Element element, Major major, std::size_t registers>
void wgmma(float (&d)[registers], MatrixDescriptor a, MatrixDescriptor b, bool accumulate,
           Site site = Site::here()) {
  static_assert(registers == 32 || registers == 64);
  start_product(d, static_cast<int>(2 * registers), element, major, a, b, accumulate, site);
}

#endif

}  // namespace simt
