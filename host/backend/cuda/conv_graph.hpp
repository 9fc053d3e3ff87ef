// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cudnn_frontend.h>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/backend/backend.hpp"
#include "kernels/conv/conv.hpp"

namespace impasto::cuda {

/// One convolution as cuDNN is asked for it: a single graph with everything that comes after it.
struct ConvProblem {
  enum class Kind : std::uint8_t {
    /// y = act(conv(x, weight) + bias)
    forward,
    /// grad_x = mask ⊙ (sum + conv(grad_y, weight')), weight' rotated (docs/decisions/0002)
    data_gradient,
    /// The same through cuDNN's own data gradient, which a GPU may do faster.
    data_gradient_operation,
  };
  Kind kind = Kind::forward;
  Precision precision = Precision::bf16;
  /// Of the layer; a data gradient goes from out_channels to in_channels.
  kernels::ConvSize size;
  bool relu = false;          ///< forward
  GradientEpilogue epilogue;  ///< data gradients

  /// "bf16 data gradient 1×64×64, 512 to 256, add, mask"
  [[nodiscard]] std::string describe() const;
};

/// The tensors of a graph, in cuDNN's words their uids.
enum ConvTensor : std::int64_t { conv_x = 1, conv_weight, conv_bias, conv_sum, conv_mask, conv_y };

/// The graph of one problem: NHWC, sums and everything between in float. Throws ErrorKind::backend
/// with cuDNN's own words.
class ConvGraph : public cudnn_frontend::graph::Graph {
 public:
  explicit ConvGraph(const ConvProblem& problem);

  /// Asks cuDNN which of its engines can do it, for a GPU that need not be there: `device` is its
  /// description as cuDNN writes it, JSON.
  void plan_for(const std::vector<std::uint8_t>& device);

  /// Makes the graph ready to run on the handle's GPU with the first engine that cuDNN's heuristics
  /// name and that is not filtered out; returns the bytes of workspace it needs. Seconds, at worst.
  std::int64_t build_for(cudnnHandle_t handle);
  /// Enqueues it on the handle's stream; `tensors` by ConvTensor.
  void run(cudnnHandle_t handle, std::unordered_map<std::int64_t, void*> tensors, void* workspace);

  /// How many engine configurations are left after those are taken out that compute in less
  /// precision than asked for, differ from run to run, or round more than a direct product does.
  [[nodiscard]] std::int64_t engine_count();

 private:
  void require_success(cudnn_frontend::error_t status, const char* step) const;
  void filter_engines();

  ConvProblem problem_;
};

}  // namespace impasto::cuda
