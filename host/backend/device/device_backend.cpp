// SPDX-License-Identifier: MIT
#include "host/backend/device/device_backend.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "host/backend/device/scratch.hpp"
#include "host/backend/device/storage.hpp"
#include "host/backend/device/stream_objects.hpp"
#include "host/backend/device/upload.hpp"
#include "host/core/error.hpp"
#include "kernels/axpby/axpby.hpp"
#include "kernels/common/arithmetic.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram_loss/gram_loss.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "simt/error.hpp"

namespace impasto::IMPASTO_DEVICE {
namespace {

namespace launch = kernels::IMPASTO_DEVICE;
using kernels::Arithmetic;

/// The library's convolution, and the parameters as our own kernel for three channels reads them.
struct DeviceConv final : Conv {
  std::unique_ptr<Conv> library;
  Buffer weight;
  Buffer bias;
};

class DeviceBackend final : public Backend {
 public:
  DeviceBackend(std::string name, Precision precision, std::unique_ptr<Runtime> runtime,
                std::unique_ptr<Libraries> libraries)
      : name_(std::move(name)),
        precision_(precision),
        arithmetic_(precision == Precision::fp32 ? Arithmetic::fp32 : Arithmetic::tensor_cores),
        runtime_(std::move(runtime)),
        libraries_(std::move(libraries)),
        stream_(runtime_->stream()) {}

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
    runtime_->fill_zero(tensor.data, tensor.bytes());
  }
  void copy(const Tensor& to, const Tensor& from) override {
    require(to.bytes() == from.bytes() && to.type == from.type, "copy of {} to {}",
            to_string(from.shape), to_string(to.shape));
    if (!scratch_.measuring()) runtime_->copy(to.data, from.data, from.bytes());
  }
  void write(const Tensor& to, std::span<const float> from) override {
    require(static_cast<std::size_t>(to.shape.count()) == from.size(), "write of {} values to {}",
            from.size(), to_string(to.shape));
    dispatch(to.type, [&]<class T>(T) {
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
    dispatch(from.type, [&]<class T>(T) {
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
    auto conv = std::make_unique<DeviceConv>();
    conv->library = libraries_->make_conv(parameters);
    if (parameters.in_channels == 3) {
      conv->weight = upload(*runtime_, parameters.weight, DataType::f32);
      conv->bias = upload(*runtime_, parameters.bias, DataType::f32);
    }
    return conv;
  }

  void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                          const std::array<float, 3>& mean, bool relu) override {
    const auto& own = static_cast<DeviceConv&>(conv);
    const OwnKernel kernel = own_kernel(0, y.type, [&]<class T>(T, auto tensors, void*) {
      launch::first_conv_forward(tensors[0].template as<T>(), tensors[1].template as<float>(),
                                 static_cast<const float*>(own.weight.get()),
                                 static_cast<const float*>(own.bias.get()), mean, y.shape, relu,
                                 stream_);
    });
    libraries_->first_conv_forward(y, pixels, *own.library, mean, relu, kernel, scratch_);
  }
  void first_conv_backward(const Tensor& grad_pixels, const Tensor& grad_y, Conv& conv) override {
    const auto& own = static_cast<DeviceConv&>(conv);
    enqueue(grad_y.type, [&]<class T>(T) {
      launch::first_conv_backward(grad_pixels.as<float>(), grad_y.as<T>(),
                                  static_cast<const float*>(own.weight.get()), grad_y.shape,
                                  stream_);
    });
  }
  void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu) override {
    libraries_->conv_forward(y, x, *static_cast<DeviceConv&>(conv).library, relu, scratch_);
  }
  void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x, Conv& conv,
                          const GradientEpilogue& epilogue) override {
    libraries_->conv_data_gradient(grad_x, grad_y, x, *static_cast<DeviceConv&>(conv).library,
                                   epilogue, scratch_);
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
      launch::gram_loss(loss.as<float>(), matrix.as<float>(), features.as<T>(), target.as<float>(),
                        features.shape, arithmetic_, scale, workspace, stream_);
    });
  }
  void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                      const GradientEpilogue& epilogue) override {
    const OwnKernel kernel = own_kernel(
        launch::style_backward_workspace(features.shape), features.type,
        [&]<class T>(T, auto tensors, void* workspace) {
          launch::style_backward(tensors[0].template as<T>(), tensors[1].template as<T>(),
                                 tensors[2].template as<float>(), features.shape, epilogue,
                                 arithmetic_, static_cast<float*>(workspace), stream_);
        });
    libraries_->style_backward(grad, features, matrix, epilogue, kernel, scratch_);
  }
  void content_loss(const Tensor& loss, const Tensor& grad, const Tensor& features,
                    const Tensor& target, const ContentLossScale& scale,
                    const GradientEpilogue& epilogue) override {
    auto* workspace = scratch_.get<double>(kernels::content_loss_workspace(features.shape));
    enqueue(features.type, [&]<class T>(T) {
      launch::content_loss(loss.as<float>(), grad.as<T>(), features.as<T>(), target.as<T>(),
                           features.shape, scale, epilogue, workspace, stream_);
    });
  }
  void total_variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                       const VariationScale& scale) override {
    auto* workspace = scratch_.get<double>(kernels::total_variation_workspace(pixels.shape));
    enqueue([&] {
      launch::total_variation(loss.as<float>(), grad_pixels.as<float>(), pixels.as<float>(),
                              pixels.shape, scale, workspace, stream_);
    });
  }
  void adam(const Tensor& pixels, const Tensor& m, const Tensor& v, const Tensor& step,
            const Tensor& grad_pixels, const AdamOptions& options) override {
    auto* workspace = scratch_.get<float>(launch::adam_workspace);
    enqueue([&] {
      launch::adam(pixels.as<float>(), m.as<float>(), v.as<float>(), step.as<std::int64_t>(),
                   grad_pixels.as<float>(), pixels.shape.count(), options, workspace, stream_);
    });
  }
  void axpby(const Tensor& y, double a, const Tensor& x, double b) override {
    enqueue([&] { launch::axpby(y.as<float>(), a, x.as<float>(), b, y.shape.count(), stream_); });
  }

 private:
  /// Calls `launches`, whose kernels go to this device.
  template <class Launches>
  void launch_kernels(Launches launches) const {
    runtime_->make_current();
    try {
      launches();
    } catch (const simt::Error& error) {
      fail(ErrorKind::internal, "a kernel is at fault: {}", error.what());
    }
  }
  /// The same, except while measuring.
  template <class Launches>
  void enqueue(Launches launches) {
    if (!scratch_.measuring()) launch_kernels(launches);
  }
  /// The same with a value of the C++ type that stores `type`.
  template <class Launches>
  void enqueue(DataType type, Launches launches) {
    enqueue([&] { dispatch(type, launches); });
  }
  /// A kernel for `libraries_` to use or not, which is tried while measuring too; `launches` takes
  /// a value of the C++ type that stores `type`, the tensors and the workspace.
  template <class Launches>
  OwnKernel own_kernel(std::int64_t workspace_floats, DataType type, Launches launches) const {
    constexpr auto float_bytes = static_cast<std::int64_t>(sizeof(float));
    return {workspace_floats * float_bytes,
            [=, this](std::span<const Tensor> tensors, void* workspace) {
              launch_kernels([&] {
                dispatch(type, [&](auto value) { launches(value, tensors, workspace); });
              });
            }};
  }

  std::string name_;
  Precision precision_;
  Arithmetic arithmetic_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Libraries> libraries_;
  Stream stream_;
  Scratch scratch_{*runtime_};
};

}  // namespace

std::unique_ptr<Backend> make_device_backend(std::string name, Precision precision,
                                             std::unique_ptr<Runtime> runtime,
                                             std::unique_ptr<Libraries> libraries) {
  return std::make_unique<DeviceBackend>(std::move(name), precision, std::move(runtime),
                                         std::move(libraries));
}

}  // namespace impasto::IMPASTO_DEVICE
