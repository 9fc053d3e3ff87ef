// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>

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

/// Appends the step that brings a picture to the device.
Value upload(Schedule& schedule, const Shape& shape, DataType type, const Image* image) {
  const Value pixels = schedule.temporary(shape, type);
  schedule.add("upload", {pixels},
               [=](Backend& backend, const Schedule& s) { backend.write(s[pixels], image->rgb); });
  return pixels;
}

}  // namespace

Schedule Plan::build_content_pass(const Image* content) const {
  Schedule schedule;
  if (content_.empty()) return schedule;
  const Value pixels = upload(schedule, shape_, master_, content);
  network_.forward(
      schedule, pixels, deepest_of(content_), activations_, [&](std::size_t layer, Value map) {
        for (const TargetLayer& term : content_) {
          if (term.layer != layer) continue;
          schedule.add("content target", {map},
                       [map, target = tensors_[term.target]](Backend& backend, const Schedule& s) {
                         backend.copy(target, s[map]);
                       });
        }
      });
  return schedule;
}

Schedule Plan::build_style_pass(const Shape& pixel_shape, const Image* style,
                                const ReadGram& read_gram) const {
  Schedule schedule;
  if (styles_.empty()) return schedule;
  const Value pixels = upload(schedule, pixel_shape, master_, style);
  network_.forward(
      schedule, pixels, deepest_of(styles_), activations_, [&](std::size_t layer, Value map) {
        for (std::size_t i = 0; i < styles_.size(); ++i) {
          if (styles_[i].layer != layer) continue;
          const Value gram = schedule.temporary(tensors_[styles_[i].target].shape, master_);
          schedule.add("style target", {map, gram}, [=](Backend& backend, const Schedule& s) {
            backend.gram(s[gram], s[map]);
            read_gram(backend, i, s[gram]);
          });
        }
      });
  return schedule;
}

void Plan::set_content(Backend& backend, const Image& content) {
  Schedule pass = build_content_pass(&content);
  require(pass.place() <= arena_bytes_, "the arena was planned without the content pass");
  pass.bind(arena_.get());
  pass.run(backend);
  backend.synchronize();
}

void Plan::set_styles(Backend& backend, std::span<const Style> styles) {
  const double weights = std::accumulate(styles.begin(), styles.end(), 0.0,
                                         [](double sum, const Style& s) { return sum + s.weight; });
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
    Schedule pass = build_style_pass(pixels, &style.image, add);
    require(pass.place() <= arena_bytes_, "the arena was planned without this style");
    pass.bind(arena_.get());
    pass.run(backend);
  }
  for (std::size_t i = 0; i < styles_.size(); ++i) {
    backend.write(tensors_[styles_[i].target], targets[i]);
  }
  backend.synchronize();
}

}  // namespace impasto
