// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "host/backend/tensor_block.hpp"
#include "host/engine/config.hpp"
#include "host/engine/stylizer.hpp"
#include "host/model/network.hpp"
#include "host/model/schedule.hpp"
#include "host/objective/terms.hpp"
#include "host/optimizer/adam.hpp"

namespace impasto {

/// The deepest layer an objective looks at.
std::size_t deepest_layer(const Objective& objective);

/// Everything one stylization computes and keeps: the tensors that live throughout, the operations
/// of an iteration, and the memory all of it takes, known before anything is allocated.
class Plan {
 public:
  /// `network` must outlive the plan; one without parameters is enough until something runs.
  Plan(const Network& network, const Config& config, const Shape& pixels, DataType master,
       DataType activations);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  /// Widens the arena for the targets of a style picture of this shape.
  void expect_style(const Shape& style_pixels);
  [[nodiscard]] std::size_t persistent_bytes() const { return tensors_.bytes() + adam_.bytes(); }
  [[nodiscard]] std::size_t arena_bytes() const { return arena_bytes_; }
  void allocate(Backend& backend);

  /// The targets: the content picture's feature maps, the styles' Gram matrices. Waits.
  void set_content(Backend& backend, const Image& content);
  void set_styles(Backend& backend, std::span<const Style> styles);

  /// Losses and gradient of pixels(), then a step of Adam.
  [[nodiscard]] const Schedule& iteration() const { return iteration_; }
  /// The losses alone.
  [[nodiscard]] const Schedule& evaluation() const { return evaluation_; }
  /// What either computed last. Waits.
  [[nodiscard]] Losses read_losses(Backend& backend) const;

  [[nodiscard]] const Tensor& losses() const { return tensors_[losses_]; }
  /// The gradient of the pixels that the last iteration computed, gradient_scale() times; any other
  /// pass overwrites it.
  [[nodiscard]] const Tensor& gradient() const { return iteration_[gradient_]; }
  [[nodiscard]] double gradient_scale() const { return gradient_scale_; }
  [[nodiscard]] const Tensor& pixels() const { return tensors_[pixels_]; }
  [[nodiscard]] const Tensor& marked() const { return tensors_[marked_]; }
  [[nodiscard]] const Tensor& good() const { return tensors_[good_]; }
  void swap_marked_and_good() { std::swap(marked_, good_); }

 private:
  /// A layer that the objective weighs, and its tensor of targets.
  struct TargetLayer {
    std::size_t layer;
    double weight;
    std::size_t target;
  };

  [[nodiscard]] Tensor loss(std::size_t slot) const;
  /// The objective whose gradients are gradient_scale() times ours. Its losses are the same.
  [[nodiscard]] Objective scaled_objective() const;
  [[nodiscard]] std::vector<ContentTerm> content_terms() const;
  [[nodiscard]] std::vector<StyleTerm> style_terms() const;
  [[nodiscard]] Schedule build_evaluation() const;
  [[nodiscard]] Schedule build_content_pass(const Image* content) const;
  /// `read_gram` is called for every style layer, in their order, with its Gram matrix.
  using ReadGram = std::function<void(Backend&, std::size_t style_layer, const Tensor& gram)>;
  [[nodiscard]] Schedule build_style_pass(const Shape& pixels, const Image* style,
                                          const ReadGram& read_gram) const;
  /// Appends the total variation; a null `grad` asks for the loss alone.
  void add_variation(Schedule& schedule, Value pixels, const Value* grad) const;
  void build_iteration();
  void build();

  const Network& network_;
  Objective objective_;
  double gradient_scale_;  ///< every gradient is this many times the true one
  Shape shape_;
  DataType master_;
  DataType activations_;
  TensorBlock tensors_;
  Adam adam_;
  std::vector<TargetLayer> content_;
  std::vector<TargetLayer> styles_;
  std::size_t pixels_;
  std::size_t marked_;
  std::size_t good_;
  std::size_t losses_;  ///< one value each: content layers, style layers, variation
  std::size_t arena_bytes_ = 0;
  Buffer arena_;
  Schedule iteration_;
  Value gradient_;
  Schedule evaluation_;
};

}  // namespace impasto
