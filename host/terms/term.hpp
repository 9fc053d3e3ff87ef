// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/backend/filed_tensors.hpp"
#include "host/backend/tensor_block.hpp"
#include "host/model/network.hpp"
#include "host/model/schedule.hpp"

namespace impasto {

/// A normaliser as data: factor · C^−channel_power · P^−pixel_power for a map of C channels and P
/// pixels.
struct Normaliser {
  double factor = 1;
  double channel_power = 0;
  double pixel_power = 0;

  [[nodiscard]] double at(const Shape& map) const {
    return factor * std::pow(static_cast<double>(map.channels), -channel_power) *
           std::pow(static_cast<double>(map.pixels()), -pixel_power);
  }
};

struct NamedNormaliser {
  std::string_view name;  ///< "gram_scale": in the log
  Normaliser value;
};

struct LayerWeight {
  std::string layer;
  double weight = 1;
};

/// What every loss has; each kind of loss adds its normalisers in a file of its own. A loss is
/// weight · Σ_l w_l · (its term at layer l), or weight times one term of the pixels.
struct Loss {
  std::string name;  ///< "style": in options, in the log and in messages
  double weight = 1;
  std::vector<LayerWeight> layers = {};  ///< empty for a loss of the pixels
  bool before_relu = false;              ///< looks at its layers as they are before their ReLU
  bool in_total = true;  ///< some systems follow a gradient that they do not count in their loss
};

/// Which picture a term compares with.
enum class TargetSource : std::uint8_t { none, content, style };

/// Rows of a map.
struct Rows {
  std::int64_t top = 0;
  std::int64_t height = 0;
};

/// Where a term applies, and the types that it computes in.
struct TermPlace {
  const VggLayer* layer = nullptr;  ///< null: the pixels
  bool before_relu = false;
  Shape shape = {};  ///< of the layer's feature map, or of the pixels
  Rows rows = {};    ///< of the map, that are ever looked at here: all, or those of a strip
  double gradient_weight = 1;  ///< the weights of the loss and of its layer, gradient scale
  DataType activations = DataType::f32;
  DataType master = DataType::f32;
  /// What its gradient is brought to before it joins; none: it stays as it is.
  std::optional<kernels::GradientNorm> norm = {};
  std::size_t guided_styles = 0;  ///< styles that have a guide each; 0: all are one target
  bool adds_styles = false;       ///< loss_spread() is wanted
  double loss_share = 1;          ///< of a loss of style: how much of it counts, in the log as well
  /// Where the target of a picture in tiles goes that is as large as the picture; null: it is held.
  FiledTensors* files = nullptr;
};

/// One picture's part in a target that several pictures are averaged to.
struct TargetShare {
  const double* share;  ///< read when the schedule runs; the shares of all pictures add up to 1
  bool first;           ///< whether it replaces what the target held
  const double* before =
      nullptr;  ///< of a style: the shares of those that came first, read likewise
};

/// A style picture that has a target of its own, seen through a guide.
struct GuidedStyle {
  std::size_t index;  ///< among the styles
  TensorId guide;     ///< (1,H,W,1) for the picture's map, in the master type
};

/// Where a term puts its losses, one for each picture: a row of a tensor of all losses.
struct LossSlot {
  TensorId losses;
  std::int64_t row;
  [[nodiscard]] Tensor in(const Schedule& schedule) const {
    return image_of(schedule[losses], row);
  }
};

/// The own part of a map in one tile of a picture (host/engine/tiling.hpp).
struct TilePart {
  TensorId x;
  Shape map;             ///< the shape of the picture's whole map
  const Corner* in_map;  ///< where the part begins in it; read when the schedule runs
  Corner in_tile;        ///< where in the tile's
};

/// What a term offers that can be computed tile by tile. What its loss depends on are sums over the pixels
/// of its map, and those of all tiles' own parts are added up: first the sums, then from them the
/// loss, then each part's gradient. A loss that is itself such a sum has no others, and needs no first
/// pass to its gradient.
class TiledTerm {
 public:
  TiledTerm() = default;
  TiledTerm(const TiledTerm&) = delete;
  TiledTerm& operator=(const TiledTerm&) = delete;
  virtual ~TiledTerm() = default;

  /// Tensors in the master type, for N pictures, that begin at 0: the sums, and what they become; none:
  /// the loss is a sum itself.
  [[nodiscard]] virtual std::vector<Shape> sums(std::int64_t /*batch*/) const { return {}; }
  using Sums = std::vector<TensorId>;
  /// Appends what adds a part's share.
  virtual void add_sums(Schedule& /*schedule*/, const TilePart& /*part*/,
                        const Sums& /*sums*/) const {}
  /// Appends the losses, once. The sums become what the gradient needs.
  virtual void add_loss_of_sums(Schedule& /*schedule*/, const Sums& /*sums*/,
                                const LossSlot& /*loss*/) const {}
  /// Appends a part's gradient from what the sums have become.
  virtual void add_gradient_of_sums(Schedule& /*schedule*/, TensorId /*grad*/,
                                    const TilePart& /*part*/, const Sums& /*sums*/) const {}
  /// Appends the target from the sums over a picture whose map has the shape `map`.
  virtual void add_target_of_sums(Schedule& /*schedule*/, const Sums& /*sums*/,
                                  const Shape& /*map*/, const TargetShare& /*share*/) const {}

  /// Of a loss without sums: appends what adds a part's losses to the slot and, where there is a
  /// `grad`, writes the part's gradient.
  virtual void add_loss_of_part(Schedule& /*schedule*/, const TilePart& /*part*/,
                                const LossSlot& /*loss*/, std::optional<TensorId> /*grad*/) const {}
  /// The same of its target, which begins with clear_target().
  virtual void clear_target(Schedule& /*schedule*/) const {}
  virtual void add_target_of_part(Schedule& /*schedule*/, const TilePart& /*part*/) const {}
};

/// A summand of the objective: one loss at one place. It owns what it compares with, on the device,
/// and must outlive the schedules that it adds to.
class Term {
 public:
  Term(const Term&) = delete;
  Term& operator=(const Term&) = delete;
  virtual ~Term() = default;

  [[nodiscard]] const VggLayer* layer() const { return place_.layer; }
  [[nodiscard]] bool before_relu() const { return place_.before_relu; }
  [[nodiscard]] const Shape& shape() const { return place_.shape; }
  [[nodiscard]] const std::optional<kernels::GradientNorm>& norm() const { return place_.norm; }
  [[nodiscard]] virtual TargetSource target_source() const { return TargetSource::none; }
  /// How it is computed tile by tile; null: it cannot be.
  [[nodiscard]] virtual const TiledTerm* tiled() const { return nullptr; }

  /// The memory of its targets, to be bound before any schedule runs.
  [[nodiscard]] std::size_t bytes() const { return state_.bytes(); }
  [[nodiscard]] const TensorBlock& targets() const { return state_; }
  void bind(void* memory) { state_.bind(memory); }
  /// (1,1,1,1), of the targets: what Σ_s share_s · (the loss against style s) is more than the loss against
  /// the mean of the styles' targets, a constant: Σ_s share_s · |A_s − A|². Null where there is none.
  [[nodiscard]] virtual const Tensor* loss_spread() const { return nullptr; }

  /// Appends the computation of its target from `x`, the map of a picture of target_source().
  virtual void add_target(Schedule& /*schedule*/, TensorId /*x*/,
                          const TargetShare& /*share*/) const {}

  /// The same, where each style has a target of its own.
  virtual void add_guided_target(Schedule& /*schedule*/, TensorId /*x*/,
                                 const GuidedStyle& /*style*/) const {}
  /// What such a style picture's map is seen through: made of weights of its pixels, whose mean is 1,
  /// and of the strength of the style (host/engine/guides.hpp).
  [[nodiscard]] virtual std::vector<float> guide_of(std::span<const float> /*weights*/,
                                                    double /*strength*/) const {
    return {};
  }
  /// The same for the term's own map, of H·W pixels. Waits.
  virtual void set_guide(Backend& /*backend*/, std::size_t /*style*/,
                         std::span<const float> /*weights*/, double /*strength*/) const {}

  /// What a temporal term holds the n-th picture to: a picture (H,W,3), and how much at each of its
  /// pixels (H,W), 0 to 1. Empty: nothing. Waits.
  virtual void set_anchor(Backend& /*backend*/, std::int64_t /*n*/,
                          std::span<const float> /*picture*/,
                          std::span<const float> /*mask*/) const {}

  /// Appends the term's losses at the map `x`, before any weight. With `with_gradient` the returned
  /// gradient term may compute them instead.
  [[nodiscard]] virtual std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x,
                                                             const LossSlot& loss,
                                                             bool with_gradient) const = 0;

  /// Of a term at the first map, behind its ReLU: whether it has the first convolution and its own losses
  /// in one operation; and the same as add_loss(), which appends that one.
  [[nodiscard]] virtual bool joins_first_conv() const { return false; }
  [[nodiscard]] virtual std::optional<GradientTerm> add_first_conv_and_loss(
      Schedule& /*schedule*/, TensorId /*pixels*/, TensorId /*x*/, const Network& /*network*/,
      const LossSlot& /*loss*/, bool /*with_gradient*/) const {
    return std::nullopt;
  }

 protected:
  explicit Term(const TermPlace& place) : place_(place) {}
  /// Where its gradient joins: `behind_relu`, unless it looks at the map before the ReLU.
  [[nodiscard]] GradientTerm::Order order(GradientTerm::Order behind_relu) const {
    return place_.before_relu ? GradientTerm::Order::before_relu : behind_relu;
  }

  // Steps that several losses take. Each allots what it returns.

  using PixelLoss = std::function<void(Backend& backend, const Tensor& loss,
                                       const Tensor& grad_pixels, const Tensor& pixels)>;
  /// add_loss() of a loss of pixels in one step, which with a gradient computes both and adds to it;
  /// without, `grad_pixels` is empty.
  std::optional<GradientTerm> add_pixel_loss(Schedule& schedule, const StepKind& kind,
                                             TensorId pixels, const LossSlot& loss,
                                             bool with_gradient, const PixelLoss& compute) const;

  /// The Gram matrices (N,C,C) of the map at `x`, as it is held.
  TensorId add_gram(Schedule& schedule, TensorId x) const;
  /// Adds losses (1,1,1,N), of a part or of a style, to those in the slot.
  void add_to_losses(Schedule& schedule, std::string_view name, const LossSlot& loss,
                     TensorId own) const;
  /// Adds `share` times what a tile's part has to a sum.
  void add_to_sum(Schedule& schedule, TensorId sum, double share, TensorId of_part) const;
  /// The means and deviations (N,1,2,C) of its channels; with weights (1,H,W,1), weighted ones.
  TensorId add_statistics(Schedule& schedule, TensorId x,
                          std::optional<TensorId> weights = std::nullopt) const;
  /// The map at `x`, seen through a guide.
  TensorId add_guided(Schedule& schedule, TensorId x, TensorId guide) const;
  void add_style_backward(Schedule& backward, TensorId grad_x, TensorId x, TensorId matrix,
                          const GradientEpilogue& epilogue) const;
  void add_statistics_backward(Schedule& backward, TensorId grad_x, TensorId x,
                               TensorId coefficients, const GradientEpilogue& epilogue) const;
  /// The gradient `product`, multiplied at each pixel by a tensor (1,H,W,1) of the state.
  void add_guided_backward(Schedule& backward, TensorId grad_x, TensorId x, TensorId product,
                           std::size_t factors, const GradientEpilogue& epilogue) const;

  TermPlace place_;
  TensorBlock state_;
};

/// The same gradient brought to a norm before it joins; `x` is the map that the loss looks at.
GradientTerm normalized(GradientTerm term, const kernels::GradientNorm& to, TensorId x);

/// Means, then deviations, of the channels of N maps.
constexpr Shape statistics_shape(std::int64_t batch, std::int64_t channels) {
  return {batch, 1, 2, channels};
}

}  // namespace impasto
