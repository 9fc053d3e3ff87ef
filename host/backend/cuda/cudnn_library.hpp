// SPDX-License-Identifier: MIT
#pragma once

#include <cudnn_graph.h>
#include <memory>
#include <string>

#include "kernels/common/device.hpp"

namespace impasto::cuda {

/// Makes cuDNN ready to be called, through the functions of cudnn_frontend::detail; does nothing
/// the next times. Throws ErrorKind::backend when there is none, or none that is new enough.
void load_cudnn();

/// A handle for work on the stream. Throws as above.
std::shared_ptr<cudnnContext> open_cudnn(kernels::cuda::Stream stream);

/// "9.19.0"
std::string cudnn_version();

}  // namespace impasto::cuda
