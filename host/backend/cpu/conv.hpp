// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <dnnl.hpp>
#include <map>
#include <optional>
#include <vector>

#include "host/backend/cpu/onednn.hpp"

namespace impasto::cpu {

/// A convolution on the CPU, however it is computed. x is read for the mask only.
class CpuConv : public Conv {
 public:
  virtual void forward(const Tensor& y, const Tensor& x, bool relu) = 0;
  virtual void data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                             const GradientEpilogue& epilogue) = 0;

  /// As the host has them, for the picture's border; kept by the convolution of pixels alone.
  ConvParameters plain;
};

/// One set of 3×3 filters in the layouts that oneDNN prefers. Usually that is one layout whatever
/// the picture's size; where a size prefers another, it gets a copy of its own.
class FilterBank {
 public:
  FilterBank(const OneDnn& onednn, const ConvParameters& parameters);
  /// The filters of the data gradient: rotated by half a turn, input and output channels swapped.
  static FilterBank rotated(const FilterBank& filters);

  /// The filters in `layout`, reordered the first time it is asked for.
  dnnl::memory in(const dnnl::memory::desc& layout);

 private:
  FilterBank(const OneDnn& onednn, dnnl::memory plain)
      : onednn_(onednn), copies_{std::move(plain)} {}

  const OneDnn& onednn_;
  std::vector<dnnl::memory> copies_;  ///< first the host's plain layout, replaced by the first use
  bool plain_ = true;
};

/// A convolution through oneDNN, primitives cached by shape. The data gradient is a convolution
/// too, of the rotated filters, made when a gradient is first asked for: on nhwc float it runs as
/// fast as the forward pass, where oneDNN's own data gradient is 7 to 15 % slower
/// (docs/decisions/0002).
class OneDnnConv final : public CpuConv {
 public:
  OneDnnConv(OneDnn& onednn, const ConvParameters& parameters);

  void forward(const Tensor& y, const Tensor& x, bool relu) override;
  /// The mask is a pass of its own.
  void data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
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

  void convolve(const Tensor& out, const Tensor& in, FilterBank& filters, const Epilogue& epilogue,
                std::map<Key, Plan>& plans);
  Plan make_plan(const Tensor& out, const Tensor& in, FilterBank& filters,
                 const Epilogue& epilogue);

  OneDnn& onednn_;
  FilterBank filters_;
  std::optional<FilterBank> rotated_;
  dnnl::memory bias_;
  std::map<Key, Plan> forward_plans_;
  std::map<Key, Plan> gradient_plans_;
};

}  // namespace impasto::cpu
