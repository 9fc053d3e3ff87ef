// SPDX-License-Identifier: MIT
#include "tests/host/batch/faulty_backend.hpp"

#include <csignal>
#include <cstring>
#include <unistd.h>
#include <utility>

#include "host/core/error.hpp"

namespace impasto::test {
namespace {

/// In every type of ours, all bits set are no number.
void spoil(void* data, std::size_t bytes) {
  if (data != nullptr) std::memset(data, 0xFF, bytes);
}

class FaultyReadback final : public Readback {
 public:
  FaultyReadback(std::unique_ptr<Readback> inner, std::function<bool()> counted)
      : inner_(std::move(inner)), counted_(std::move(counted)) {}

  void start(const Tensor& from) override {
    wrong_ = counted_();
    inner_->start(from);
  }
  bool arrived() override { return inner_->arrived(); }
  std::span<const float> values() override {
    const std::span<const float> values = inner_->values();
    values_.assign(values.begin(), values.end());
    if (wrong_) spoil(values_.data(), values_.size() * sizeof(float));
    return values_;
  }

 private:
  std::unique_ptr<Readback> inner_;
  std::function<bool()> counted_;
  bool wrong_ = false;
  std::vector<float> values_;
};

class FaultyBackend final : public Backend {
 public:
  FaultyBackend(std::unique_ptr<Backend> inner, Calls& calls)
      : inner_(std::move(inner)), calls_(calls) {}

  std::string name() const override { return inner_->name(); }
  std::string description() const override { return inner_->description(); }
  Precision precision() const override { return inner_->precision(); }
  DataType activation_type() const override { return inner_->activation_type(); }
  DataType master_type() const override { return inner_->master_type(); }
  std::optional<std::size_t> free_memory() const override { return inner_->free_memory(); }

  Buffer allocate(std::size_t bytes) override {
    count();
    return inner_->allocate(bytes);
  }
  void fill_zero(const Tensor& tensor) override {
    call(tensor, [&] { inner_->fill_zero(tensor); });
  }
  void copy(const Tensor& to, const Tensor& from) override {
    call(to, [&] { inner_->copy(to, from); });
  }
  void write(const Tensor& to, std::span<const float> from) override {
    call(to, [&] { inner_->write(to, from); });
  }
  void read(std::span<float> to, const Tensor& from) override {
    const bool wrong = count();
    inner_->read(to, from);
    if (wrong) spoil(to.data(), to.size_bytes());
  }
  std::unique_ptr<Readback> make_readback(std::int64_t values) override {
    count();
    return std::make_unique<FaultyReadback>(inner_->make_readback(values),
                                            [this] { return count(); });
  }
  void synchronize() override {
    count();
    inner_->synchronize();
  }
  std::size_t prepare(const std::function<void()>& operations) override {
    count();
    return inner_->prepare(operations);
  }
  void use_workspace(const Buffer& memory, std::size_t bytes) override {
    inner_->use_workspace(memory, bytes);
  }
  std::unique_ptr<Recording> record(std::function<void()> operations) override {
    count();
    return inner_->record(std::move(operations));
  }
  std::unique_ptr<Event> record_event() override { return inner_->record_event(); }
  void begin_range(const std::string& name) override { inner_->begin_range(name); }
  void end_range() override { inner_->end_range(); }

  std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) override {
    count();
    return inner_->make_conv(parameters);
  }
  void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                          const std::array<float, 3>& mean, bool relu) override {
    call(y, [&] { inner_->first_conv_forward(y, pixels, conv, mean, relu); });
  }
  void first_conv_backward(const Tensor& grad_pixels, const Tensor& grad_y, Conv& conv) override {
    call(grad_pixels, [&] { inner_->first_conv_backward(grad_pixels, grad_y, conv); });
  }
  void replicate_border_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                                const std::array<float, 3>& mean, bool relu) override {
    call(y, [&] { inner_->replicate_border_forward(y, pixels, conv, mean, relu); });
  }
  void replicate_border_backward(const Tensor& grad_pixels, const Tensor& grad_y,
                                 Conv& conv) override {
    call(grad_pixels, [&] { inner_->replicate_border_backward(grad_pixels, grad_y, conv); });
  }
  void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu) override {
    call(y, [&] { inner_->conv_forward(y, x, conv, relu); });
  }
  void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x, Conv& conv,
                          const GradientEpilogue& epilogue) override {
    call(grad_x, [&] { inner_->conv_data_gradient(grad_x, grad_y, x, conv, epilogue); });
  }
  void pool_forward(const Tensor& y, const Tensor& x, const PoolKind& kind) override {
    call(y, [&] { inner_->pool_forward(y, x, kind); });
  }
  void pool_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const PoolKind& kind, const GradientEpilogue& epilogue) override {
    call(grad_x, [&] { inner_->pool_backward(grad_x, grad_y, x, kind, epilogue); });
  }
  void pool_forward_noting(const Tensor& y, const Tensor& positive, const Tensor& x,
                           const PoolKind& kind) override {
    call(y, [&] { inner_->pool_forward_noting(y, positive, x, kind); });
  }
  void pool_backward_noted(const Tensor& grad_x, const Tensor& grad_y, const Tensor& positive,
                           const Tensor& x, const PoolKind& kind) override {
    call(grad_x, [&] { inner_->pool_backward_noted(grad_x, grad_y, positive, x, kind); });
  }
  void max_blur_forward(const Tensor& y, const Tensor& x) override {
    call(y, [&] { inner_->max_blur_forward(y, x); });
  }
  void max_blur_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                         const GradientEpilogue& epilogue) override {
    call(grad_x, [&] { inner_->max_blur_backward(grad_x, grad_y, x, epilogue); });
  }
  void guide_forward(const Tensor& y, const Tensor& x, const Tensor& guide) override {
    call(y, [&] { inner_->guide_forward(y, x, guide); });
  }
  void guide_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                      const Tensor& guide, const GradientEpilogue& epilogue) override {
    call(grad_x, [&] { inner_->guide_backward(grad_x, grad_y, x, guide, epilogue); });
  }
  void crop_forward(const Tensor& y, const Tensor& x, const Corner& corner) override {
    call(y, [&] { inner_->crop_forward(y, x, corner); });
  }
  void crop_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const Corner& corner, const GradientEpilogue& epilogue) override {
    call(grad_x, [&] { inner_->crop_backward(grad_x, grad_y, x, corner, epilogue); });
  }
  void gram(const Tensor& gram, const Tensor& features) override {
    call(gram, [&] { inner_->gram(gram, features); });
  }
  void style_loss(const Tensor& loss, const Tensor& matrix, const Tensor& gram,
                  const Tensor& target, const StyleLossScale& scale) override {
    call(matrix, [&] { inner_->style_loss(loss, matrix, gram, target, scale); });
  }
  void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                      const GradientEpilogue& epilogue) override {
    call(grad, [&] { inner_->style_backward(grad, features, matrix, epilogue); });
  }
  void style_first_conv_backward(const Tensor& grad_pixels, const Tensor& grad,
                                 const Tensor& features, const Tensor& matrix, Conv& conv,
                                 const GradientEpilogue& epilogue) override {
    call(grad_pixels, [&] {
      inner_->style_first_conv_backward(grad_pixels, grad, features, matrix, conv, epilogue);
    });
  }
  void channel_statistics(const Tensor& statistics, const Tensor& features,
                          const Tensor& weights) override {
    call(statistics, [&] { inner_->channel_statistics(statistics, features, weights); });
  }
  void statistics_loss(const Tensor& loss, const Tensor& coefficients, const Tensor& statistics,
                       const Tensor& target, const StatisticsLossScale& scale) override {
    call(coefficients,
         [&] { inner_->statistics_loss(loss, coefficients, statistics, target, scale); });
  }
  void statistics_backward(const Tensor& grad, const Tensor& features, const Tensor& coefficients,
                           const GradientEpilogue& epilogue) override {
    call(grad, [&] { inner_->statistics_backward(grad, features, coefficients, epilogue); });
  }
  void covariance_root(const Tensor& root, const Tensor& second_moment,
                       const Tensor& statistics) override {
    call(root, [&] { inner_->covariance_root(root, second_moment, statistics); });
  }
  void wasserstein_loss(const Tensor& loss, const Tensor& matrix, const Tensor& coefficients,
                        const Tensor& gram, const Tensor& statistics,
                        const WassersteinTarget& target, const WassersteinScale& scale) override {
    call(matrix, [&] {
      inner_->wasserstein_loss(loss, matrix, coefficients, gram, statistics, target, scale);
    });
  }
  void content_loss(const Tensor& loss, const Tensor& grad, const Tensor& features,
                    const Tensor& target, const ContentLossScale& scale,
                    const GradientEpilogue& epilogue) override {
    call(grad.data != nullptr ? grad : loss,
         [&] { inner_->content_loss(loss, grad, features, target, scale, epilogue); });
  }
  void normalize_gradient(const Tensor& grad_x, const Tensor& g, const Tensor& x,
                          const GradientNorm& to, const GradientEpilogue& epilogue) override {
    call(grad_x, [&] { inner_->normalize_gradient(grad_x, g, x, to, epilogue); });
  }
  void total_variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                       const VariationScale& scale) override {
    call(grad_pixels.data != nullptr ? grad_pixels : loss,
         [&] { inner_->total_variation(loss, grad_pixels, pixels, scale); });
  }
  void variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                 const VariationOptions& options) override {
    call(grad_pixels.data != nullptr ? grad_pixels : loss,
         [&] { inner_->variation(loss, grad_pixels, pixels, options); });
  }
  void temporal_loss(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                     const Tensor& target, const Tensor& mask,
                     const TemporalLossScale& scale) override {
    call(grad_pixels.data != nullptr ? grad_pixels : loss,
         [&] { inner_->temporal_loss(loss, grad_pixels, pixels, target, mask, scale); });
  }
  void adam(const Tensor& pixels, const Tensor& m, const Tensor& v, const Tensor& step,
            const Tensor& grad_pixels, const AdamOptions& options) override {
    call(pixels, [&] { inner_->adam(pixels, m, v, step, grad_pixels, options); });
  }
  void descent(const Tensor& pixels, const Tensor& step, const Tensor& grad_pixels,
               const DescentOptions& options) override {
    call(pixels, [&] { inner_->descent(pixels, step, grad_pixels, options); });
  }
  void lbfgs(const Tensor& pixels, const Tensor& pairs, const Tensor& direction,
             const Tensor& last_grad, const Tensor& scalars, const Tensor& grad_pixels,
             const Tensor& loss, const Tensor& ended, const LbfgsOptions& options,
             const LbfgsParts& parts) override {
    call(pixels, [&] {
      inner_->lbfgs(pixels, pairs, direction, last_grad, scalars, grad_pixels, loss, ended, options,
                    parts);
    });
  }
  void upsample_add(const Tensor& y, const Tensor& x) override {
    call(y, [&] { inner_->upsample_add(y, x); });
  }
  void upsample_transpose(const Tensor& x, const Tensor& y) override {
    call(x, [&] { inner_->upsample_transpose(x, y); });
  }
  void colour_map(const Tensor& y, const Tensor& x, const ColourMatrix& matrix,
                  bool accumulate) override {
    call(y, [&] { inner_->colour_map(y, x, matrix, accumulate); });
  }
  void axpby(const Tensor& y, double a, const Tensor& x, double b) override {
    call(y, [&] { inner_->axpby(y, a, x, b); });
  }
  void clamp(const Tensor& y, const Tensor& x, double lowest, double highest) override {
    call(y, [&] { inner_->clamp(y, x, lowest, highest); });
  }
  void gram_loss(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                 const Tensor& target, const StyleLossScale& scale) override {
    call(matrix, [&] { inner_->gram_loss(loss, matrix, features, target, scale); });
  }

 private:
  /// Has the fault happen where this call is the one. Whether it is to write no numbers.
  bool count() {
    if (calls_.broken) fail(ErrorKind::backend, "the device is in no state to go on");
    if (++calls_.count != calls_.fault.at) return false;
    if (calls_.before) calls_.before();
    switch (calls_.fault.kind) {
      case FaultKind::out_of_memory:
        fail(ErrorKind::out_of_memory, "the device has no memory left");
      case FaultKind::sticky:
        calls_.broken = true;
        fail(ErrorKind::backend, "the device has failed");
      case FaultKind::lost: ::raise(SIGKILL); break;
      case FaultKind::hung:
        for (;;) ::pause();
      case FaultKind::wrong: break;
    }
    return true;
  }

  template <class Call>
  void call(const Tensor& output, const Call& inner_call) {
    const bool wrong = count();
    inner_call();
    if (wrong) spoil(output.data, output.bytes());
  }

  std::unique_ptr<Backend> inner_;
  Calls& calls_;
};

}  // namespace

std::unique_ptr<Backend> make_faulty_backend(std::unique_ptr<Backend> backend, Calls& calls) {
  return std::make_unique<FaultyBackend>(std::move(backend), calls);
}

}  // namespace impasto::test
