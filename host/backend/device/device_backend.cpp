// SPDX-License-Identifier: MIT
#include "host/backend/device/device_backend.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "host/backend/device/memory.hpp"
#include "host/backend/device/stream.hpp"
#include "host/backend/device/trial_memory.hpp"
#include "host/core/error.hpp"
#include "kernels/axpby/axpby.hpp"
#include "kernels/clamp/clamp.hpp"
#include "kernels/colour_map/colour_map.hpp"
#include "kernels/common/arithmetic.hpp"
#include "kernels/conv/conv.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/first_conv_gram_loss/first_conv_gram_loss.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram_loss/gram_loss.hpp"
#include "kernels/guide/guide.hpp"
#include "kernels/normalize_gradient/normalize_gradient.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/style_first_conv/style_first_conv.hpp"
#include "kernels/upsample/upsample.hpp"

namespace impasto::IMPASTO_DEVICE {
namespace {

namespace launch = kernels::IMPASTO_DEVICE;
using kernels::Arithmetic;

/// How far apart two candidates' results may be (root mean square, relative): more than other
/// roundings and another order of sums bring about, less than a wrong tile among 64.
constexpr double tolerance_of(Precision precision) {
  return precision == Precision::fp32 ? 1e-4 : 0.02;
}

constexpr Arithmetic arithmetic_of(Precision precision) {
  return precision == Precision::fp32 ? Arithmetic::fp32 : Arithmetic::tensor_cores;
}

Autotuner make_autotuner(Runtime& runtime, Tuning tuning, PlanCache cache) {
  Autotuner::Limits limits;
  // Whoever asks for tuning has time for every engine, and some for the knobs of the fastest.
  if (tuning == Tuning::retune) {
    limits.compiling = std::chrono::hours(1);
    limits.searching = std::chrono::seconds(2);
  }
  return {
      tuning, std::move(cache),
      [&runtime](std::span<const Launch> launches) { return time_on_stream(runtime, launches); },
      limits};
}

class DeviceBackend final : public Backend {
 public:
  DeviceBackend(std::string name, Precision precision, std::unique_ptr<Runtime> runtime,
                std::unique_ptr<Libraries> libraries, Tuning tuning, PlanCache cache)
      : name_(std::move(name)),
        precision_(precision),
        arithmetic_(arithmetic_of(precision)),
        runtime_(std::move(runtime)),
        libraries_(std::move(libraries)),
        stream_(runtime_->stream()),
        blocks_done_(runtime_->allocate(sizeof(unsigned))),
        autotuner_(make_autotuner(*runtime_, tuning, std::move(cache))) {
    runtime_->fill_zero(blocks_done_.get(), sizeof(unsigned));
  }

  std::string name() const override { return name_; }
  std::string description() const override {
    return runtime_->device() + "; " + libraries_->names();
  }
  int index() const override { return runtime_->index(); }
  Precision precision() const override { return precision_; }
  DataType activation_type() const override { return storage_of(precision_); }
  DataType master_type() const override { return DataType::f32; }

  Buffer allocate(std::size_t bytes) override { return runtime_->allocate(bytes); }
  std::optional<std::size_t> free_memory() const override { return runtime_->free_memory(); }
  void fill_zero(const Tensor& tensor) override {
    if (!scratch_.measuring()) runtime_->fill_zero(tensor.data, tensor.bytes());
  }
  void copy(const Tensor& to, const Tensor& from) override {
    require(to.bytes() == from.bytes() && to.type == from.type, "copy of {} to {}",
            to_string(from.shape), to_string(to.shape));
    if (!scratch_.measuring()) runtime_->copy(to.data, from.data, from.bytes());
  }
  void write(const Tensor& to, std::span<const float> from) override {
    require(static_cast<std::size_t>(to.shape.count()) == from.size(), "write of {} values to {}",
            from.size(), to_string(to.shape));
    dispatch_storage(to.type, [&]<class T>(T) {
      std::vector<T> values(from.size());
      std::transform(from.begin(), from.end(), values.begin(),
                     [](float value) { return static_cast<T>(value); });
      runtime_->copy_to_device(to.data, values.data(), to.bytes());
      runtime_->synchronize();
    });
  }
  void read(std::span<float> to, const Tensor& from) override {
    require(static_cast<std::size_t>(from.shape.count()) == to.size(), "read of {} into {} values",
            to_string(from.shape), to.size());
    dispatch_storage(from.type, [&]<class T>(T) {
      std::vector<T> values(to.size());
      runtime_->copy_to_host(values.data(), from.data, from.bytes());
      runtime_->synchronize();
      std::transform(values.begin(), values.end(), to.begin(),
                     [](T value) { return static_cast<float>(value); });
    });
  }
  std::unique_ptr<Readback> make_readback(std::int64_t count) override {
    return std::make_unique<DeviceReadback>(*runtime_, count);
  }
  void synchronize() override { runtime_->synchronize(); }
  void* stream() override { return stream_; }

  std::size_t prepare(const std::function<void()>& operations) override {
    return scratch_.measure(operations);
  }
  void use_workspace(const Buffer& memory, std::size_t bytes) override {
    scratch_.use(memory, bytes);
  }
  std::unique_ptr<Recording> record(std::function<void()> operations) override {
    return std::make_unique<DeviceRecording>(*runtime_, std::move(operations));
  }
  std::unique_ptr<impasto::Event> record_event() override {
    return std::make_unique<DeviceEvent>(*runtime_);
  }
  void begin_range(const std::string& name) override { runtime_->begin_range(name.c_str()); }
  void end_range() override { runtime_->end_range(); }

  std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) override {
    runtime_->make_current();
    std::unique_ptr<DeviceConv> conv = libraries_->make_conv(parameters);
    std::vector<float> rotated(parameters.weight.size());
    rotate_filters(rotated.data(), parameters.weight.data(), parameters.out_channels,
                   parameters.in_channels);
    conv->weight = upload(*runtime_, parameters.weight, activation_type());
    conv->rotated = upload(*runtime_, rotated, activation_type());
    conv->bias = upload(*runtime_, parameters.bias, DataType::f32);
    if (parameters.in_channels == 3) {
      conv->first_weight = upload(*runtime_, parameters.weight, DataType::f32);
    }
    return conv;
  }

  void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                          const std::array<float, 3>& mean, bool relu) override {
    ConvCall call = conv_call(ConvProblem::Kind::first_forward, pixels.shape, y.shape, conv);
    call.problem.relu = relu;
    call.to = y;
    call.from = pixels;
    call.mean = mean;
    run(call, chosen(call, [this](bool /*alone*/) { return first_conv_kernel(); }));
  }
  void first_conv_backward(const Tensor& grad_pixels, const Tensor& grad_y, Conv& conv) override {
    const auto& own = static_cast<const DeviceConv&>(conv);
    enqueue(grad_y.type, [&]<class T>(T) {
      launch::first_conv_backward(grad_pixels.as<float>(), grad_y.as<T>(),
                                  static_cast<const float*>(own.first_weight.get()), grad_y.shape,
                                  stream_);
    });
  }
  void replicate_border_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                                const std::array<float, 3>& mean, bool relu) override {
    const auto& own = static_cast<const DeviceConv&>(conv);
    enqueue(y.type, [&]<class T>(T) {
      launch::replicate_border_forward(
          y.as<T>(), pixels.as<float>(), static_cast<const float*>(own.first_weight.get()),
          static_cast<const float*>(own.bias.get()), mean, y.shape, relu, stream_);
    });
  }
  void replicate_border_backward(const Tensor& grad_pixels, const Tensor& grad_y,
                                 Conv& conv) override {
    const auto& own = static_cast<const DeviceConv&>(conv);
    enqueue(grad_y.type, [&]<class T>(T) {
      launch::replicate_border_backward(grad_pixels.as<float>(), grad_y.as<T>(),
                                        static_cast<const float*>(own.first_weight.get()),
                                        grad_y.shape, stream_);
    });
  }
  void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu) override {
    ConvCall call = conv_call(ConvProblem::Kind::forward, x.shape, y.shape, conv);
    call.problem.relu = relu;
    call.to = y;
    call.from = x;
    run(call, chosen(call, [&](bool alone) { return conv_kernel(call.problem, alone); }));
  }
  void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x, Conv& conv,
                          const GradientEpilogue& epilogue) override {
    ConvCall call = conv_call(ConvProblem::Kind::data_gradient, grad_x.shape, grad_y.shape, conv);
    call.problem.epilogue = epilogue;
    call.to = grad_x;
    call.from = grad_y;
    if (epilogue.relu_mask) call.mask = x;
    run(call, chosen(call, [&](bool alone) { return conv_kernel(call.problem, alone); }));
  }

  void pool_forward(const Tensor& y, const Tensor& x, const PoolKind& kind) override {
    enqueue(x.type, [&]<class T>(T) {
      launch::pool_forward(y.as<T>(), x.as<T>(), x.shape, kind, stream_);
    });
  }
  void pool_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const PoolKind& kind, const GradientEpilogue& epilogue) override {
    enqueue(x.type, [&]<class T>(T) {
      launch::pool_backward(grad_x.as<T>(), grad_y.as<T>(), x.as<T>(), x.shape, kind, epilogue,
                            stream_);
    });
  }
  void pool_forward_noting(const Tensor& y, const Tensor& positive, const Tensor& x,
                           const PoolKind& kind) override {
    if (!notes(y, x, kind)) return Ops::pool_forward_noting(y, positive, x, kind);
    enqueue(x.type, [&]<class T>(T) {
      if constexpr (sizeof(T) == 2) {
        launch::pool_forward_noting(y.as<T>(), positive.as<unsigned char>(), x.as<T>(), x.shape,
                                    kind, stream_);
      }
    });
  }
  void pool_backward_noted(const Tensor& grad_x, const Tensor& grad_y, const Tensor& positive,
                           const Tensor& x, const PoolKind& kind) override {
    if (!notes(grad_y, grad_x, kind)) {
      return Ops::pool_backward_noted(grad_x, grad_y, positive, x, kind);
    }
    enqueue(x.type, [&]<class T>(T) {
      if constexpr (sizeof(T) == 2) {
        launch::pool_backward_noted(grad_x.as<T>(), grad_y.as<T>(), positive.as<unsigned char>(),
                                    x.shape, kind, stream_);
      }
    });
  }
  void max_blur_forward(const Tensor& y, const Tensor& x) override {
    enqueue(x.type,
            [&]<class T>(T) { launch::max_blur_forward(y.as<T>(), x.as<T>(), x.shape, stream_); });
  }
  void max_blur_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                         const GradientEpilogue& epilogue) override {
    enqueue(x.type, [&]<class T>(T) {
      launch::max_blur_backward(grad_x.as<T>(), grad_y.as<T>(), x.as<T>(), x.shape, epilogue,
                                stream_);
    });
  }

  void guide_forward(const Tensor& y, const Tensor& x, const Tensor& guide) override {
    enqueue(x.type, [&]<class T>(T) {
      launch::guide_forward(y.as<T>(), x.as<T>(), guide.as<float>(), x.shape, stream_);
    });
  }
  void guide_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                      const Tensor& guide, const GradientEpilogue& epilogue) override {
    enqueue(x.type, [&]<class T>(T) {
      launch::guide_backward(grad_x.as<T>(), grad_y.as<T>(), x.as<T>(), guide.as<float>(), x.shape,
                             epilogue, stream_);
    });
  }

  void crop_forward(const Tensor& y, const Tensor& x, const Corner& corner) override {
    enqueue(x.type, [&]<class T>(T) {
      launch::crop_forward(y.as<T>(), x.as<T>(), y.shape, x.shape, corner, stream_);
    });
  }
  void crop_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const Corner& corner, const GradientEpilogue& epilogue) override {
    enqueue(x.type, [&]<class T>(T) {
      launch::crop_backward(grad_x.as<T>(), grad_y.as<T>(), x.as<T>(), grad_y.shape, grad_x.shape,
                            corner, epilogue, stream_);
    });
  }

  void gram(const Tensor& gram, const Tensor& features) override {
    auto* workspace = scratch_.get<float>(launch::gram_workspace(features.shape));
    enqueue(features.type, [&]<class T>(T) {
      launch::gram(gram.as<float>(), features.as<T>(), features.shape, arithmetic_, workspace,
                   stream_);
    });
  }
  void style_loss(const Tensor& loss, const Tensor& matrix, const Tensor& gram,
                  const Tensor& target, const StyleLossScale& scale) override {
    const Shape& shape = gram.shape;
    auto* workspace =
        scratch_.get<double>(launch::style_loss_workspace(shape.batch, shape.channels));
    enqueue([&] {
      launch::style_loss(loss.as<float>(), matrix.as<float>(), gram.as<float>(), target.as<float>(),
                         shape.batch, shape.channels, scale, workspace, stream_);
    });
  }
  void gram_loss(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                 const Tensor& target, const StyleLossScale& scale) override {
    auto* workspace = scratch_.get<float>(launch::gram_loss_workspace(features.shape));
    enqueue(features.type, [&]<class T>(T) {
      launch::gram_loss(loss.as<float>(), style_matrix_of(matrix), features.as<T>(),
                        target.as<float>(), features.shape, arithmetic_, scale, workspace,
                        blocks_done(), stream_);
    });
  }
  void first_conv_gram_loss(const Tensor& y, const Tensor& loss, const Tensor& matrix,
                            const Tensor& pixels, Conv& conv, const std::array<float, 3>& mean,
                            const Tensor& target, const StyleLossScale& scale) override {
    const auto& own = static_cast<const DeviceConv&>(conv);
    bool fits = false;
    dispatch_storage(y.type, [&]<class T>(T) {
      if constexpr (sizeof(T) == 2) {
        fits = launch::first_conv_gram_loss_fits(y.as<T>(), y.shape);
        if (!fits) return;
        auto* workspace = scratch_.get<float>(launch::first_conv_gram_loss_workspace(y.shape));
        enqueue([&] {
          launch::first_conv_gram_loss(
              y.as<T>(), loss.as<float>(), style_matrix_of(matrix), pixels.as<float>(),
              static_cast<const float*>(own.first_weight.get()),
              static_cast<const float*>(own.bias.get()), mean, target.as<float>(), y.shape, scale,
              workspace, blocks_done(), stream_);
        });
      }
    });
    if (!fits) Ops::first_conv_gram_loss(y, loss, matrix, pixels, conv, mean, target, scale);
  }
  void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                      const GradientEpilogue& epilogue) override {
    const StyleBackwardCall call{
        {precision_, features.shape, epilogue, matrix.type}, grad, features, matrix};
    run(call, chosen_for_product(call));
  }
  void style_first_conv_backward(const Tensor& grad_pixels, const Tensor& grad,
                                 const Tensor& features, const Tensor& matrix, Conv& conv,
                                 const GradientEpilogue& epilogue) override {
    const auto& own = static_cast<const DeviceConv&>(conv);
    bool fits = false;
    dispatch_storage(features.type, [&]<class T>(T) {
      if constexpr (sizeof(T) == 2) {
        fits = launch::style_first_conv_fits(grad.as<T>(), features.as<T>(), features.shape);
        if (!fits) return;
        enqueue([&] {
          launch::style_first_conv_backward(
              grad_pixels.as<float>(), grad.as<T>(), features.as<T>(), style_matrix_of(matrix),
              static_cast<const float*>(own.first_weight.get()), features.shape, epilogue, stream_);
        });
      }
    });
    if (!fits) {
      Ops::style_first_conv_backward(grad_pixels, grad, features, matrix, conv, epilogue);
    }
  }
  void channel_statistics(const Tensor& statistics, const Tensor& features,
                          const Tensor& weights) override {
    auto* workspace = scratch_.get<double>(kernels::channel_statistics_workspace(features.shape));
    enqueue(features.type, [&]<class T>(T) {
      launch::channel_statistics(statistics.as<float>(), features.as<T>(), weights.as<float>(),
                                 features.shape, workspace, stream_);
    });
  }
  void statistics_loss(const Tensor& loss, const Tensor& coefficients, const Tensor& statistics,
                       const Tensor& target, const StatisticsLossScale& scale) override {
    enqueue([&] {
      launch::statistics_loss(loss.as<float>(), coefficients.as<float>(), statistics.as<float>(),
                              target.as<float>(), statistics.shape.batch, statistics.shape.channels,
                              scale, stream_);
    });
  }
  void statistics_backward(const Tensor& grad, const Tensor& features, const Tensor& coefficients,
                           const GradientEpilogue& epilogue) override {
    enqueue(features.type, [&]<class T>(T) {
      launch::statistics_backward(grad.as<T>(), features.as<T>(), coefficients.as<float>(),
                                  features.shape, epilogue, stream_);
    });
  }
  void covariance_root(const Tensor& root, const Tensor& second_moment,
                       const Tensor& statistics) override {
    const std::int64_t channels = root.shape.channels;
    with_products(1, channels, [&](const launch::MatrixProduct& multiply, float* workspace) {
      launch::covariance_root(root.as<float>(), second_moment.as<float>(), statistics.as<float>(),
                              channels, multiply, workspace, stream_);
    });
  }
  void wasserstein_loss(const Tensor& loss, const Tensor& matrix, const Tensor& coefficients,
                        const Tensor& gram, const Tensor& statistics,
                        const WassersteinTarget& target, const WassersteinScale& scale) override {
    const std::int64_t N = gram.shape.batch;
    const std::int64_t C = gram.shape.channels;
    with_products(N, C, [&](const launch::MatrixProduct& multiply, float* workspace) {
      launch::wasserstein_loss(loss.as<float>(), matrix.as<float>(), coefficients.as<float>(),
                               gram.as<float>(), statistics.as<float>(),
                               {target.statistics.as<float>(), target.second_moment.as<float>(),
                                target.root.as<float>()},
                               N, C, scale, multiply, workspace, stream_);
    });
  }
  void content_loss(const Tensor& loss, const Tensor& grad, const Tensor& features,
                    const Tensor& target, const ContentLossScale& scale,
                    const GradientEpilogue& epilogue) override {
    auto* workspace = scratch_.get<double>(kernels::content_loss_workspace(features.shape));
    enqueue(features.type, [&]<class T>(T) {
      launch::content_loss(loss.as<float>(), grad.as<T>(), features.as<T>(), target.as<T>(),
                           features.shape, scale, epilogue, workspace, blocks_done(), stream_);
    });
  }
  void normalize_gradient(const Tensor& grad_x, const Tensor& g, const Tensor& x,
                          const GradientNorm& to, const GradientEpilogue& epilogue) override {
    auto* workspace = scratch_.get<double>(kernels::normalize_gradient_workspace(x.shape));
    enqueue(x.type, [&]<class T>(T) {
      launch::normalize_gradient(grad_x.as<T>(), g.as<T>(), x.as<T>(), x.shape, to, epilogue,
                                 workspace, stream_);
    });
  }
  void total_variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                       const VariationScale& scale) override {
    auto* workspace = scratch_.get<double>(kernels::total_variation_workspace(pixels.shape));
    enqueue([&] {
      launch::total_variation(loss.as<float>(), grad_pixels.as<float>(), pixels.as<float>(),
                              pixels.shape, scale, workspace, blocks_done(), stream_);
    });
  }
  void variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                 const VariationOptions& options) override {
    auto* workspace = scratch_.get<double>(kernels::variation_workspace(pixels.shape));
    enqueue([&] {
      launch::variation(loss.as<float>(), grad_pixels.as<float>(), pixels.as<float>(), pixels.shape,
                        options, workspace, blocks_done(), stream_);
    });
  }
  void temporal_loss(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                     const Tensor& target, const Tensor& mask,
                     const TemporalLossScale& scale) override {
    auto* workspace = scratch_.get<double>(kernels::temporal_loss_workspace(pixels.shape));
    enqueue([&] {
      launch::temporal_loss(loss.as<float>(), grad_pixels.as<float>(), pixels.as<float>(),
                            target.as<float>(), mask.as<float>(), pixels.shape, scale, workspace,
                            blocks_done(), stream_);
    });
  }
  void adam(const Tensor& pixels, const Tensor& m, const Tensor& v, const Tensor& step,
            const Tensor& grad_pixels, const AdamOptions& options) override {
    enqueue([&] {
      launch::adam(pixels.as<float>(), m.as<float>(), v.as<float>(), step.as<std::int64_t>(),
                   grad_pixels.as<float>(), pixels.shape.count(), options, blocks_done(), stream_);
    });
  }
  void descent(const Tensor& pixels, const Tensor& step, const Tensor& grad_pixels,
               const DescentOptions& options) override {
    auto* workspace = scratch_.get<float>(launch::descent_workspace);
    enqueue([&] {
      launch::descent(pixels.as<float>(), step.as<std::int64_t>(), grad_pixels.as<float>(),
                      pixels.shape.count(), options, workspace, stream_);
    });
  }
  void lbfgs(const Tensor& pixels, const Tensor& pairs, const Tensor& direction,
             const Tensor& last_grad, const Tensor& scalars, const Tensor& grad_pixels,
             const Tensor& loss, const Tensor& ended, const LbfgsOptions& options,
             const LbfgsParts& parts) override {
    auto* workspace =
        scratch_.get<double>(kernels::lbfgs_workspace(pixels.shape, options.history, parts.count));
    enqueue([&] {
      launch::lbfgs(pixels.as<float>(), pairs.as<float>(), direction.as<float>(),
                    last_grad.as<float>(), scalars.as<double>(), grad_pixels.as<float>(),
                    loss.as<float>(), ended.as<float>(), pixels.shape, options, parts, workspace,
                    stream_);
    });
  }
  void upsample_add(const Tensor& y, const Tensor& x) override {
    enqueue([&] { launch::upsample_add(y.as<float>(), x.as<float>(), y.shape, stream_); });
  }
  void upsample_transpose(const Tensor& x, const Tensor& y) override {
    enqueue([&] { launch::upsample_transpose(x.as<float>(), y.as<float>(), y.shape, stream_); });
  }
  void colour_map(const Tensor& y, const Tensor& x, const ColourMatrix& matrix,
                  bool accumulate) override {
    enqueue([&] {
      launch::colour_map(y.as<float>(), x.as<float>(), matrix, accumulate, y.shape.count() / 3,
                         stream_);
    });
  }
  void axpby(const Tensor& y, double a, const Tensor& x, double b) override {
    enqueue([&] { launch::axpby(y.as<float>(), a, x.as<float>(), b, y.shape.count(), stream_); });
  }
  void clamp(const Tensor& y, const Tensor& x, double lowest, double highest) override {
    enqueue(y.type, [&]<class T>(T) {
      launch::clamp(y.as<T>(), x.as<T>(), lowest, highest, y.shape.count(), stream_);
    });
  }

 private:
  /// Of maps at arena offsets, which are all aligned: forward and backward say the same.
  [[nodiscard]] static bool notes(const Tensor& y, const Tensor& x, const PoolKind& kind) {
    bool found = false;
    dispatch_storage(x.type, [&]<class T>(T) {
      if constexpr (sizeof(T) == 2) {
        found = launch::pool_notes(y.as<T>(), x.as<T>(), x.shape, kind);
      }
    });
    return found;
  }

  [[nodiscard]] unsigned* blocks_done() const { return static_cast<unsigned*>(blocks_done_.get()); }

  /// Calls `launches`, except while preparing.
  template <class Launches>
  void enqueue(Launches launches) {
    if (!scratch_.measuring()) launch_kernels(*runtime_, launches);
  }
  /// The same with a value of the C++ type that stores `type`.
  template <class Launches>
  void enqueue(DataType type, Launches launches) {
    enqueue([&] { dispatch_storage(type, launches); });
  }

  [[nodiscard]] ConvCall conv_call(ConvProblem::Kind kind, const Shape& x, const Shape& y,
                                   const Conv& conv) const {
    ConvCall call;
    call.problem = {kind, precision_, {x.batch, x.height, x.width, x.channels, y.channels}, {}, {}};
    call.conv = &static_cast<const DeviceConv&>(conv);
    return call;
  }

  /// Our own kernels beside a library's candidates. They run for real while the autotuner times
  /// them, whether or not the backend is preparing.
  [[nodiscard]] Candidate<ConvCall> first_conv_kernel() const {
    return {own_kernel, 0, [this](const ConvCall& call, void* /*workspace*/) {
              dispatch_storage(call.to.type, [&]<class T>(T) {
                launch::first_conv_forward(call.to.as<T>(), call.from.as<float>(),
                                           static_cast<const float*>(call.conv->first_weight.get()),
                                           static_cast<const float*>(call.conv->bias.get()),
                                           call.mean, call.to.shape, call.problem.relu, stream_);
              });
            }};
  }
  /// None beside a library's where it is a plain loop, which would take long to time.
  [[nodiscard]] std::optional<Candidate<ConvCall>> conv_kernel(const ConvProblem& problem,
                                                               bool alone) const {
    bool fits = false;
    dispatch_storage(activation_type(),
                     [&]<class T>(T) { fits = launch::conv_fits<T>(problem.size); });
    if (!fits && !alone) return std::nullopt;
    return Candidate<ConvCall>{
        own_kernel, 0, [this](const ConvCall& call, void* /*workspace*/) {
          const ConvProblem& asked = call.problem;
          dispatch_storage(call.to.type, [&]<class T>(T) {
            if (asked.kind == ConvProblem::Kind::forward) {
              launch::conv_forward(call.to.as<T>(), call.from.as<T>(),
                                   static_cast<const T*>(call.conv->weight.get()),
                                   static_cast<const float*>(call.conv->bias.get()), asked.size,
                                   asked.relu, stream_);
            } else {
              launch::conv_data_gradient(call.to.as<T>(), call.from.as<T>(),
                                         static_cast<const T*>(call.conv->rotated.get()),
                                         call.mask.as<T>(), asked.size, asked.epilogue, stream_);
            }
          });
        }};
  }
  [[nodiscard]] Candidate<StyleBackwardCall> style_backward_kernel(
      const StyleBackwardProblem& problem) const {
    std::int64_t floats = 0;
    const Arithmetic arithmetic = arithmetic_of(problem.precision);
    dispatch_storage(storage_of(problem.precision), [&]<class T>(T) {
      floats = launch::style_backward_workspace<T>(problem.size, arithmetic,
                                                   problem.matrix == DataType::bf16);
    });
    return {own_kernel, floats * std::int64_t{sizeof(float)},
            [=, this](const StyleBackwardCall& call, void* workspace) {
              dispatch_storage(call.features.type, [&]<class T>(T) {
                launch::style_backward(call.grad.as<T>(), call.features.as<T>(),
                                       style_matrix_of(call.matrix), call.features.shape,
                                       call.problem.epilogue, arithmetic,
                                       static_cast<float*>(workspace), stream_);
              });
            }};
  }

  /// A product of N pairs of C×C matrices in float, whatever the network computes in: style_backward of
  /// maps of C pixels.
  [[nodiscard]] static StyleBackwardCall square_product(std::int64_t N, std::int64_t C) {
    const Shape map{N, 1, C, C};
    return {{Precision::fp32, map, {}, DataType::f32},
            {nullptr, map, DataType::f32},
            {nullptr, map, DataType::f32},
            {nullptr, matrix_shape(N, C), DataType::f32}};
  }

  /// Enqueues launches(multiply, workspace). The candidates chosen for N pairs of matrices and for one do
  /// what `multiply` asks for.
  template <class Launches>
  void with_products(std::int64_t N, std::int64_t C, Launches launches) {
    const StyleBackwardCall of_batch = square_product(N, C);
    const StyleBackwardCall of_one = square_product(1, C);
    const auto& batch = chosen_for_product(of_batch);
    const auto& one = chosen_for_product(of_one);
    const std::size_t own_bytes = aligned_bytes(
        static_cast<std::size_t>(kernels::wasserstein_workspace(N, C)) * sizeof(float));
    auto* workspace = scratch_.get<std::byte>(static_cast<std::int64_t>(own_bytes) +
                                              std::max(batch.workspace_bytes, one.workspace_bytes));
    enqueue([&] {
      const auto multiply = [&](float* c, const float* a, const float* b, std::int64_t images) {
        StyleBackwardCall call = images == N ? of_batch : of_one;
        call.grad.data = c;
        call.features.data = const_cast<float*>(a);
        call.matrix.data = const_cast<float*>(b);
        (images == N ? batch : one).enqueue(call, workspace + own_bytes);
      };
      launches(multiply, reinterpret_cast<float*>(workspace));
    });
  }

  /// The candidates chosen so far, by their problem.
  template <class Call>
  using Chosen = std::map<decltype(Call::problem), Candidate<Call>>;

  Chosen<ConvCall>& chosen_for(const ConvCall& /*call*/) { return chosen_convs_; }
  Chosen<StyleBackwardCall>& chosen_for(const StyleBackwardCall& /*call*/) {
    return chosen_style_backwards_;
  }

  template <class Call>
  void run(const Call& call, const Candidate<Call>& candidate) {
    void* workspace = scratch_.get<std::byte>(candidate.workspace_bytes);
    enqueue([&] { candidate.enqueue(call, workspace); });
  }

  const Candidate<StyleBackwardCall>& chosen_for_product(const StyleBackwardCall& call) {
    return chosen(call, [&](bool /*alone*/) { return style_backward_kernel(call.problem); });
  }

  /// The fastest of the libraries' candidates and our own kernel, if `make_own` returns one; it is told
  /// whether that would be alone.
  template <class Call, class MakeOwn>
  const Candidate<Call>& chosen(const Call& call, MakeOwn make_own) {
    auto& all = chosen_for(call);
    auto found = all.find(call.problem);
    if (found == all.end()) {
      runtime_->make_current();
      const std::unique_ptr<Candidates<Call>> library = libraries_->candidates(call);
      found = all.emplace(call.problem, autotuner_.choose(call.problem.name(), library.get(),
                                                          make_own(library == nullptr),
                                                          [&](std::int64_t workspace_bytes) {
                                                            return make_timed_call(call,
                                                                                   workspace_bytes);
                                                          }))
                  .first;
    }
    return found->second;
  }

  /// The call on memory of its own, filled with noise.
  template <class Call>
  TimedCall<Call> make_timed_call(const Call& call, std::int64_t workspace_bytes) {
    auto trial = std::make_shared<TrialMemory>(*runtime_);
    TimedCall<Call> timed{call, nullptr, trial, {}, tolerance_of(call.problem.precision)};
    for (Tensor* tensor : timed.call.tensors()) trial->fill(*tensor);
    timed.workspace = trial->allocate(static_cast<std::size_t>(workspace_bytes));
    timed.result = [this, trial, output = *timed.call.tensors().front()](const Launch& launch) {
      trial->refill(output);
      launch_kernels(*runtime_, launch);
      return trial->sample(output);
    };
    return timed;
  }

  inline static const AlgoId own_kernel{"own kernel", {}};

  std::string name_;
  Precision precision_;
  Arithmetic arithmetic_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Libraries> libraries_;
  Stream stream_;
  Scratch scratch_{*runtime_};
  Buffer blocks_done_;  ///< one number: kernels count their blocks there, and leave 0 behind
  Autotuner autotuner_;
  Chosen<ConvCall> chosen_convs_;
  Chosen<StyleBackwardCall> chosen_style_backwards_;
};

}  // namespace

std::unique_ptr<Backend> make_device_backend(std::string name, Precision precision,
                                             std::unique_ptr<Runtime> runtime,
                                             std::unique_ptr<Libraries> libraries, Tuning tuning,
                                             PlanCache cache) {
  return std::make_unique<DeviceBackend>(std::move(name), precision, std::move(runtime),
                                         std::move(libraries), tuning, std::move(cache));
}

}  // namespace impasto::IMPASTO_DEVICE
