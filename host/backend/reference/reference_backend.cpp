// SPDX-License-Identifier: MIT
#include "host/backend/reference/reference_backend.hpp"

#include <vector>

#include "host/backend/host_backend.hpp"
#include "kernels/axpby/axpby.hpp"
#include "kernels/clamp/clamp.hpp"
#include "kernels/colour_map/colour_map.hpp"
#include "kernels/conv/conv.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram_loss/gram_loss.hpp"
#include "kernels/guide/guide.hpp"
#include "kernels/normalize_gradient/normalize_gradient.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/upsample/upsample.hpp"

namespace impasto {
namespace {

namespace reference = kernels::reference;

struct ReferenceConv final : Conv {
  explicit ReferenceConv(const ConvParameters& parameters)
      : weight(parameters.weight.begin(), parameters.weight.end()),
        bias(parameters.bias.begin(), parameters.bias.end()) {}
  std::vector<double> weight;
  std::vector<double> bias;
};

const ReferenceConv& reference_conv(const Conv& conv) {
  return dynamic_cast<const ReferenceConv&>(conv);
}

double* values(const Tensor& tensor) { return tensor.as<double>(); }

kernels::ConvSize conv_size(const Shape& x, const Shape& y) {
  return {x.batch, x.height, x.width, x.channels, y.channels};
}

class ReferenceBackend final : public HostBackend {
 public:
  std::string name() const override { return "reference"; }
  std::string description() const override { return processor() + ", plain loops in double"; }
  Precision precision() const override { return Precision::fp32; }
  DataType activation_type() const override { return DataType::f64; }
  DataType master_type() const override { return DataType::f64; }

  std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) override {
    return std::make_unique<ReferenceConv>(parameters);
  }

  void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                          const std::array<float, 3>& mean, bool relu) override {
    const ReferenceConv& parameters = reference_conv(conv);
    reference::first_conv_forward(values(y), values(pixels), parameters.weight.data(),
                                  parameters.bias.data(), {mean[0], mean[1], mean[2]}, y.shape,
                                  relu);
  }
  void first_conv_backward(const Tensor& grad_pixels, const Tensor& grad_y, Conv& conv) override {
    reference::first_conv_backward(values(grad_pixels), values(grad_y),
                                   reference_conv(conv).weight.data(), grad_y.shape);
  }
  void replicate_border_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                                const std::array<float, 3>& mean, bool relu) override {
    const ReferenceConv& parameters = reference_conv(conv);
    reference::replicate_border_forward(values(y), values(pixels), parameters.weight.data(),
                                        parameters.bias.data(), {mean[0], mean[1], mean[2]},
                                        y.shape, relu);
  }
  void replicate_border_backward(const Tensor& grad_pixels, const Tensor& grad_y,
                                 Conv& conv) override {
    reference::replicate_border_backward(values(grad_pixels), values(grad_y),
                                         reference_conv(conv).weight.data(), grad_y.shape);
  }
  void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu) override {
    const ReferenceConv& parameters = reference_conv(conv);
    reference::conv_forward(values(y), values(x), parameters.weight.data(), parameters.bias.data(),
                            conv_size(x.shape, y.shape), relu);
  }
  void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x, Conv& conv,
                          const GradientEpilogue& epilogue) override {
    reference::conv_data_gradient(values(grad_x), values(grad_y),
                                  reference_conv(conv).weight.data(), values(x),
                                  conv_size(grad_x.shape, grad_y.shape), epilogue);
  }

  void pool_forward(const Tensor& y, const Tensor& x, const PoolKind& kind) override {
    reference::pool_forward(values(y), values(x), x.shape, kind);
  }
  void pool_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const PoolKind& kind, const GradientEpilogue& epilogue) override {
    reference::pool_backward(values(grad_x), values(grad_y), values(x), x.shape, kind, epilogue);
  }
  void max_blur_forward(const Tensor& y, const Tensor& x) override {
    reference::max_blur_forward(values(y), values(x), x.shape);
  }
  void max_blur_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                         const GradientEpilogue& epilogue) override {
    reference::max_blur_backward(values(grad_x), values(grad_y), values(x), x.shape, epilogue);
  }

  void guide_forward(const Tensor& y, const Tensor& x, const Tensor& guide) override {
    reference::guide_forward(values(y), values(x), values(guide), x.shape);
  }
  void guide_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                      const Tensor& guide, const GradientEpilogue& epilogue) override {
    reference::guide_backward(values(grad_x), values(grad_y), values(x), values(guide), x.shape,
                              epilogue);
  }

  void crop_forward(const Tensor& y, const Tensor& x, const Corner& corner) override {
    reference::crop_forward(values(y), values(x), y.shape, x.shape, corner);
  }
  void crop_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const Corner& corner, const GradientEpilogue& epilogue) override {
    reference::crop_backward(values(grad_x), values(grad_y), values(x), grad_y.shape, grad_x.shape,
                             corner, epilogue);
  }

  void gram(const Tensor& gram, const Tensor& features) override {
    reference::gram(values(gram), values(features), features.shape);
  }
  void style_loss(const Tensor& loss, const Tensor& matrix, const Tensor& gram,
                  const Tensor& target, const StyleLossScale& scale) override {
    reference::style_loss(values(loss), values(matrix), values(gram), values(target),
                          gram.shape.batch, gram.shape.channels, scale);
  }
  void gram_loss(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                 const Tensor& target, const StyleLossScale& scale) override {
    reference::gram_loss(values(loss), values(matrix), values(features), values(target),
                         features.shape, scale);
  }
  void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                      const GradientEpilogue& epilogue) override {
    reference::style_backward(values(grad), values(features), values(matrix), features.shape,
                              epilogue);
  }
  void channel_statistics(const Tensor& statistics, const Tensor& features,
                          const Tensor& weights) override {
    reference::channel_statistics(values(statistics), values(features), values(weights),
                                  features.shape);
  }
  void statistics_loss(const Tensor& loss, const Tensor& coefficients, const Tensor& statistics,
                       const Tensor& target, const StatisticsLossScale& scale) override {
    reference::statistics_loss(values(loss), values(coefficients), values(statistics),
                               values(target), statistics.shape.batch, statistics.shape.channels,
                               scale);
  }
  void statistics_backward(const Tensor& grad, const Tensor& features, const Tensor& coefficients,
                           const GradientEpilogue& epilogue) override {
    reference::statistics_backward(values(grad), values(features), values(coefficients),
                                   features.shape, epilogue);
  }
  void covariance_root(const Tensor& root, const Tensor& second_moment,
                       const Tensor& statistics) override {
    reference::covariance_root(values(root), values(second_moment), values(statistics),
                               root.shape.channels);
  }
  void wasserstein_loss(const Tensor& loss, const Tensor& matrix, const Tensor& coefficients,
                        const Tensor& gram, const Tensor& statistics,
                        const WassersteinTarget& target, const WassersteinScale& scale) override {
    reference::wasserstein_loss(
        values(loss), values(matrix), values(coefficients), values(gram), values(statistics),
        {values(target.statistics), values(target.second_moment), values(target.root)},
        gram.shape.batch, gram.shape.channels, scale);
  }
  void content_loss(const Tensor& loss, const Tensor& grad, const Tensor& features,
                    const Tensor& target, const ContentLossScale& scale,
                    const GradientEpilogue& epilogue) override {
    reference::content_loss(values(loss), values(grad), values(features), values(target),
                            features.shape, scale, epilogue);
  }
  void normalize_gradient(const Tensor& grad_x, const Tensor& g, const Tensor& x,
                          const GradientNorm& to, const GradientEpilogue& epilogue) override {
    reference::normalize_gradient(values(grad_x), values(g), values(x), x.shape, to, epilogue);
  }
  void total_variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                       const VariationScale& scale) override {
    reference::total_variation(values(loss), values(grad_pixels), values(pixels), pixels.shape,
                               scale);
  }
  void variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                 const VariationOptions& options) override {
    reference::variation(values(loss), values(grad_pixels), values(pixels), pixels.shape, options);
  }
  void temporal_loss(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                     const Tensor& target, const Tensor& mask,
                     const TemporalLossScale& scale) override {
    reference::temporal_loss(values(loss), values(grad_pixels), values(pixels), values(target),
                             values(mask), pixels.shape, scale);
  }
  void adam(const Tensor& pixels, const Tensor& m, const Tensor& v, const Tensor& step,
            const Tensor& grad_pixels, const AdamOptions& options) override {
    reference::adam(values(pixels), values(m), values(v), step.as<std::int64_t>(),
                    values(grad_pixels), pixels.shape.count(), options);
  }
  void descent(const Tensor& pixels, const Tensor& step, const Tensor& grad_pixels,
               const DescentOptions& options) override {
    reference::descent(values(pixels), step.as<std::int64_t>(), values(grad_pixels),
                       pixels.shape.count(), options);
  }
  void lbfgs(const Tensor& pixels, const Tensor& pairs, const Tensor& direction,
             const Tensor& last_grad, const Tensor& scalars, const Tensor& grad_pixels,
             const Tensor& loss, const Tensor& ended, const LbfgsOptions& options,
             const LbfgsParts& parts) override {
    reference::lbfgs(values(pixels), values(pairs), values(direction), values(last_grad),
                     values(scalars), values(grad_pixels), values(loss), values(ended),
                     pixels.shape, options, parts);
  }
  void upsample_add(const Tensor& y, const Tensor& x) override {
    reference::upsample_add(values(y), values(x), y.shape);
  }
  void upsample_transpose(const Tensor& x, const Tensor& y) override {
    reference::upsample_transpose(values(x), values(y), y.shape);
  }
  void colour_map(const Tensor& y, const Tensor& x, const ColourMatrix& matrix,
                  bool accumulate) override {
    reference::colour_map(values(y), values(x), matrix, accumulate, y.shape.count() / 3);
  }
  void axpby(const Tensor& y, double a, const Tensor& x, double b) override {
    reference::axpby(values(y), a, values(x), b, y.shape.count());
  }
  void clamp(const Tensor& y, const Tensor& x, double lowest, double highest) override {
    reference::clamp(values(y), values(x), lowest, highest, y.shape.count());
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace impasto
