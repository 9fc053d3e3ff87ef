// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "host/terms/term.hpp"

namespace impasto {

/// A style loss on moments of a map's pixels: on their means over all pixels, against one target; or,
/// where styles have masks, for each style on means that its mask weighs, against a target of its own:
/// Σ_s strength_s · L_s,  a mean being Σ_p w_sp·x_p / P with the weights and strength of
/// host/engine/guides.hpp. ∂L_s/∂F_p is w_sp times what it is for a mean over all pixels.
class MomentsTerm : public Term {
 public:
  TargetSource target_source() const override { return TargetSource::style; }
  void add_target(Schedule& schedule, TensorId x, const TargetShare& share) const override;
  void add_guided_target(Schedule& schedule, TensorId x, const GuidedStyle& style) const override;
  void set_guide(Backend& backend, std::size_t style, std::span<const float> weights,
                 double strength) const override;
  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override;

 protected:
  explicit MomentsTerm(const TermPlace& place);

  [[nodiscard]] std::size_t target_count() const;
  /// Whether styles have masks.
  [[nodiscard]] bool is_guided() const { return !styles_.empty(); }

  using Guide = std::optional<TensorId>;
  using Backward = std::function<void(Schedule&, TensorId grad_x, const GradientEpilogue&)>;
  /// Appends the computation of a target from a style picture's map, seen through guide_of().
  virtual void append_target(Schedule& schedule, TensorId x, const Guide& guide, std::size_t target,
                             const TargetShare& share) const = 0;
  /// Appends the losses of a map, seen so, against a target. What is returned appends the gradient,
  /// without the weights of pixels.
  virtual Backward append_loss(Schedule& schedule, TensorId x, const Guide& guide,
                               std::size_t target, const LossSlot& loss) const = 0;

 private:
  struct Guided {
    std::size_t guide;     ///< (1,H,W,1): as guide_of() has it
    std::size_t pull;      ///< (1,H,W,1): strength · w
    std::size_t strength;  ///< (1,1,1,1)
  };
  std::vector<Guided> styles_;
};

}  // namespace impasto
