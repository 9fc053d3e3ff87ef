// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "host/backend/cuda/product.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/backend/tuning/chooser.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::cuda {

/// What style_backward works on.
struct StyleTensors {
  Tensor grad;
  Tensor features;
  Tensor matrix;
  const OwnKernel* kernel = nullptr;
};

/// cuBLASLt's ways to do style_backward: M rounded to the type of F, a product that adds to the
/// gradient, and the mask.
class StyleBackwardWays final : public Problem<StyleTensors> {
 public:
  /// `call` has the shapes and the kernel; the handle must outlive every way.
  StyleBackwardWays(Runtime& runtime, cublasLtHandle_t handle, Precision precision,
                    const GradientEpilogue& epilogue, const StyleTensors& call);

  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::optional<Way<StyleTensors>> next() override;
  [[nodiscard]] std::optional<Way<StyleTensors>> make(const Recipe& recipe) override;
  [[nodiscard]] Stage set_up(std::int64_t workspace_bytes) override;

 private:
  [[nodiscard]] Way<StyleTensors> around(const ProductAlgorithm& algorithm) const;

  Runtime& runtime_;
  Precision precision_;
  GradientEpilogue epilogue_;
  StyleTensors call_;
  std::shared_ptr<Product> product_;
  std::vector<ProductAlgorithm> proposed_;
  std::size_t next_ = 0;
  bool asked_ = false;
};

}  // namespace impasto::cuda
