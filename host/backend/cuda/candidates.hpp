// SPDX-License-Identifier: MIT
#pragma once

#include <cudnn_graph.h>
#include <memory>

#include "host/backend/cuda/cublaslt.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::cuda {

/// A convolution's parameters in device memory, in the type that maps are stored in.
struct CudnnConv final : DeviceConv {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Buffer padded;  ///< (Cout,3,3,padded_channels), zeros in the channels added; the first layer's
  Buffer stored_bias;  ///< (Cout)
  Buffer no_bias;      ///< (Cin), zeros: the bias of a data gradient as a biased convolution
};

std::unique_ptr<CudnnConv> make_cudnn_conv(Runtime& runtime, Precision precision,
                                           const ConvParameters& parameters);

/// cuDNN's engines for a convolution: first those that it brings compiled, then those that it
/// compiles, which takes seconds each. It is asked for several graphs, whose engines take turns: for
/// one that does all of a problem, and for one that leaves the bias and the ReLU, or the mask, to a
/// kernel of ours. cuDNN brings no compiled engine for a graph with a mask. A data gradient is a
/// forward convolution of rotated filters in some graphs, and cuDNN's own operation in others. The
/// first convolution takes pixels minus mean in padded_channels channels, most of them zero. The
/// runtime and the handle must outlive every candidate.
std::unique_ptr<Candidates<ConvCall>> conv_candidates(Runtime& runtime, cudnnHandle_t handle,
                                                      const ConvCall& call);

/// The handles of the libraries to ask; null for a library that is not asked.
struct StyleLibraries {
  cublasLtHandle_t cublaslt = nullptr;
  cudnnHandle_t cudnn = nullptr;
};

/// The libraries' products for style_backward. Each follows a kernel that rounds M to the type of F,
/// unless both are in bfloat16. First come cuBLASLt's algorithms, which add to the gradient and leave
/// the mask to a kernel; then, since each of these is compiled, cuDNN's engines, which do sum and mask
/// in the product. The runtime and the handles must outlive every candidate.
std::unique_ptr<Candidates<StyleBackwardCall>> style_backward_candidates(
    Runtime& runtime, const StyleLibraries& libraries, const StyleBackwardCall& call);

}  // namespace impasto::cuda
