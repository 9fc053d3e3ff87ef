// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/schedule.hpp"
#include "host/model/vgg19.hpp"
#include "host/model/weights.hpp"

namespace impasto {

/// A loss term's gradient at one layer: appends the operation that writes it to, or adds it to, the
/// gradient of the layer's feature map.
struct GradientTerm {
  std::size_t layer = 0;
  std::function<void(Schedule&, TensorId grad, TensorId features, const GradientEpilogue&)> add;
};

/// VGG-19 up to some layer on one backend. It builds schedules and owns the parameters they use, so
/// it must outlive them.
class Network {
 public:
  /// Only the shapes: good for planning, not for running.
  explicit Network(PoolKind pool) : pool_(pool) {}
  /// With parameters that are all zero, for layers [0, deepest]: good for preparing too.
  Network(Backend& backend, PoolKind pool, std::size_t deepest);
  /// With parameters, for layers [0, deepest]. Throws ErrorKind::weights when `weights` ends
  /// earlier.
  Network(Backend& backend, const Weights& weights, PoolKind pool, std::size_t deepest);

  /// The shape of a layer's feature map. Throws ErrorKind::usage when pooling leaves nothing of it.
  [[nodiscard]] Shape feature_shape(const Shape& pixels, std::size_t layer) const;

  /// Appends the forward pass from `pixels` to layer `deepest`; returns every layer's feature map.
  /// `visit` is called after each layer is appended and may append to the schedule itself: what
  /// reads a feature map is best done while the map is still in the cache.
  using Visit = std::function<void(std::size_t layer, TensorId features)>;
  std::vector<TensorId> forward(Schedule& schedule, TensorId pixels, std::size_t deepest,
                                DataType type, const Visit& visit) const;

  /// Appends the backward pass of what forward() built, down to `grad_pixels`. Where several
  /// gradients meet, the terms in `before` come first, then the one from the layer above, then
  /// those in `after`; the last of them applies the ReLU mask.
  void backward(Schedule& schedule, std::span<const TensorId> features,
                std::span<const GradientTerm> before, std::span<const GradientTerm> after,
                TensorId grad_pixels) const;

 private:
  void layer_backward(Schedule& schedule, std::size_t layer, TensorId grad_x, TensorId grad_y,
                      TensorId x, const GradientEpilogue& epilogue) const;

  PoolKind pool_;
  std::array<float, 3> mean_ = vgg_mean;
  std::vector<std::unique_ptr<Conv>> convs_;  ///< by layer; null for a pool
};

}  // namespace impasto
