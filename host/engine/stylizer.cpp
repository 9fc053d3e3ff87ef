// SPDX-License-Identifier: MIT
#include "host/engine/stylizer.hpp"

#include <algorithm>
#include <utility>

#include "host/core/error.hpp"
#include "host/engine/fitting_tiles.hpp"
#include "host/model/activation_scale.hpp"

namespace impasto {
namespace {

std::span<const Image> only(const Image& picture) { return std::span(&picture, 1); }

FittingTiles tiles_of(Session& session, const Config& config, const Shape& pixels,
                      const std::vector<Shape>& styles) {
  if (session.ranks() != nullptr) return {};
  FittingTiles tiles = fitting_tiles(session.backend(), session.network(), config, pixels, styles);
  if (!tiles.shortage.empty()) fail(ErrorKind::out_of_memory, "{}", tiles.shortage);
  return tiles;
}

}  // namespace

std::vector<Shape> shapes_of(std::span<const Style> styles) {
  std::vector<Shape> shapes;
  for (const Style& style : styles) shapes.push_back(pixel_shape(only(style.image)));
  return shapes;
}

Stylizer::Stylizer(Session& session, const Config& config, const Shape& pixels,
                   std::vector<Shape> styles, WithoutMemory /*tag*/)
    : session_(session),
      tiles_(tiles_of(session, config, pixels, styles)),
      plan_(session.network(), config, pixels, session.backend().master_type(),
            session.backend().activation_type(), styles, tiles_.size, session.ranks(),
            tiles_.filed) {
  if (plan_.needs_style() && styles.empty()) {
    fail(ErrorKind::usage, "expected at least one style picture");
  }
  plan_.prepare(session.backend());
}

Stylizer::Stylizer(Session& session, const Config& config, const Shape& pixels,
                   std::vector<Shape> styles)
    : Stylizer(session, config, pixels, std::move(styles), WithoutMemory{}) {
  plan_.require_room(session.backend());
  bind(session.backend().allocate(plan_.bytes()));
}

Stylizer::Stylizer(Session& session, const Config& config, std::span<const Image> contents,
                   std::span<const Style> styles, std::span<const Image> initials)
    : Stylizer(session, config, pixel_shape(contents), shapes_of(styles)) {
  reset(contents, styles, initials);
}

void Stylizer::reset(std::span<const Image> contents, std::span<const Style> styles,
                     std::span<const Image> initials, const KnownTargets& known,
                     std::span<const Anchor> anchors) {
  plan_.reset(session_.backend(), contents, styles, initials, known, anchors);
  iterations_ = 0;
}

void Stylizer::resume(std::int64_t iterations, std::span<const std::span<const float>> states) {
  for (std::size_t n = 0; n < states.size(); ++n) {
    plan_.resume(session_.backend(), static_cast<std::int64_t>(n), states[n]);
  }
  iterations_ = iterations;
}

void Stylizer::step() {
  ++iterations_;
  const auto iterate = [this] { plan_.iteration().run(session_.backend()); };
  Communicator* const ranks = session_.ranks();
  const bool records = (ranks == nullptr || ranks->recordable()) && plan_.filed_bytes() == 0;
  if (!std::exchange(stepped_, true) || !records) {
    iterate();
    return;
  }
  if (ranks != nullptr) ranks->check();
  if (!recorded_iteration_) recorded_iteration_ = session_.backend().record(iterate);
  recorded_iteration_->replay();
}

void Stylizer::enqueue_evaluation() { plan_.evaluation().run(session_.backend()); }

std::vector<Losses> Stylizer::losses() {
  std::vector<float> values(static_cast<std::size_t>(plan_.losses().shape.count()));
  session_.backend().read(values, plan_.losses());
  return plan_.named(values);
}

std::vector<Losses> Stylizer::evaluate() {
  enqueue_evaluation();
  return losses();
}

Image Stylizer::image(std::int64_t n) {
  return read_picture(session_.backend(), plan_.pixels(), n);
}

Image Stylizer::best_image(std::int64_t n) {
  return plan_.aside(session_.backend(), Plan::best, n);
}

Losses score(Session& session, const Config& config, const Image& image, const Image& content,
             std::span<const Style> styles) {
  return Stylizer(session, config, only(content), styles, only(image)).evaluate().front();
}

Activation activation(Session& session, const Image& image, std::string_view layer) {
  Activation result;
  const std::string name(session.network().layers()[session.network().layers().index(layer)].name);
  visit_activations(session, image, std::span(&name, 1),
                    [&result](std::string_view, Activation seen) { result = std::move(seen); });
  return result;
}

void visit_activations(Session& session, const Image& image, std::span<const std::string> layers,
                       const std::function<void(std::string_view layer, Activation)>& visit) {
  if (layers.empty()) return;
  Backend& backend = session.backend();
  const VggLayers& all = session.network().layers();
  std::size_t deepest = 0;
  for (const std::string& layer : layers) deepest = std::max(deepest, all.index(layer));
  Tensor input{nullptr, pixel_shape(only(image)), backend.master_type()};
  const Buffer input_memory = backend.allocate(input.bytes());
  input.data = input_memory.get();
  backend.write(input, image.rgb);
  Schedule schedule;
  const auto scale = static_cast<float>(activation_scale(backend.activation_type()));
  const auto read = [&](const VggLayer& layer, bool /*before_relu*/, TensorId features) {
    if (std::ranges::find(layers, layer.name) == layers.end()) return;
    const auto show = [=, &visit, &layer](Backend& from, const Schedule& s) {
      const Shape& map = s[features].shape;
      Activation result{map.height, map.width, map.channels, {}};
      result.values.resize(static_cast<std::size_t>(map.count()));
      from.read(result.values, s[features]);
      for (float& value : result.values) value /= scale;
      visit(layer.name, std::move(result));
    };
    schedule.add({.name = "reading", .operation = "read", .layer = &layer}, {features}, show);
  };
  session.network().forward(schedule, schedule.external(input), deepest, backend.activation_type(),
                            read);
  const Buffer arena = backend.allocate(schedule.place());
  schedule.bind(arena.get());
  schedule.run(backend);
}

}  // namespace impasto
