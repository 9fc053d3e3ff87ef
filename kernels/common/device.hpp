// SPDX-License-Identifier: MIT
#pragma once

/// CUDA kernels are compiled twice: by nvcc into namespace kernels::cuda, and by the host's
/// compiler for the host-SIMT machine (simt/) into kernels::emulated. IMPASTO_DEVICE names the one
/// that is being compiled.
#ifndef IMPASTO_DEVICE
#define IMPASTO_DEVICE emulated
#endif

#ifdef __CUDACC__
#define IMPASTO_HOST_DEVICE __host__ __device__
#else
#define IMPASTO_HOST_DEVICE
#endif

struct CUstream_st;
namespace simt {
class Stream;
}

namespace impasto::kernels {

namespace cuda {
using Stream = CUstream_st*;  ///< cudaStream_t
}
namespace emulated {
using Stream = ::simt::Stream*;
}

}  // namespace impasto::kernels
