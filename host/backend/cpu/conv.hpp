// SPDX-License-Identifier: MIT
#pragma once

#include <dnnl.hpp>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "host/backend/cpu/cpu_conv.hpp"
#include "host/backend/cpu/onednn.hpp"

namespace impasto::cpu {

/// One set of 3×3 filters in the layouts that oneDNN prefers. Usually that is one layout whatever
/// the picture's size; where a size prefers another, it gets a copy of its own.
class FilterBank {
 public:
  FilterBank(const OneDnn& onednn, const ConvParameters& parameters);
  /// The filters of the data gradient: rotated by half a turn, input and output channels exchanged.
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
/// (benchmarks/onednn_conv).
class OneDnnConv final : public CpuConv {
 public:
  OneDnnConv(const OneDnn& onednn, const ConvParameters& parameters);

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
  };
  /// Batch, height, width, type of the input, type of the output.
  using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, DataType, DataType, Epilogue>;

  void convolve(const Tensor& out, const Tensor& in, FilterBank& filters, const Epilogue& epilogue,
                std::map<Key, Plan>& plans);
  Plan make_plan(const Tensor& out, const Tensor& in, FilterBank& filters,
                 const Epilogue& epilogue);

  const OneDnn& onednn_;
  FilterBank filters_;
  std::optional<FilterBank> rotated_;
  dnnl::memory bias_;
  std::map<Key, Plan> forward_plans_;
  std::map<Key, Plan> gradient_plans_;
};

}  // namespace impasto::cpu
