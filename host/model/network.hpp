// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/schedule.hpp"
#include "host/model/vgg.hpp"
#include "host/model/weights.hpp"

namespace impasto {

/// How the first convolution continues the picture: by the mean pixel, or by the picture's outermost
/// pixels, which leaves no coloured fringes. Later ones always pad with zeros.
enum class Padding : std::uint8_t { zero, replicate };

class Network;

/// A loss's gradient at one layer, or at the pixels: appends the operation that writes it to, or
/// adds it to, the gradient of what the loss looks at.
struct GradientTerm {
  /// Where it joins the gradient from the layer above. What looks at a map before its ReLU comes
  /// after the ReLU's mask.
  enum class Order : std::uint8_t { before_layer_above, after_layer_above, before_relu };
  const VggLayer* layer = nullptr;  ///< null: the pixels
  Order order = Order::after_layer_above;
  std::function<void(Schedule&, TensorId grad, const GradientEpilogue&)> add;
  /// For a term that is the last to join at the first layer: goes on to the gradient of the pixels,
  /// through the first convolution, in the same operation. May be empty.
  std::function<void(Schedule&, TensorId grad_pixels, TensorId grad, const Network& network,
                     const GradientEpilogue&)>
      add_to_pixels = {};
};

/// What a forward pass leaves in its schedule.
struct ForwardPass {
  std::vector<TensorId> features;                 ///< every layer's map
  std::vector<std::optional<TensorId>> positive;  ///< where a pool's input is, if that was noted
};

/// A VGG up to some layer on one backend. It builds schedules and owns the parameters they use, so
/// it must outlive them.
class Network {
 public:
  /// Without parameters: it can plan but not run.
  Network(const VggLayers& layers, PoolKind pool) : pool_(pool) { traits_.layers = &layers; }
  /// With noise as parameters, for layers [0, deepest]: it can also prepare.
  Network(Backend& backend, const VggLayers& layers, PoolKind pool, std::size_t deepest,
          Padding padding = Padding::zero);
  /// With parameters, for layers [0, deepest], which see the pixels times `input_scale`; the host's
  /// copy goes with the argument. Throws ErrorKind::weights when `weights` ends earlier.
  Network(Backend& backend, Weights weights, PoolKind pool, std::size_t deepest,
          Padding padding = Padding::zero, double input_scale = 1);
  /// The parameters of another, shared with it, where pictures are padded or pooled differently.
  Network(const Network& other, PoolKind pool, Padding padding);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  [[nodiscard]] const VggLayers& layers() const { return *traits_.layers; }
  [[nodiscard]] const PoolKind& pool() const { return pool_; }
  /// Its first layer's parameters, if it has any, and the mean pixel that it subtracts.
  [[nodiscard]] Conv& first_conv() const { return *convs_.front(); }
  [[nodiscard]] const std::array<float, 3>& mean() const { return mean_; }

  /// As the weights say it.
  [[nodiscard]] const NetworkTraits& traits() const { return traits_; }

  /// The shape of a layer's feature map. Throws ErrorKind::usage when pooling leaves nothing of it.
  [[nodiscard]] Shape feature_shape(const Shape& pixels, std::size_t layer) const;

  /// Appends the forward pass from `pixels` to layer `deepest`, for a backward pass if one `follows`.
  /// `visit` is called after each layer is appended and may append to the schedule itself: what
  /// reads a feature map is best done while the map is still in the cache. Where `splits` says so,
  /// a convolution's map is kept as it is before the ReLU as well, and visited first.
  using Visit = std::function<void(const VggLayer& layer, bool before_relu, TensorId features)>;
  using Splits = std::function<bool(const VggLayer& layer)>;
  /// `first` may append the first convolution itself, with what it does besides in the same
  /// operation, and returns whether it did. It is asked where that convolution is one operation.
  using First = std::function<bool(TensorId features)>;
  ForwardPass forward(
      Schedule& schedule, TensorId pixels, std::size_t deepest, DataType type, const Visit& visit,
      const Splits& splits = [](const VggLayer&) { return false; }, bool follows = false,
      const First& first = [](TensorId) { return false; }) const;

  /// Appends the backward pass of what forward() built, down to `grad_pixels`, the gradient of the
  /// pixels. Where several gradients meet, the terms that come before the one from the layer above
  /// are first, then that one, then the others, of which the last applies the ReLU mask, and then
  /// the terms that look at the map before its ReLU.
  void backward(Schedule& schedule, const ForwardPass& pass, std::span<const GradientTerm> terms,
                TensorId grad_pixels) const;

 private:
  [[nodiscard]] bool blurs() const { return pool_.mode == kernels::PoolMode::max_blur; }
  void layer_forward(Schedule& schedule, std::size_t layer, TensorId y, TensorId x,
                     bool relu) const;
  void pixels_backward(Schedule& schedule, TensorId grad_pixels, TensorId grad_y) const;
  void pool_forward(Schedule& schedule, std::size_t layer, TensorId y, TensorId positive,
                    TensorId x) const;
  void pool_backward(Schedule& schedule, std::size_t layer, TensorId grad_x, TensorId grad_y,
                     TensorId positive, TensorId x) const;
  void layer_backward(Schedule& schedule, std::size_t layer, TensorId grad_x, TensorId grad_y,
                      TensorId x, const GradientEpilogue& epilogue) const;

  NetworkTraits traits_;
  PoolKind pool_;
  Padding padding_ = Padding::zero;
  std::array<float, 3> mean_ = vgg_mean;      ///< that the first convolution subtracts
  std::vector<std::shared_ptr<Conv>> convs_;  ///< by layer; null for a pool
};

/// What the parameters of layers [0, deepest] take in a backend: once as they are and once rotated, for
/// the data gradient.
std::size_t parameter_bytes(const VggLayers& layers, std::size_t deepest, DataType type);

}  // namespace impasto
