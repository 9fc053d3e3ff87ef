// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <span>
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

/// Brings pictures to the device as one batch.
void write_pictures(Backend& backend, const Tensor& to, std::span<const Image> pictures);

/// Everything the stylization of N pictures of one size computes and keeps: the tensors that live
/// throughout, the operations of an iteration, and the memory all of it takes, known before
/// anything is allocated, which is done at once.
class Plan {
 public:
  /// `network` must outlive the plan; one without parameters is enough until something is prepared
  /// or runs. `pixels` is (N,H,W,3).
  Plan(const Network& network, const Config& config, const Shape& pixels, DataType master,
       DataType activations);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  /// Widens the arena for the targets of a style picture of this shape.
  void expect_style(const Shape& style_pixels);
  /// Has the backend make what every pass needs, and plans its workspace.
  void prepare(Backend& backend);
  [[nodiscard]] std::size_t persistent_bytes() const;
  [[nodiscard]] std::size_t arena_bytes() const { return arena_bytes_; }
  [[nodiscard]] std::size_t workspace_bytes() const { return workspace_bytes_; }
  /// All of these, which allocate() asks for.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] const std::vector<Shape>& style_shapes() const { return style_shapes_; }
  void allocate(Backend& backend);

  /// The targets: the content pictures' feature maps, the styles' Gram matrices. Waits.
  void set_content(Backend& backend, std::span<const Image> contents);
  void set_styles(Backend& backend, std::span<const Style> styles);

  /// Losses and gradient of pixels(), then a step of Adam.
  [[nodiscard]] const Schedule& iteration() const { return iteration_; }
  /// The losses alone.
  [[nodiscard]] const Schedule& evaluation() const { return evaluation_; }
  /// What either computed last: for each term its N losses, content layers first, then style
  /// layers, then variation.
  [[nodiscard]] const Tensor& losses() const { return tensors_[losses_]; }
  /// The same by name, one for each picture, from losses()' values.
  [[nodiscard]] std::vector<Losses> named(std::span<const float> losses) const;

  /// The gradient of the pixels that the last iteration computed, gradient_scale() times; any other
  /// pass overwrites it.
  [[nodiscard]] const Tensor& gradient() const { return iteration_[gradient_]; }
  [[nodiscard]] double gradient_scale() const { return gradient_scale_; }
  [[nodiscard]] const Tensor& pixels() const { return tensors_[pixels_]; }
  /// Room for as many copies of the pixels as a stylizer keeps aside.
  static constexpr std::size_t kept_count = 3;
  [[nodiscard]] const Tensor& kept(std::size_t i) const { return tensors_[kept_[i]]; }

 private:
  /// A layer that the objective weighs, and its tensor of targets.
  struct TargetLayer {
    std::size_t layer;
    double weight;
    std::size_t target;
  };

  /// A pass over the network whose pixels somebody else fills in before it runs.
  struct Pass {
    Schedule schedule;
    TensorId pixels;
  };
  /// Called for every style layer, in their order, with its Gram matrix.
  using ReadGram = std::function<void(Backend&, std::size_t style_layer, const Tensor& gram)>;

  [[nodiscard]] Tensor loss(std::size_t slot) const;
  /// The objective whose gradients are gradient_scale() times ours. Its losses are the same.
  [[nodiscard]] Objective scaled_objective() const;
  [[nodiscard]] std::vector<ContentTerm> content_terms() const;
  [[nodiscard]] std::vector<StyleTerm> style_terms() const;
  [[nodiscard]] Schedule build_evaluation() const;
  [[nodiscard]] Pass build_content_pass() const;
  [[nodiscard]] Pass build_style_pass(const Shape& pixels, const ReadGram& read_gram) const;
  /// Appends the total variation; a null `grad` asks for the loss alone.
  void add_variation(Schedule& schedule, TensorId pixels, const TensorId* grad) const;
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
  std::vector<Shape> style_shapes_;  ///< of the styles' pixels
  std::size_t pixels_;
  std::array<std::size_t, kept_count> kept_;
  std::size_t losses_;
  std::size_t arena_bytes_ = 0;
  std::size_t workspace_bytes_ = 0;
  Buffer memory_;  ///< tensors, Adam's state, arena, workspace
  void* arena_ = nullptr;
  Schedule iteration_;
  TensorId gradient_;
  Schedule evaluation_;
};

}  // namespace impasto
