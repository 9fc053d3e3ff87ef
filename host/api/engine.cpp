// SPDX-License-Identifier: MIT
#include "host/api/engine.hpp"

#include <algorithm>
#include <array>
#include <malloc.h>
#include <utility>

#include "host/core/error.hpp"
#include "host/engine/initial.hpp"
#include "host/image/decode.hpp"
#include "host/model/vgg.hpp"
#include "host/samples/samples.hpp"
#include "weights/builtin.hpp"
#include "weights/weights_file.hpp"

namespace impasto {
namespace {

constexpr std::int64_t calibration_size = 192;

std::span<const Image> only(const Image& image) { return {&image, 1}; }

}  // namespace

Engine::Engine(EngineOptions options)
    : options_(std::move(options)),
      backend_(make_backend(options_.backend, options_.precision, options_.device)),
      network_(network_of(options_.weights)) {}

std::shared_ptr<Session> Engine::session(const Objective& objective) {
  check(objective, *network_.layers);
  return session(objective, deepest_layer(objective, *network_.layers));
}

std::shared_ptr<Session> Engine::session(const Objective& objective,
                                         std::string_view deepest_layer) {
  check(objective, *network_.layers);
  return session(objective, std::max(impasto::deepest_layer(objective, *network_.layers),
                                     network_.layers->index(deepest_layer)));
}

std::shared_ptr<Session> Engine::session(const PoolKind& pool, std::string_view deepest_layer) {
  return session(Objective{.losses = {}, .pool = pool}, network_.layers->index(deepest_layer));
}

std::shared_ptr<Session> Engine::session(const Objective& seen, std::size_t deepest) {
  if (session_ && see_alike(seen_, seen) && deepest_ >= deepest) return session_;
  session_.reset();  // before the next one takes memory
  session_ = std::make_shared<Session>(
      *backend_, open_weights(options_.weights, *backend_, (*network_.layers)[deepest].name),
      seen.pool, deepest, seen.padding, seen.input_scale);
  seen_ = seen;
  deepest_ = deepest;
  return session_;
}

Stylized Engine::stylize(const Config& config, const Image& content, std::span<const Style> styles,
                         const Stylization::Report& report, const Image* initial) {
  const std::shared_ptr<Session> network = session(config.objective);
  const Image start = initial != nullptr ? *initial : make_initial(config, content, styles);
  Stylization stylization(*network, config, pixel_shape(only(content)), shapes_of(styles));
  const auto go_on = [](const Progress& /*progress*/) { return true; };
  return stylization.run(only(content), styles, only(start), 1, report ? report : go_on);
}

Losses Engine::score(const Config& config, const Image& image, const Image& content,
                     std::span<const Style> styles) {
  return impasto::score(*session(config.objective), config, image, content, styles);
}

Activation Engine::activation(const Image& image, std::string_view layer, const PoolKind& pool) {
  return impasto::activation(*session(pool, layer), image, layer);
}

NetworkTraits network_of(const std::optional<std::string>& file) {
  return file ? WeightsReader(*file).header() : builtin_traits(0);
}

PoolKind pool_for(const NetworkTraits& network, const Config& config) {
  const bool own = network.pool.mode == kernels::PoolMode::max_blur && !config.keeps_pool;
  return own ? network.pool : config.objective.pool;
}

Weights open_weights(const std::optional<std::string>& file, Backend& backend,
                     std::string_view deepest_layer) {
  if (file) return load_weights(*file, deepest_layer);
  return make_builtin_weights(0, backend, deepest_layer);
}

Weights make_builtin_weights(std::uint64_t seed, Backend& backend, std::string_view deepest_layer) {
  Weights weights = builtin_weights(seed, deepest_layer);
  const std::array<Image, 2> pictures = {draw_sample("scene", calibration_size),
                                         draw_sample("painting", calibration_size)};
  calibrate(weights, backend, pictures);
  ::malloc_trim(0);  // without this the heap keeps room for two of the maps
  return weights;
}

/// A map of the first layer in float for each of the two pictures, and three in the backend's type.
std::size_t calibration_bytes(DataType activations) {
  constexpr std::int64_t first_channels = 64;
  constexpr auto values =
      static_cast<std::size_t>(calibration_size * (calibration_size * 3 / 4) * first_channels);
  return values * (2 * sizeof(float) + 3 * size_of(activations));
}

Image draw_sample(std::string_view name, std::int64_t width) {
  const std::int64_t height = std::max<std::int64_t>(1, width * 3 / 4);
  const ImageLimits limits;
  if (width * height > limits.max_pixels) {
    fail(ErrorKind::usage, "'sample:{}' at size {} would have {}×{} pixels, the limit is {}", name,
         width, width, height, limits.max_pixels);
  }
  if (name == "scene") return draw_scene(height, width);
  if (name == "painting") return draw_painting(height, width);
  fail(ErrorKind::usage, "there is no sample '{}': expected scene or painting", name);
}

}  // namespace impasto
