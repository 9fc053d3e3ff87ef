// SPDX-License-Identifier: MIT
#include "host/engine/stylizer.hpp"

#include <cmath>

#include "host/core/error.hpp"
#include "host/engine/plan.hpp"

namespace impasto {
namespace {

Shape pixel_shape(std::int64_t height, std::int64_t width) { return {1, height, width, 3}; }
Shape pixel_shape(const Image& image) { return pixel_shape(image.height, image.width); }

}  // namespace

bool Losses::finite() const { return std::isfinite(total) && std::isfinite(variation); }

struct Stylizer::State {
  State(Backend& used, const Weights& weights, const Config& config, const Shape& pixels)
      : backend(used),
        network(used, weights, config.objective.pool, deepest_layer(config.objective)),
        plan(network, config, pixels, used.master_type(), used.activation_type()) {}

  [[nodiscard]] Image download(const Tensor& pixels) const {
    Image image;
    image.height = pixels.shape.height;
    image.width = pixels.shape.width;
    image.rgb.resize(static_cast<std::size_t>(pixels.shape.count()));
    backend.read(image.rgb, pixels);
    return image;
  }

  Backend& backend;
  Network network;
  Plan plan;
};

Stylizer::Stylizer(Backend& backend, const Weights& weights, const Config& config,
                   const Image& content, std::span<const Style> styles, const Image& initial)
    : state_(std::make_unique<State>(backend, weights, config, pixel_shape(content))) {
  require(pixel_shape(initial) == pixel_shape(content),
          "the initial picture must have the content's size");
  if (!config.objective.style_layers.empty() && styles.empty()) {
    fail(ErrorKind::usage, "expected at least one style picture");
  }
  Plan& plan = state_->plan;
  for (const Style& style : styles) plan.expect_style(pixel_shape(style.image));
  plan.allocate(backend);
  plan.set_content(backend, content);
  plan.set_styles(backend, styles);
  backend.write(plan.pixels(), initial.rgb);
  backend.copy(plan.good(), plan.pixels());
}

Stylizer::~Stylizer() = default;

void Stylizer::step() { state_->plan.iteration().run(state_->backend); }

Losses Stylizer::losses() { return state_->plan.read_losses(state_->backend); }

Losses Stylizer::evaluate() {
  state_->plan.evaluation().run(state_->backend);
  return losses();
}

Image Stylizer::image() { return state_->download(state_->plan.pixels()); }

void Stylizer::mark() { state_->backend.copy(state_->plan.marked(), state_->plan.pixels()); }

void Stylizer::confirm() { state_->plan.swap_marked_and_good(); }

void Stylizer::restore() { state_->backend.copy(state_->plan.pixels(), state_->plan.good()); }

Image Stylizer::good_image() { return state_->download(state_->plan.good()); }

const Schedule& Stylizer::iteration() const { return state_->plan.iteration(); }

MemoryEstimate estimate_memory(const Backend& backend, const Config& config, std::int64_t height,
                               std::int64_t width,
                               std::span<const std::pair<std::int64_t, std::int64_t>> styles) {
  const Network shapes(config.objective.pool);
  Plan plan(shapes, config, pixel_shape(height, width), backend.master_type(),
            backend.activation_type());
  for (const auto& [style_height, style_width] : styles) {
    plan.expect_style(pixel_shape(style_height, style_width));
  }
  std::size_t parameters = 0;
  for (std::size_t layer = 0; layer <= deepest_layer(config.objective); ++layer) {
    if (vgg19[layer].kind == pool_kind) continue;
    parameters +=
        static_cast<std::size_t>(9 * vgg19[layer].in_channels * vgg19[layer].out_channels);
  }
  // Once as they are and once rotated, for the data gradient.
  return {.weights = 2 * parameters * size_of(backend.activation_type()),
          .persistent = plan.persistent_bytes(),
          .arena = plan.arena_bytes()};
}

Losses score(Backend& backend, const Weights& weights, const Config& config, const Image& image,
             const Image& content, std::span<const Style> styles) {
  return Stylizer(backend, weights, config, content, styles, image).evaluate();
}

Activation activation(Backend& backend, const Weights& weights, const kernels::PoolKind& pool,
                      const Image& image, std::string_view layer) {
  const std::size_t index = vgg19_index(layer);
  const Network network(backend, weights, pool, index);
  const Buffer input = backend.allocate(static_cast<std::size_t>(pixel_shape(image).count()) *
                                        size_of(backend.master_type()));
  Schedule schedule;
  const Value pixels = schedule.external({input.get(), pixel_shape(image), backend.master_type()});
  backend.write(schedule[pixels], image.rgb);
  const Value features =
      network.forward(schedule, pixels, index, backend.activation_type(), [](std::size_t, Value) {})
          .back();
  const Buffer arena = backend.allocate(schedule.place());
  schedule.bind(arena.get());
  schedule.run(backend);

  const Shape& shape = schedule[features].shape;
  Activation result{shape.height, shape.width, shape.channels, {}};
  result.values.resize(static_cast<std::size_t>(shape.count()));
  backend.read(result.values, schedule[features]);
  return result;
}

}  // namespace impasto
