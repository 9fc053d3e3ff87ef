// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <dnnl.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "host/backend/cpu/onednn.hpp"

namespace impasto::cpu {

/// A convolution on the CPU, which several backends may use at once: each brings its own OneDnn, whose
/// scratchpad it computes in. The data gradient reads x only for the mask.
class CpuConv : public Conv {
 public:
  virtual void forward(OneDnn& onednn, const Tensor& y, const Tensor& x, bool relu) = 0;
  virtual void data_gradient(OneDnn& onednn, const Tensor& grad_x, const Tensor& grad_y,
                             const Tensor& x, const GradientEpilogue& epilogue) = 0;

  /// As the host has them, for the picture's border; kept by the convolution of pixels alone.
  ConvParameters plain;
};

/// One set of 3×3 filters in the layouts that oneDNN prefers. Most pictures of any size share one
/// layout; a size for which oneDNN prefers another one gets a copy of its own.
class FilterBank {
 public:
  explicit FilterBank(const ConvParameters& parameters);
  /// The filters of the data gradient: rotated by half a turn, input and output channels swapped.
  static FilterBank rotated(const OneDnn& onednn, const FilterBank& filters);

  /// The filters in `layout`. The first call for a layout reorders them.
  dnnl::memory in(const OneDnn& onednn, const dnnl::memory::desc& layout);

 private:
  explicit FilterBank(dnnl::memory plain) : copies_{std::move(plain)} {}

  std::vector<dnnl::memory> copies_;  ///< the host's plain layout, until the first use replaces it
  bool plain_ = true;
};

/// A convolution through oneDNN, with a cached primitive for each shape. The data gradient is also
/// a convolution, with rotated filters, which the first gradient makes. On nhwc float it is as fast
/// as the forward pass; oneDNN's own data gradient is 7 to 15 % slower (docs/decisions/0002).
class OneDnnConv final : public CpuConv {
 public:
  explicit OneDnnConv(const ConvParameters& parameters);

  /// oneDNN's ReLU makes 0 of a NaN, so it is left to finite maps; others get ours in a second pass
  /// (docs/decisions/0025).
  void forward(OneDnn& onednn, const Tensor& y, const Tensor& x, bool relu) override;
  /// Applies the mask in a second pass.
  void data_gradient(OneDnn& onednn, const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const GradientEpilogue& epilogue) override;

 private:
  struct Epilogue {
    bool bias = false;
    bool relu = false;
    bool accumulate = false;
    auto operator<=>(const Epilogue&) const = default;
  };
  struct Plan {
    dnnl::convolution_forward primitive;
    dnnl::memory filters;
    dnnl::memory::desc scratchpad;
    bool one_thread = false;
  };
  struct Key {
    std::int64_t batch, height, width;
    DataType x_type, y_type;
    Epilogue epilogue;
    int threads;
    auto operator<=>(const Key&) const = default;
  };

  void run(OneDnn& onednn, const Plan& plan, const Tensor& out, const Tensor& in, bool bias);
  const Plan& plan_for(const OneDnn& onednn, const Tensor& out, const Tensor& in,
                       FilterBank& filters, const Epilogue& epilogue, std::map<Key, Plan>& plans);
  Plan make_plan(const OneDnn& onednn, const Tensor& out, const Tensor& in, FilterBank& filters,
                 const Epilogue& epilogue);

  std::mutex mutex_;  ///< of all but the bias; a plan stays as and where it is
  FilterBank filters_;
  std::optional<FilterBank> rotated_;
  dnnl::memory bias_;
  std::map<Key, Plan> forward_plans_;
  std::map<Key, Plan> gradient_plans_;
};

}  // namespace impasto::cpu
