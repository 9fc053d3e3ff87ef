// SPDX-License-Identifier: MIT
#include "host/engine/plan.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/core/error.hpp"

namespace impasto {

std::size_t deepest_layer(const Objective& objective) {
  std::size_t deepest = 0;
  for (const auto* layers : {&objective.content_layers, &objective.style_layers}) {
    for (const LayerWeight& layer : *layers) {
      deepest = std::max(deepest, vgg19_index(layer.layer));
    }
  }
  return deepest;
}

namespace {

/// A float16 holds 6e-5 to 65504 at full precision. The largest gradient of a feature map was seen
/// to fall with the picture's side, from 12 at 64² to 3 at 256² (preset coursera; impasto 0.9 and
/// 0.1), and to lose two thirds of that in a run: times the side it stays far from both ends.
double gradient_scale_for(const Shape& pixels, DataType activations) {
  if (activations != DataType::fp16) return 1;
  const double side = std::sqrt(static_cast<double>(pixels.pixels()));
  return std::exp2(std::round(std::log2(side)));
}

AdamOptions with_gradient_scale(AdamOptions options, double scale) {
  options.gradient_scale = scale;
  return options;
}

}  // namespace

Plan::Plan(const Network& network, const Config& config, const Shape& pixels, DataType master,
           DataType activations)
    : network_(network),
      objective_(config.objective),
      gradient_scale_(gradient_scale_for(pixels, activations)),
      shape_(pixels),
      master_(master),
      activations_(activations),
      adam_(pixels, master, with_gradient_scale(config.adam, gradient_scale_)),
      pixels_(tensors_.reserve(pixels, master)) {
  check(objective_);
  for (std::size_t& kept : kept_) kept = tensors_.reserve(pixels, master);
  for (const LayerWeight& term : objective_.content_layers) {
    const std::size_t layer = vgg19_index(term.layer);
    content_.push_back(
        {layer, term.weight, tensors_.reserve(network.feature_shape(pixels, layer), activations)});
  }
  for (const LayerWeight& term : objective_.style_layers) {
    const std::size_t layer = vgg19_index(term.layer);
    const Shape square = matrix_shape(1, vgg19[layer].out_channels);
    styles_.push_back({layer, term.weight, tensors_.reserve(square, master)});
  }
  const auto slots = static_cast<std::int64_t>(content_.size() + styles_.size() + 1);
  losses_ = tensors_.reserve({pixels.batch, 1, 1, slots}, master);
  build();
  arena_bytes_ = std::max(arena_bytes_, build_content_pass().schedule.place());
}

void Plan::expect_style(const Shape& style_pixels) {
  style_shapes_.push_back(style_pixels);
  arena_bytes_ = std::max(arena_bytes_, build_style_pass(style_pixels, {}).schedule.place());
}

void Plan::prepare(Backend& backend) {
  workspace_bytes_ = backend.prepare([&] {
    iteration_.run(backend);
    evaluation_.run(backend);
    build_content_pass().schedule.run(backend);
    for (const Shape& style : style_shapes_) build_style_pass(style, {}).schedule.run(backend);
  });
}

std::size_t Plan::persistent_bytes() const { return tensors_.bytes() + adam_.bytes(); }

std::size_t Plan::bytes() const { return persistent_bytes() + arena_bytes_ + workspace_bytes_; }

void Plan::allocate(Backend& backend) {
  memory_ = backend.allocate(bytes());
  auto* next = static_cast<std::byte*>(memory_.get());
  const auto take = [&next](std::size_t bytes) { return std::exchange(next, next + bytes); };
  tensors_.bind(take(tensors_.bytes()));
  adam_.bind(take(adam_.bytes()), backend);
  arena_ = take(arena_bytes_);
  backend.use_workspace(Buffer(memory_, take(workspace_bytes_)), workspace_bytes_);
  backend.fill_zero(tensors_[losses_]);
  build();  // again, now that the tensors have their addresses
  iteration_.bind(arena_);
  evaluation_.bind(arena_);
}

void Plan::build() {
  build_iteration();
  evaluation_ = build_evaluation();
  arena_bytes_ = std::max({arena_bytes_, iteration_.place(), evaluation_.place()});
}

Tensor Plan::loss(std::size_t slot) const {
  const Tensor& all = tensors_[losses_];
  Tensor one{all.data, {shape_.batch, 1, 1, 1}, all.type};
  if (all) one.data = all.as<std::byte>() + slot * one.bytes();
  return one;
}

Objective Plan::scaled_objective() const {
  Objective scaled = objective_;
  scaled.content_weight *= gradient_scale_;
  scaled.style_weight *= gradient_scale_;
  scaled.variation_weight *= gradient_scale_;
  return scaled;
}

std::vector<ContentTerm> Plan::content_terms() const {
  const Objective objective = scaled_objective();
  std::vector<ContentTerm> terms;
  for (const TargetLayer& term : content_) {
    const Tensor& target = tensors_[term.target];
    terms.push_back({term.layer, target, loss(terms.size()),
                     content_scale(objective, term.weight, target.shape)});
  }
  return terms;
}

std::vector<StyleTerm> Plan::style_terms() const {
  const Objective objective = scaled_objective();
  std::vector<StyleTerm> terms;
  for (const TargetLayer& term : styles_) {
    const Shape features = network_.feature_shape(shape_, term.layer);
    terms.push_back({term.layer, tensors_[term.target], loss(content_.size() + terms.size()),
                     style_scale(objective, term.weight, features)});
  }
  return terms;
}

void Plan::build_iteration() {
  Schedule schedule;
  const TensorId pixels = schedule.external(tensors_[pixels_]);
  const std::vector<StyleTerm> styles = style_terms();
  std::vector<GradientTerm> style_gradients;
  const std::vector<TensorId> features =
      network_.forward(schedule, pixels, deepest_layer(objective_), activations_,
                       [&](std::size_t layer, TensorId map) {
                         for (const StyleTerm& term : styles) {
                           if (term.layer == layer)
                             style_gradients.push_back(add_style_loss(schedule, term, map));
                         }
                       });
  std::vector<GradientTerm> content_gradients;
  for (const ContentTerm& term : content_terms()) content_gradients.push_back(gradient_of(term));

  const TensorId grad = schedule.temporary(shape_, master_);
  network_.backward(schedule, features, content_gradients, style_gradients, grad);
  add_variation(schedule, pixels, &grad);
  adam_.add_step(schedule, pixels, grad);
  iteration_ = std::move(schedule);
  gradient_ = grad;
}

Schedule Plan::build_evaluation() const {
  Schedule schedule;
  const TensorId pixels = schedule.external(tensors_[pixels_]);
  const std::vector<StyleTerm> styles = style_terms();
  const std::vector<ContentTerm> contents = content_terms();
  network_.forward(schedule, pixels, deepest_layer(objective_), activations_,
                   [&](std::size_t layer, TensorId map) {
                     for (const StyleTerm& term : styles) {
                       if (term.layer == layer) add_style_loss(schedule, term, map);
                     }
                     for (const ContentTerm& term : contents) {
                       if (term.layer == layer) add_content_loss(schedule, term, map);
                     }
                   });
  add_variation(schedule, pixels, nullptr);
  return schedule;
}

void Plan::add_variation(Schedule& schedule, TensorId pixels, const TensorId* grad) const {
  // Without a weight as well: a NaN among the pixels shows in no other loss, because a ReLU makes 0
  // of it.
  const bool with_gradient = grad != nullptr && objective_.variation_weight > 0;
  const TensorId target = with_gradient ? *grad : pixels;
  schedule.add(
      {.name = "total variation", .operation = "total_variation"}, {pixels, target},
      [=, slot = loss(content_.size() + styles_.size()),
       scale = variation_scale(scaled_objective(), shape_)](Backend& backend, const Schedule& s) {
        backend.total_variation(slot, with_gradient ? s[target] : Tensor{}, s[pixels], scale);
      });
}

std::vector<Losses> Plan::named(std::span<const float> losses) const {
  const auto N = static_cast<std::size_t>(shape_.batch);
  std::vector<Losses> pictures(N);
  for (std::size_t n = 0; n < N; ++n) {
    Losses& picture = pictures[n];
    std::size_t slot = 0;
    const auto next = [&] { return static_cast<double>(losses[slot++ * N + n]); };
    const auto take = [&](const std::vector<TargetLayer>& layers, auto& named, double& sum) {
      for (const TargetLayer& term : layers) {
        const double loss = next();
        named.emplace_back(vgg19[term.layer].name, loss);
        sum += term.weight * loss;
      }
    };
    take(content_, picture.content_layers, picture.content);
    take(styles_, picture.style_layers, picture.style);
    picture.variation = next();
    picture.total = objective_.content_weight * picture.content +
                    objective_.style_weight * picture.style +
                    objective_.variation_weight * picture.variation;
  }
  return pictures;
}

}  // namespace impasto
