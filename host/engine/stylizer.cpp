// SPDX-License-Identifier: MIT
#include "host/engine/stylizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "host/core/error.hpp"
#include "host/engine/memory.hpp"
#include "host/engine/plan.hpp"

namespace impasto {
namespace {

Shape pixel_shape(std::span<const Image> images) {
  require(!images.empty(), "there is no picture");
  return {static_cast<std::int64_t>(images.size()), images[0].height, images[0].width, 3};
}

}  // namespace

bool Losses::finite() const { return std::isfinite(total) && std::isfinite(variation); }

bool all_finite(std::span<const Losses> pictures) {
  return std::all_of(pictures.begin(), pictures.end(), [](const Losses& l) { return l.finite(); });
}

struct Stylizer::State {
  State(Backend& used, const Weights& weights, const Config& config, const Shape& pixels)
      : backend(used),
        network(used, weights, config.objective.pool, deepest_layer(config.objective)),
        plan(network, config, pixels, used.master_type(), used.activation_type()) {}

  [[nodiscard]] Image download(const Tensor& batch, std::int64_t n) const {
    const Tensor pixels = image_of(batch, n);
    Image image;
    image.height = pixels.shape.height;
    image.width = pixels.shape.width;
    image.rgb.resize(static_cast<std::size_t>(pixels.shape.count()));
    backend.read(image.rgb, pixels);
    return image;
  }

  /// Where the pictures that are watched next are kept: behind the good ones and those under way.
  [[nodiscard]] std::size_t next_kept() const { return (good + 1 + watched) % Plan::kept_count; }

  template <class Pass>
  void watch(Pass pass) {
    require(watched < most_watched, "too many pictures are watched");
    backend.copy(plan.kept(next_kept()), plan.pixels());
    pass();
    readbacks[next_kept()]->start(plan.losses());
    ++watched;
  }

  Backend& backend;
  Network network;
  Plan plan;
  std::unique_ptr<Recording> recorded_iteration;
  bool stepped = false;
  std::size_t good = 0;     ///< kept pictures that are good
  std::size_t watched = 0;  ///< kept behind them, in a ring, whose losses are on their way
  std::array<std::unique_ptr<Readback>, Plan::kept_count> readbacks;
};

Stylizer::Stylizer(Backend& backend, const Weights& weights, const Config& config,
                   std::span<const Image> contents, std::span<const Style> styles,
                   std::span<const Image> initials)
    : state_(std::make_unique<State>(backend, weights, config, pixel_shape(contents))) {
  const auto same_size = [&](const Image& image) {
    return image.height == contents[0].height && image.width == contents[0].width;
  };
  require(contents.size() == initials.size() &&
              std::all_of(contents.begin(), contents.end(), same_size) &&
              std::all_of(initials.begin(), initials.end(), same_size),
          "content and initial pictures must have one size");
  if (!config.objective.style_layers.empty() && styles.empty()) {
    fail(ErrorKind::usage, "expected at least one style picture");
  }
  Plan& plan = state_->plan;
  for (const Style& style : styles) plan.expect_style(pixel_shape(std::span(&style.image, 1)));
  plan.prepare(backend);
  require_room(backend, config, plan);
  plan.allocate(backend);
  for (auto& readback : state_->readbacks) {
    readback = backend.make_readback(plan.losses().shape.count());
  }
  plan.set_content(backend, contents);
  plan.set_styles(backend, styles);
  write_pictures(backend, plan.pixels(), initials);
  backend.copy(plan.kept(state_->good), plan.pixels());
}

Stylizer::~Stylizer() = default;

void Stylizer::step() {
  State& state = *state_;
  const auto iterate = [&state] { state.plan.iteration().run(state.backend); };
  if (!state.stepped) {
    iterate();
    state.stepped = true;
    return;
  }
  if (!state.recorded_iteration) state.recorded_iteration = state.backend.record(iterate);
  state.recorded_iteration->replay();
}

std::vector<Losses> Stylizer::losses() {
  const Tensor& losses = state_->plan.losses();
  std::vector<float> values(static_cast<std::size_t>(losses.shape.count()));
  state_->backend.read(values, losses);
  return state_->plan.named(values);
}

std::vector<Losses> Stylizer::evaluate() {
  state_->plan.evaluation().run(state_->backend);
  return losses();
}

Image Stylizer::image(std::int64_t n) { return state_->download(state_->plan.pixels(), n); }

void Stylizer::watch_step() {
  state_->watch([this] { step(); });
}

void Stylizer::watch_evaluation() {
  state_->watch([this] { state_->plan.evaluation().run(state_->backend); });
}

std::size_t Stylizer::watched() const { return state_->watched; }

bool Stylizer::arrived() const {
  const std::size_t oldest = (state_->good + 1) % Plan::kept_count;
  return state_->watched > 0 && state_->readbacks[oldest]->arrived();
}

std::vector<Losses> Stylizer::collect() {
  State& state = *state_;
  require(state.watched > 0, "nothing is watched");
  const std::size_t oldest = (state.good + 1) % Plan::kept_count;
  std::vector<Losses> losses = state.plan.named(state.readbacks[oldest]->values());
  if (all_finite(losses)) {
    state.good = oldest;
    --state.watched;
  }
  return losses;
}

void Stylizer::restore() {
  state_->watched = 0;
  state_->backend.copy(state_->plan.pixels(), state_->plan.kept(state_->good));
}

Image Stylizer::good_image(std::int64_t n) {
  return state_->download(state_->plan.kept(state_->good), n);
}

const Schedule& Stylizer::iteration() const { return state_->plan.iteration(); }

Losses score(Backend& backend, const Weights& weights, const Config& config, const Image& image,
             const Image& content, std::span<const Style> styles) {
  const auto only = [](const Image& picture) { return std::span(&picture, 1); };
  return Stylizer(backend, weights, config, only(content), styles, only(image)).evaluate().front();
}

Activation activation(Backend& backend, const Weights& weights, const kernels::PoolKind& pool,
                      const Image& image, std::string_view layer) {
  const std::size_t index = vgg19_index(layer);
  const Network network(backend, weights, pool, index);
  const Shape shape = pixel_shape(std::span(&image, 1));
  const Buffer input =
      backend.allocate(static_cast<std::size_t>(shape.count()) * size_of(backend.master_type()));
  Schedule schedule;
  const TensorId pixels = schedule.external({input.get(), shape, backend.master_type()});
  backend.write(schedule[pixels], image.rgb);
  const TensorId features =
      network
          .forward(schedule, pixels, index, backend.activation_type(), [](std::size_t, TensorId) {})
          .back();
  const Buffer arena = backend.allocate(schedule.place());
  schedule.bind(arena.get());
  schedule.run(backend);

  const Shape& map = schedule[features].shape;
  Activation result{map.height, map.width, map.channels, {}};
  result.values.resize(static_cast<std::size_t>(map.count()));
  backend.read(result.values, schedule[features]);
  return result;
}

}  // namespace impasto
