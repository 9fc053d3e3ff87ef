// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <utility>

#include "host/core/error.hpp"
#include "host/engine/plan.hpp"

namespace impasto {
namespace {

/// The deepest of some layers.
template <class Layers>
std::size_t deepest_of(const Layers& layers) {
  std::size_t deepest = 0;
  for (const auto& term : layers) deepest = std::max(deepest, term.layer);
  return deepest;
}

}  // namespace

void write_pictures(Backend& backend, const Tensor& to, std::span<const Image> pictures) {
  for (std::size_t n = 0; n < pictures.size(); ++n) {
    backend.write(image_of(to, static_cast<std::int64_t>(n)), pictures[n].rgb);
  }
}

Plan::Pass Plan::build_content_pass() const {
  Schedule schedule;
  const TensorId pixels = schedule.temporary(shape_, master_);
  if (content_.empty()) return {std::move(schedule), pixels};
  network_.forward(
      schedule, pixels, deepest_of(content_), activations_, [&](std::size_t layer, TensorId map) {
        for (const TargetLayer& term : content_) {
          if (term.layer != layer) continue;
          schedule.add({.name = "content target", .operation = "copy", .layer = layer}, {map},
                       [map, target = tensors_[term.target]](Backend& backend, const Schedule& s) {
                         backend.copy(target, s[map]);
                       });
        }
      });
  return {std::move(schedule), pixels};
}

Plan::Pass Plan::build_style_pass(const Shape& pixel_shape, const ReadGram& read_gram) const {
  Schedule schedule;
  const TensorId pixels = schedule.temporary(pixel_shape, master_);
  if (styles_.empty()) return {std::move(schedule), pixels};
  network_.forward(
      schedule, pixels, deepest_of(styles_), activations_, [&](std::size_t layer, TensorId map) {
        for (std::size_t i = 0; i < styles_.size(); ++i) {
          if (styles_[i].layer != layer) continue;
          const TensorId gram = schedule.temporary(tensors_[styles_[i].target].shape, master_);
          schedule.add({.name = "style target", .operation = "gram", .layer = layer}, {map, gram},
                       [=](Backend& backend, const Schedule& s) {
                         backend.gram(s[gram], s[map]);
                         if (read_gram) read_gram(backend, i, s[gram]);
                       });
        }
      });
  return {std::move(schedule), pixels};
}

void Plan::set_content(Backend& backend, std::span<const Image> contents) {
  if (content_.empty()) return;
  Pass pass = build_content_pass();
  require(pass.schedule.place() <= arena_bytes_, "the arena was planned without the content pass");
  pass.schedule.bind(arena_);
  write_pictures(backend, pass.schedule[pass.pixels], contents);
  pass.schedule.run(backend);
  backend.synchronize();
}

void Plan::set_styles(Backend& backend, std::span<const Style> styles) {
  const double weights = std::accumulate(styles.begin(), styles.end(), 0.0,
                                         [](double sum, const Style& s) { return sum + s.weight; });
  if (styles_.empty()) return;
  std::vector<std::vector<float>> targets(styles_.size());
  for (const Style& style : styles) {
    const Shape pixels{1, style.image.height, style.image.width, 3};
    const auto add = [&](Backend& from, std::size_t i, const Tensor& gram) {
      std::vector<float> values(static_cast<std::size_t>(gram.shape.count()));
      from.read(values, gram);
      const Shape features = network_.feature_shape(pixels, styles_[i].layer);
      const double share =
          style.weight / weights * objective_.gram_scale.at(features.channels, features.pixels());
      targets[i].resize(values.size());
      for (std::size_t k = 0; k < values.size(); ++k) {
        targets[i][k] += static_cast<float>(share * static_cast<double>(values[k]));
      }
    };
    Pass pass = build_style_pass(pixels, add);
    require(pass.schedule.place() <= arena_bytes_, "the arena was planned without this style");
    pass.schedule.bind(arena_);
    backend.write(pass.schedule[pass.pixels], style.image.rgb);
    pass.schedule.run(backend);
  }
  for (std::size_t i = 0; i < styles_.size(); ++i) {
    backend.write(tensors_[styles_[i].target], targets[i]);
  }
  backend.synchronize();
}

}  // namespace impasto
