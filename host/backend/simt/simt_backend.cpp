// SPDX-License-Identifier: MIT
#include "host/backend/simt/simt_backend.hpp"

#include <utility>

#include "host/backend/cpu/cpu_backend.hpp"
#include "host/backend/device/device_backend.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "simt/machine.hpp"
#include "simt/stream.hpp"

namespace impasto {
namespace {

/// A feature map's values as float, whatever they are stored as.
class Widened {
 public:
  explicit Widened(const Tensor& stored)
      : stored_(stored), values_(static_cast<std::size_t>(stored.shape.count())) {
    for_each([&](const auto& value, std::size_t i) { values_[i] = static_cast<float>(value); });
  }

  [[nodiscard]] Tensor tensor() { return {values_.data(), stored_.shape, DataType::f32}; }

  /// Rounds the values back to where they came from.
  void store() const {
    for_each([&]<class T>(T& value, std::size_t i) { value = static_cast<T>(values_[i]); });
    simt::Machine::get().device_memory().mark_written(stored_.data, stored_.bytes());
  }

 private:
  template <class Each>
  void for_each(Each each) const {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      switch (stored_.type) {
        case DataType::bf16: each(stored_.as<kernels::bfloat16>()[i], i); break;
        case DataType::fp16: each(stored_.as<kernels::float16>()[i], i); break;
        default: each(stored_.as<float>()[i], i); break;
      }
    }
  }

  Tensor stored_;
  std::vector<float> values_;
};

/// The cpu backend's convolutions in float: maps are widened before and rounded after, as a tensor
/// core's sums are.
class CpuConvolutions final : public emulated::Libraries {
 public:
  explicit CpuConvolutions(emulated::Runtime& runtime) : stream_(*runtime.stream()) {}

  std::string names() const override { return "convolutions: cpu backend, fp32"; }
  std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) override {
    return cpu_->make_conv(parameters);
  }
  void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu,
                    emulated::Scratch& scratch) override {
    if (scratch.measuring()) return;
    stream_.enqueue([=, this, &conv] {
      Widened wide_y(y);
      cpu_->conv_forward(wide_y.tensor(), Widened(x).tensor(), conv, relu);
      wide_y.store();
    });
  }
  void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x, Conv& conv,
                          const GradientEpilogue& epilogue, emulated::Scratch& scratch) override {
    if (scratch.measuring()) return;
    stream_.enqueue([=, this, &conv] {
      Widened wide_grad(grad_x);
      cpu_->conv_data_gradient(wide_grad.tensor(), Widened(grad_y).tensor(), Widened(x).tensor(),
                               conv, epilogue);
      wide_grad.store();
    });
  }

 private:
  simt::Stream& stream_;
  std::unique_ptr<Backend> cpu_ = make_cpu_backend(Precision::fp32);
};

}  // namespace

std::unique_ptr<Backend> make_simt_backend(Precision precision) {
  auto runtime = std::make_unique<emulated::Runtime>();
  auto convolutions = std::make_unique<CpuConvolutions>(*runtime);
  return emulated::make_device_backend("simt", precision, std::move(runtime),
                                       std::move(convolutions));
}

}  // namespace impasto
