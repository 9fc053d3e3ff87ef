// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "simt/cuda.hpp"

/// PTX instructions that CUDA C++ has no words for: cp.async, ldmatrix and mma. With nvcc they are
/// those instructions, on the host they do what the PTX manual says (PTX ISA 8.5, §9.7.8.24,
/// §9.7.14).
///
/// In mma, `group` is lane / 4 and `pair` is 2·(lane % 4). D += A·B with A (16,K), B (K,8), D
/// (16,8):
///   d[0], d[1]   D[group    ][pair, pair+1]
///   d[2], d[3]   D[group + 8][pair, pair+1]
///   K = 16, two 16-bit values in each register, the lower one in the lower half
///     a[0]  A[group    ][pair, pair+1]         b[0]  B[pair    , pair+1][group]
///     a[1]  A[group + 8][pair, pair+1]         b[1]  B[pair + 8, pair+9][group]
///     a[2]  A[group    ][pair+8, pair+9]
///     a[3]  A[group + 8][pair+8, pair+9]
///   K = 8, tf32, with t = lane % 4
///     a[0]  A[group    ][t]    a[2]  A[group    ][t + 4]    b[0]  B[t    ][group]
///     a[1]  A[group + 8][t]    a[3]  A[group + 8][t + 4]    b[1]  B[t + 4][group]
///
/// ldmatrix loads four 8×8 matrices of 16-bit values. Row r of matrix i begins at the address that
/// lane 8·i + r gives, a multiple of 16 bytes. Register i of a lane gets
///   matrix i [lane / 4][pair, pair+1], transposed: matrix i [pair, pair+1][lane / 4]
namespace simt {

#ifdef __CUDACC__

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

/// Starts to copy 16 bytes to shared memory: the first `bytes` from `from`, then zeros.
__device__ __forceinline__ void cp_async_16(void* to, const void* from, int bytes = 16) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(to)),
               "l"(from), "r"(bytes));
#else
  auto* words = static_cast<std::uint32_t*>(to);
  const auto* source = static_cast<const std::uint32_t*>(from);
  for (int i = 0; i < 4; ++i) words[i] = 4 * i < bytes ? source[i] : 0;
#endif
}
__device__ __forceinline__ void cp_async_commit_group() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;\n" ::);
#endif
}
template <int groups_left>
__device__ __forceinline__ void cp_async_wait_group() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;\n" ::"n"(groups_left) : "memory");
#endif
}

__device__ __forceinline__ void ldmatrix(std::uint32_t (&registers)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void ldmatrix_trans(std::uint32_t (&registers)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
               : "r"(shared_address(row))
               : "memory");
}

/// These need sm_80; a kernel that calls them is not launched on older GPUs.
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const std::uint32_t (&a)[4],
                                                  const std::uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}
__device__ __forceinline__ void mma_m16n8k16_f16(float (&d)[4], const std::uint32_t (&a)[4],
                                                 const std::uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const std::uint32_t (&a)[4],
                                                 const std::uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}

/// A float rounded to tf32 (10 bits of fraction), ties away from zero.
__device__ __forceinline__ std::uint32_t to_tf32(float value) {
  std::uint32_t bits = 0;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(bits) : "f"(value));
#endif
  return bits;
}

#else

void cp_async_16(void* to, const void* from, int bytes = 16, Site site = Site::here());
void cp_async_commit_group();
void cp_async_wait_group_left(int groups_left);
template <int groups_left>
void cp_async_wait_group() {
  cp_async_wait_group_left(groups_left);
}

void ldmatrix(std::uint32_t (&registers)[4], const void* row, Site site = Site::here());
void ldmatrix_trans(std::uint32_t (&registers)[4], const void* row, Site site = Site::here());

void mma_m16n8k16_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                       Site site = Site::here());
void mma_m16n8k16_f16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      Site site = Site::here());
void mma_m16n8k8_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      Site site = Site::here());
std::uint32_t to_tf32(float value);

#endif

}  // namespace simt
