// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/backend/precision.hpp"
#include "host/core/tensor.hpp"
#include "kernels/adam/adam.hpp"
#include "kernels/channel_statistics/channel_statistics.hpp"
#include "kernels/colour_map/colour_map.hpp"
#include "kernels/content_loss/content_loss.hpp"
#include "kernels/crop/crop.hpp"
#include "kernels/descent/descent.hpp"
#include "kernels/lbfgs/lbfgs.hpp"
#include "kernels/max_blur/max_blur.hpp"
#include "kernels/normalize_gradient/normalize_gradient.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/replicate_border/replicate_border.hpp"
#include "kernels/style_loss/style_loss.hpp"
#include "kernels/temporal_loss/temporal_loss.hpp"
#include "kernels/total_variation/total_variation.hpp"
#include "kernels/variation/variation.hpp"
#include "kernels/wasserstein_loss/wasserstein_loss.hpp"

namespace impasto {

using kernels::AdamOptions;
using kernels::ColourMatrix;
using kernels::ContentLossScale;
using kernels::Corner;
using kernels::DescentOptions;
using kernels::GradientEpilogue;
using kernels::GradientNorm;
using kernels::LbfgsOptions;
using kernels::LbfgsParts;
using kernels::PoolKind;
using kernels::StatisticsLossScale;
using kernels::StyleLossScale;
using kernels::TemporalLossScale;
using kernels::VariationOptions;
using kernels::VariationScale;
using kernels::WassersteinScale;

/// What a Wasserstein loss compares with, for all images: master tensors (1,1,2,C), of which it reads
/// the means, and (1,C,C) twice.
struct WassersteinTarget {
  Tensor statistics;
  Tensor second_moment;
  Tensor root;
};

/// A convolution's parameters as the host holds them: weight (Cout,3,3,Cin), bias (Cout).
struct ConvParameters {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::vector<float> weight;
  std::vector<float> bias;
};

/// The filters that a data gradient convolves with: rotated by half a turn, input and output
/// channels swapped. rotated[c,r,s,k] = weight[k,2−r,2−s,c]
void rotate_filters(float* rotated, const float* weight, std::int64_t out_channels,
                    std::int64_t in_channels);

/// A convolution's parameters in the form that a backend computes with, and what the backend caches
/// for each shape. Only the Ops object that made it may use it; on the CPU every one of the same
/// precision may, several at once.
class Conv {
 public:
  Conv() = default;
  Conv(const Conv&) = delete;
  Conv& operator=(const Conv&) = delete;
  virtual ~Conv() = default;
};

/// The type of the matrix M that takes a map to its gradient, as gram_loss leaves it. Products of
/// bfloat16 maps take M in bfloat16, and rounded at once it takes half the bytes. float16 has too few
/// exponents for its coefficients: there M stays as wide as the losses.
constexpr DataType style_matrix_type(DataType activations, DataType master) {
  return activations == DataType::bf16 ? DataType::bf16 : master;
}

/// The mathematics of one iteration. Contracts are in kernels/<op>/<op>.hpp; comments here say only
/// what is different on a backend.
///
/// Plain operations are what every backend must offer. A fused operation does the work of several
/// plain ones; its default here calls these one after the other, and a backend overrides it where
/// it knows a faster way. So a new fused operation breaks no backend, and whoever needs a result in
/// between (a Gram matrix summed over tiles, a masked one) calls the plain operations.
///
/// Operations enqueue work and return: nothing waits, allocates after the first call with a shape,
/// or reads a result back. Outputs come first. Feature maps and their gradients have
/// activation_type(); pixels and their gradient, moments, Gram matrices and losses have
/// master_type(), and the matrix M of a style's gradient that or style_matrix_type(). What an operation needs by shape (a library's plan, workspace) it makes when it
/// first meets it, or beforehand in Device::prepare.
class Ops {
 public:
  Ops() = default;
  Ops(const Ops&) = delete;
  Ops& operator=(const Ops&) = delete;
  virtual ~Ops() = default;

  [[nodiscard]] virtual Precision precision() const = 0;
  [[nodiscard]] virtual DataType activation_type() const = 0;
  [[nodiscard]] virtual DataType master_type() const = 0;

  // Plain operations.

  [[nodiscard]] virtual std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) = 0;

  /// Pixels (N,H,W,3) to the first feature map: preprocess, convolution, bias and, with `relu`,
  /// ReLU.
  virtual void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                                  const std::array<float, 3>& mean, bool relu) = 0;
  /// The gradient of the first feature map (already masked) to that of the pixels.
  virtual void first_conv_backward(const Tensor& grad_pixels, const Tensor& grad_y, Conv& conv) = 0;

  /// What continuing the picture by its outermost pixels, not by the mean pixel, changes in what
  /// first_conv_forward has written, and in what first_conv_backward has.
  virtual void replicate_border_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                                        const std::array<float, 3>& mean, bool relu) = 0;
  virtual void replicate_border_backward(const Tensor& grad_pixels, const Tensor& grad_y,
                                         Conv& conv) = 0;

  virtual void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu) = 0;
  virtual void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                                  Conv& conv, const GradientEpilogue& epilogue) = 0;

  virtual void pool_forward(const Tensor& y, const Tensor& x, const PoolKind& kind) = 0;
  virtual void pool_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                             const PoolKind& kind, const GradientEpilogue& epilogue) = 0;
  virtual void max_blur_forward(const Tensor& y, const Tensor& x) = 0;
  virtual void max_blur_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                                 const GradientEpilogue& epilogue) = 0;

  /// `guide` is a master tensor (1,H,W,1), for every image. `x` is read for the mask alone.
  virtual void guide_forward(const Tensor& y, const Tensor& x, const Tensor& guide) = 0;
  virtual void guide_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                              const Tensor& guide, const GradientEpilogue& epilogue) = 0;

  /// Tensors of any one type: `y` is the rectangle of `x` that begins at `corner`.
  virtual void crop_forward(const Tensor& y, const Tensor& x, const Corner& corner) = 0;
  /// `x` is read for the mask alone.
  virtual void crop_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                             const Corner& corner, const GradientEpilogue& epilogue) = 0;

  virtual void gram(const Tensor& gram, const Tensor& features) = 0;
  /// `loss` has N values, one per image; so for every loss below. `matrix` and `gram` may be the
  /// same.
  virtual void style_loss(const Tensor& loss, const Tensor& matrix, const Tensor& gram,
                          const Tensor& target, const StyleLossScale& scale) = 0;
  virtual void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                              const GradientEpilogue& epilogue) = 0;
  /// `statistics` and `coefficients` are master tensors (N,1,2,C) and may be the same. `weights` is a
  /// master tensor (1,H,W,1); an empty one counts all pixels alike.
  virtual void channel_statistics(const Tensor& statistics, const Tensor& features,
                                  const Tensor& weights) = 0;
  virtual void statistics_loss(const Tensor& loss, const Tensor& coefficients,
                               const Tensor& statistics, const Tensor& target,
                               const StatisticsLossScale& scale) = 0;
  virtual void statistics_backward(const Tensor& grad, const Tensor& features,
                                   const Tensor& coefficients,
                                   const GradientEpilogue& epilogue) = 0;
  virtual void covariance_root(const Tensor& root, const Tensor& second_moment,
                               const Tensor& statistics) = 0;
  /// `matrix` and `gram` may be the same, `coefficients` and `statistics` may not.
  virtual void wasserstein_loss(const Tensor& loss, const Tensor& matrix,
                                const Tensor& coefficients, const Tensor& gram,
                                const Tensor& statistics, const WassersteinTarget& target,
                                const WassersteinScale& scale) = 0;
  /// An empty `grad` asks for the loss alone.
  virtual void content_loss(const Tensor& loss, const Tensor& grad, const Tensor& features,
                            const Tensor& target, const ContentLossScale& scale,
                            const GradientEpilogue& epilogue) = 0;
  /// `x` is read for the mask alone.
  virtual void normalize_gradient(const Tensor& grad_x, const Tensor& g, const Tensor& x,
                                  const GradientNorm& to, const GradientEpilogue& epilogue) = 0;
  /// Adds to `grad_pixels`; an empty one asks for the loss alone.
  virtual void total_variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                               const VariationScale& scale) = 0;
  /// So does this.
  virtual void variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                         const VariationOptions& options) = 0;
  /// And this; `mask` is (N,H,W,1).
  virtual void temporal_loss(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                             const Tensor& target, const Tensor& mask,
                             const TemporalLossScale& scale) = 0;
  /// `step` is one i64: the number of steps done, counted by the operation itself.
  virtual void adam(const Tensor& pixels, const Tensor& m, const Tensor& v, const Tensor& step,
                    const Tensor& grad_pixels, const AdamOptions& options) = 0;
  /// `step` as for Adam.
  virtual void descent(const Tensor& pixels, const Tensor& step, const Tensor& grad_pixels,
                       const DescentOptions& options) = 0;
  /// `pairs` and the rest are its state between steps (kernels/lbfgs/lbfgs.hpp); `scalars` is f64. `loss`
  /// and `ended` are master tensors; without tests none are needed.
  virtual void lbfgs(const Tensor& pixels, const Tensor& pairs, const Tensor& direction,
                     const Tensor& last_grad, const Tensor& scalars, const Tensor& grad_pixels,
                     const Tensor& loss, const Tensor& ended, const LbfgsOptions& options,
                     const LbfgsParts& parts) = 0;
  /// Master tensors: y of twice x's size (kernels/upsample/upsample.hpp).
  virtual void upsample_add(const Tensor& y, const Tensor& x) = 0;
  virtual void upsample_transpose(const Tensor& x, const Tensor& y) = 0;
  /// Master tensors (N,H,W,3).
  virtual void colour_map(const Tensor& y, const Tensor& x, const ColourMatrix& matrix,
                          bool accumulate) = 0;
  /// Master tensors: y = a·x + b·y, in which b = 0 does not read y.
  virtual void axpby(const Tensor& y, double a, const Tensor& x, double b) = 0;
  /// Tensors of any one type: y = x within bounds.
  virtual void clamp(const Tensor& y, const Tensor& x, double lowest, double highest) = 0;

  // Fused operations.

  /// pool_forward, which also notes in `positive`, i64 of the size positive_bits(x), where x is
  /// positive: for pool_backward_noted. The defaults note nothing and read x.
  virtual void pool_forward_noting(const Tensor& y, const Tensor& positive, const Tensor& x,
                                   const PoolKind& kind);
  /// pool_backward of an average, masked and not added.
  virtual void pool_backward_noted(const Tensor& grad_x, const Tensor& grad_y,
                                   const Tensor& positive, const Tensor& x, const PoolKind& kind);
  /// style_backward at the first feature map, then first_conv_backward. `grad` is used up.
  virtual void style_first_conv_backward(const Tensor& grad_pixels, const Tensor& grad,
                                         const Tensor& features, const Tensor& matrix, Conv& conv,
                                         const GradientEpilogue& epilogue);
  /// first_conv_forward with its ReLU, then gram_loss of its map.
  virtual void first_conv_gram_loss(const Tensor& y, const Tensor& loss, const Tensor& matrix,
                                    const Tensor& pixels, Conv& conv,
                                    const std::array<float, 3>& mean, const Tensor& target,
                                    const StyleLossScale& scale);
  /// gram, then style_loss on the spot. The default takes no M in bfloat16: it begins as G.
  virtual void gram_loss(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                         const Tensor& target, const StyleLossScale& scale);
};

}  // namespace impasto
