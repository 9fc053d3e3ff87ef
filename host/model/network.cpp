// SPDX-License-Identifier: MIT
#include "host/model/network.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "host/core/error.hpp"
#include "host/model/activation_scale.hpp"

namespace impasto {

namespace {

/// The parameters with what is done to the network's input inside: (scale·pixel − mean) / deviation
/// convolved with w is pixel − mean/scale convolved with scale·w / deviation. The padding stays zero.
ConvParameters with_input(ConvParameters parameters, float scale,
                          const std::array<float, 3>& deviation) {
  for (std::size_t i = 0; i < parameters.weight.size(); ++i) {
    parameters.weight[i] = scale * parameters.weight[i] / deviation.at(i % deviation.size());
  }
  return parameters;
}

/// A layer's parameters for maps that hold `scale` times the activations.
ConvParameters scaled(ConvParameters parameters, bool first_layer, float scale) {
  for (float& bias : parameters.bias) bias *= scale;
  if (!first_layer) return parameters;
  for (float& weight : parameters.weight) weight *= scale;
  return parameters;
}

/// Filters of noise, as large as those of a trained layer. On zeros GPUs multiply faster.
std::vector<float> stand_in(std::int64_t in_channels, std::int64_t out_channels) {
  std::vector<float> weight(static_cast<std::size_t>(9 * in_channels * out_channels));
  const float highest = std::sqrt(6.0F / static_cast<float>(9 * in_channels));
  std::uint32_t state = 1;
  for (float& value : weight) {
    state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator
    value = highest * (static_cast<float>(state >> 8U) / static_cast<float>(1U << 23U) - 1);
  }
  return weight;
}

}  // namespace

Network::Network(Backend& backend, const VggLayers& layers, PoolKind pool, std::size_t deepest,
                 Padding padding)
    : Network(layers, pool) {
  padding_ = padding;
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    const std::int64_t C = layers[layer].in_channels;
    const std::int64_t K = layers[layer].out_channels;
    if (layers[layer].kind == pool_kind) {
      convs_.push_back(nullptr);
      continue;
    }
    convs_.push_back(
        backend.make_conv({C, K, stand_in(C, K), std::vector<float>(static_cast<std::size_t>(K))}));
  }
}

Network::Network(Backend& backend, Weights weights, PoolKind pool, std::size_t deepest,
                 Padding padding, double input_scale)
    : traits_(static_cast<NetworkTraits&>(weights)),
      pool_(pool),
      padding_(padding),
      mean_(weights.mean) {
  const auto scale = static_cast<float>(activation_scale(backend.activation_type()));
  const auto seen = static_cast<float>(input_scale);
  for (float& mean : mean_) mean /= seen;
  auto next = weights.convs.begin();
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    if (layers()[layer].kind == pool_kind) {
      convs_.push_back(nullptr);
      continue;
    }
    if (next == weights.convs.end() || next->name != layers()[layer].name) {
      fail(ErrorKind::weights, "{}: expected parameters of layer {}, found {}", traits_.description,
           layers()[layer].name, next == weights.convs.end() ? "no more layers" : next->name);
    }
    ConvParameters parameters = std::move(next->parameters);
    if (layer == 0) parameters = with_input(std::move(parameters), seen, weights.deviation);
    convs_.push_back(backend.make_conv(scaled(std::move(parameters), layer == 0, scale)));
    ++next;
  }
}

Network::Network(const Network& other, PoolKind pool, Padding padding)
    : traits_(other.traits_),
      pool_(pool),
      padding_(padding),
      mean_(other.mean_),
      convs_(other.convs_) {}

std::size_t parameter_bytes(const VggLayers& layers, std::size_t deepest, DataType type) {
  std::size_t parameters = 0;
  for (const VggLayer* conv : layers.convs_up_to(layers[deepest])) {
    parameters += static_cast<std::size_t>(2 * 9 * conv->in_channels * conv->out_channels);
  }
  return parameters * size_of(type);
}

Shape Network::feature_shape(const Shape& pixels, std::size_t layer) const {
  Shape shape = pixels;
  for (std::size_t i = 0; i <= layer; ++i) {
    if (layers()[i].kind != pool_kind) continue;
    shape = blurs() ? kernels::max_blurred(shape) : kernels::pooled(shape, pool_.rounding);
  }
  shape.channels = layers()[layer].out_channels;
  if (shape.pixels() == 0) {
    fail(ErrorKind::usage, "a picture of {}×{} is too small for {}: pooling leaves nothing of it",
         pixels.width, pixels.height, layers()[layer].name);
  }
  return shape;
}

ForwardPass Network::forward(Schedule& schedule, TensorId pixels, std::size_t deepest,
                             DataType type, const Visit& visit, const Splits& splits, bool follows,
                             const First& first) const {
  const Shape input = schedule[pixels].shape;
  ForwardPass pass;
  std::vector<TensorId>& features = pass.features;
  const bool notes = follows && pool_.mode == kernels::PoolMode::average &&
                     (type == DataType::bf16 || type == DataType::fp16);
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    const TensorId x = layer == 0 ? pixels : features.back();
    const Shape shape = feature_shape(input, layer);
    const TensorId y = schedule.temporary(shape, type);
    if (layers()[layer].kind == conv_kind && splits(layers()[layer])) {
      const TensorId z = schedule.temporary(shape, type);
      layer_forward(schedule, layer, z, x, false);
      visit(layers()[layer], true, z);
      schedule.add({.name = "ReLU", .operation = "clamp", .layer = &layers()[layer]}, {z, y},
                   [=](Backend& backend, const Schedule& s) {
                     backend.clamp(s[y], s[z], 0, std::numeric_limits<double>::infinity());
                   });
    } else if (notes && layers()[layer].kind == pool_kind && shape.channels % 64 == 0) {
      pass.positive.resize(layer + 1);
      pass.positive[layer] =
          schedule.temporary(kernels::positive_bits(schedule[x].shape), DataType::i64);
      pool_forward(schedule, layer, y, *pass.positive[layer], x);
    } else if (layer > 0 || padding_ != Padding::zero || !first(y)) {
      layer_forward(schedule, layer, y, x, true);
    }
    features.push_back(y);
    visit(layers()[layer], false, y);
  }
  pass.positive.resize(features.size());
  return pass;
}

void Network::layer_forward(Schedule& schedule, std::size_t layer, TensorId y, TensorId x,
                            bool relu) const {
  const bool is_pool = layers()[layer].kind == pool_kind;
  const std::string_view pool = blurs() ? "max_blur_forward" : "pool_forward";
  const std::string_view operation = layer == 0 ? "first_conv_forward"
                                     : is_pool  ? pool
                                                : "conv_forward";
  schedule.add({.name = "forward", .operation = operation, .layer = &layers()[layer]}, {x, y},
               [=, this](Backend& backend, const Schedule& s) {
                 if (layer == 0) {
                   backend.first_conv_forward(s[y], s[x], *convs_[layer], mean_, relu);
                 } else if (is_pool && blurs()) {
                   backend.max_blur_forward(s[y], s[x]);
                 } else if (is_pool) {
                   backend.pool_forward(s[y], s[x], pool_);
                 } else {
                   backend.conv_forward(s[y], s[x], *convs_[layer], relu);
                 }
               });
  if (layer != 0 || padding_ != Padding::replicate) return;
  schedule.add(
      {.name = "border forward", .operation = "replicate_border_forward", .layer = &layers()[0]},
      {x, y}, [=, this](Backend& backend, const Schedule& s) {
        backend.replicate_border_forward(s[y], s[x], *convs_[0], mean_, relu);
      });
}

void Network::backward(Schedule& schedule, const ForwardPass& pass,
                       std::span<const GradientTerm> terms, TensorId grad_pixels) const {
  const std::vector<TensorId>& features = pass.features;
  TensorId grad_above{};
  bool to_pixels = false;
  for (std::size_t layer = features.size(); layer-- > 0;) {
    const TensorId x = features[layer];
    const TensorId grad = schedule.temporary(schedule[x].shape, schedule[x].type);

    // Everything that contributes here, in order; then each is told whether it is first or last.
    std::vector<std::function<void(const GradientEpilogue&)>> contributions;
    const GradientTerm* last = nullptr;  // of them, unless that is the layer above
    const auto join = [&](GradientTerm::Order order) {
      for (const GradientTerm& term : terms) {
        if (term.layer != &layers()[layer] || term.order != order) continue;
        last = &term;
        contributions.emplace_back([&schedule, &term, grad](const GradientEpilogue& epilogue) {
          term.add(schedule, grad, epilogue);
        });
      }
    };
    join(GradientTerm::Order::before_layer_above);
    if (layer + 1 < features.size()) {
      last = nullptr;
      contributions.emplace_back([&](const GradientEpilogue& epilogue) {
        const std::optional<TensorId>& positive = pass.positive[layer + 1];
        if (positive && !epilogue.accumulate && epilogue.relu_mask) {
          pool_backward(schedule, layer + 1, grad, grad_above, *positive, x);
        } else {
          layer_backward(schedule, layer + 1, grad, grad_above, x, epilogue);
        }
      });
    }
    join(GradientTerm::Order::after_layer_above);
    const std::size_t behind_relu = contributions.size();
    join(GradientTerm::Order::before_relu);
    require(!contributions.empty(), "no gradient reaches {}", layers()[layer].name);
    // With the picture continued by its border, the map's gradient is needed once more.
    to_pixels = layer == 0 && padding_ == Padding::zero && last != nullptr && last->add_to_pixels;
    if (to_pixels) {
      contributions.back() = [&, grad](const GradientEpilogue& epilogue) {
        last->add_to_pixels(schedule, grad_pixels, grad, *this, epilogue);
      };
    }

    const bool has_relu = layers()[layer].kind == conv_kind;
    for (std::size_t i = 0; i < contributions.size(); ++i) {
      const bool last_behind_relu = i + 1 == behind_relu;
      contributions[i]({.accumulate = i > 0, .relu_mask = last_behind_relu && has_relu});
    }
    grad_above = grad;
  }
  if (!to_pixels) pixels_backward(schedule, grad_pixels, grad_above);
  for (const GradientTerm& term : terms) {
    if (term.layer == nullptr) term.add(schedule, grad_pixels, {.accumulate = true});
  }
}

void Network::pixels_backward(Schedule& schedule, TensorId grad_pixels, TensorId grad_y) const {
  schedule.add({.name = "backward", .operation = "first_conv_backward", .layer = &layers()[0]},
               {grad_pixels, grad_y},
               [this, grad_pixels, grad_y](Backend& backend, const Schedule& s) {
                 backend.first_conv_backward(s[grad_pixels], s[grad_y], *convs_[0]);
               });
  if (padding_ != Padding::replicate) return;
  schedule.add(
      {.name = "border backward", .operation = "replicate_border_backward", .layer = &layers()[0]},
      {grad_pixels, grad_y}, [this, grad_pixels, grad_y](Backend& backend, const Schedule& s) {
        backend.replicate_border_backward(s[grad_pixels], s[grad_y], *convs_[0]);
      });
}

void Network::pool_forward(Schedule& schedule, std::size_t layer, TensorId y, TensorId positive,
                           TensorId x) const {
  schedule.add({.name = "forward", .operation = "pool_forward_noting", .layer = &layers()[layer]},
               {y, positive, x}, [=, this](Backend& backend, const Schedule& s) {
                 backend.pool_forward_noting(s[y], s[positive], s[x], pool_);
               });
}

void Network::pool_backward(Schedule& schedule, std::size_t layer, TensorId grad_x, TensorId grad_y,
                            TensorId positive, TensorId x) const {
  schedule.add({.name = "backward",
                .operation = "pool_backward_noted",
                .layer = &layers()[layer],
                .epilogue = GradientEpilogue{.relu_mask = true}},
               {grad_x, grad_y, positive, x}, [=, this](Backend& backend, const Schedule& s) {
                 backend.pool_backward_noted(s[grad_x], s[grad_y], s[positive], s[x], pool_);
               });
}

void Network::layer_backward(Schedule& schedule, std::size_t layer, TensorId grad_x,
                             TensorId grad_y, TensorId x, const GradientEpilogue& epilogue) const {
  const bool is_pool = layers()[layer].kind == pool_kind;
  const std::string_view pool = blurs() ? "max_blur_backward" : "pool_backward";
  const std::string_view operation = is_pool ? pool : "conv_data_gradient";
  schedule.add(
      {.name = "backward", .operation = operation, .layer = &layers()[layer], .epilogue = epilogue},
      {grad_x, grad_y, x}, [=, this](Backend& backend, const Schedule& s) {
        if (is_pool && blurs()) {
          backend.max_blur_backward(s[grad_x], s[grad_y], s[x], epilogue);
        } else if (is_pool) {
          backend.pool_backward(s[grad_x], s[grad_y], s[x], pool_, epilogue);
        } else {
          backend.conv_data_gradient(s[grad_x], s[grad_y], s[x], *convs_[layer], epilogue);
        }
      });
}

}  // namespace impasto
