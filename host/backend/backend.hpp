// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/backend/precision.hpp"
#include "host/core/tensor.hpp"
#include "kernels/adam/adam.hpp"
#include "kernels/content_loss/content_loss.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/style_loss/style_loss.hpp"
#include "kernels/total_variation/total_variation.hpp"

namespace impasto {

using kernels::AdamOptions;
using kernels::ContentLossScale;
using kernels::GradientEpilogue;
using kernels::PoolKind;
using kernels::StyleLossScale;
using kernels::VariationScale;

/// A convolution's parameters as the host holds them: weight (Cout,3,3,Cin), bias (Cout).
struct ConvParameters {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::vector<float> weight;
  std::vector<float> bias;
};

/// The same parameters in the form a backend computes with, and what it caches for them by shape.
/// Made by Backend::make_conv, used with that backend only.
class Conv {
 public:
  Conv() = default;
  Conv(const Conv&) = delete;
  Conv& operator=(const Conv&) = delete;
  virtual ~Conv() = default;
};

/// Device memory, freed with the object.
using Buffer = std::shared_ptr<void>;

/// A tensor's values on their way to the host, through memory of the object's own.
class Readback {
 public:
  Readback() = default;
  Readback(const Readback&) = delete;
  Readback& operator=(const Readback&) = delete;
  virtual ~Readback() = default;
  /// Enqueues the copy of `from`, a tensor of as many values as the object was made for.
  virtual void start(const Tensor& from) = 0;
  [[nodiscard]] virtual bool arrived() = 0;
  /// Waits for them.
  [[nodiscard]] virtual std::span<const float> values() = 0;
};

/// Operations that are enqueued again as one: a CUDA graph, where there is such a thing. The
/// tensors they use must outlive it.
class Recording {
 public:
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

/// A point in the enqueued work.
class Moment {
 public:
  Moment() = default;
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;
  virtual ~Moment() = default;
  /// The device's time since `earlier`, of the same backend. Waits.
  [[nodiscard]] virtual double seconds_since(Moment& earlier) = 0;
};

/// The operations one iteration is made of, each on its own, so that one kernel can be tested alone
/// and a library can fuse where it is able to. The mathematics of an operation is in the contract
/// kernels/<op>/<op>.hpp; here only what differs.
///
/// Operations enqueue work and return: nothing waits, allocates after the first call with a shape,
/// or reads a result back. Only `read` and `synchronize` wait. Outputs come first. Feature maps and
/// their gradients have activation_type(); pixels and their gradient, moments, Gram matrices and
/// losses have master_type(). One backend is used by one thread at a time.
///
/// What an operation needs by shape (a library's plan, workspace) it makes when it first meets it,
/// or beforehand in `prepare`.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  /// What it runs on, for people: "Intel Xeon, 2 threads, oneDNN 2.6.3, avx512_core".
  [[nodiscard]] virtual std::string device() const = 0;
  [[nodiscard]] virtual Precision precision() const = 0;
  [[nodiscard]] virtual DataType activation_type() const = 0;
  [[nodiscard]] virtual DataType master_type() const = 0;

  /// Uninitialised device memory, aligned to 256 bytes. Throws ErrorKind::out_of_memory when there
  /// is not enough, saying how much was asked for.
  [[nodiscard]] virtual Buffer allocate(std::size_t bytes) = 0;
  virtual void fill_zero(const Tensor& tensor) = 0;
  virtual void copy(const Tensor& to, const Tensor& from) = 0;
  /// Between host floats and device memory, converting to and from the tensor's type.
  virtual void write(const Tensor& to, std::span<const float> from) = 0;
  virtual void read(std::span<float> to, const Tensor& from) = 0;
  [[nodiscard]] virtual std::unique_ptr<Readback> make_readback(std::int64_t count) = 0;
  virtual void synchronize() = 0;
  /// Bytes that could be allocated; none where nobody can say.
  [[nodiscard]] virtual std::optional<std::size_t> free_memory() const = 0;

  /// Calls `operations`, which enqueue nothing this time but have everything made that they need;
  /// their tensors need no memory yet. Returns the bytes of workspace the neediest of them asks
  /// for.
  [[nodiscard]] virtual std::size_t prepare(const std::function<void()>& operations) = 0;
  /// Operations use this memory between their stages, for as long as its owner keeps it. Without
  /// it, or where it is too small, they allocate their own.
  virtual void use_workspace(const Buffer& memory, std::size_t bytes) = 0;

  /// Records `operations`, all of which have been done or prepared before, without doing them.
  [[nodiscard]] virtual std::unique_ptr<Recording> record(std::function<void()> operations) = 0;
  [[nodiscard]] virtual std::unique_ptr<Moment> moment() = 0;
  /// Names what is enqueued until end_range(), for profilers.
  virtual void begin_range(const std::string& name) = 0;
  virtual void end_range() = 0;

  [[nodiscard]] virtual std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) = 0;

  /// Pixels (N,H,W,3) to the first feature map: preprocess, convolution, bias and, with `relu`,
  /// ReLU.
  virtual void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                                  const std::array<float, 3>& mean, bool relu) = 0;
  /// The gradient of the first feature map (already masked) to that of the pixels.
  virtual void first_conv_backward(const Tensor& grad_pixels, const Tensor& grad_y, Conv& conv) = 0;

  virtual void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu) = 0;
  virtual void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                                  Conv& conv, const GradientEpilogue& epilogue) = 0;

  virtual void pool_forward(const Tensor& y, const Tensor& x, const PoolKind& kind) = 0;
  virtual void pool_backward(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                             const PoolKind& kind, const GradientEpilogue& epilogue) = 0;

  virtual void gram(const Tensor& gram, const Tensor& features) = 0;
  /// `loss` has N values, one per image; so for every loss below.
  virtual void gram_loss(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                         const Tensor& target, const StyleLossScale& scale) = 0;
  virtual void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                              const GradientEpilogue& epilogue) = 0;
  /// An empty `grad` asks for the loss alone.
  virtual void content_loss(const Tensor& loss, const Tensor& grad, const Tensor& features,
                            const Tensor& target, const ContentLossScale& scale,
                            const GradientEpilogue& epilogue) = 0;
  /// Adds to `grad_pixels`; an empty one asks for the loss alone.
  virtual void total_variation(const Tensor& loss, const Tensor& grad_pixels, const Tensor& pixels,
                               const VariationScale& scale) = 0;
  /// `step` is one i64: the number of steps done, counted by the operation itself.
  virtual void adam(const Tensor& pixels, const Tensor& m, const Tensor& v, const Tensor& step,
                    const Tensor& grad_pixels, const AdamOptions& options) = 0;

  /// Master tensors: y = a·x + b·y, in which b = 0 does not read y.
  virtual void axpby(const Tensor& y, double a, const Tensor& x, double b) = 0;
};

}  // namespace impasto
