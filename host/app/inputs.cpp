// SPDX-License-Identifier: MIT
#include "host/app/inputs.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "host/app/failure.hpp"
#include "host/app/terminal.hpp"
#include "host/backend/registry.hpp"
#include "host/core/printable.hpp"
#include "host/core/suggest.hpp"
#include "host/image/decode.hpp"
#include "host/image/resize.hpp"
#include "host/model/vgg.hpp"
#include "host/samples/samples.hpp"
#include "weights/builtin.hpp"
#include "weights/weights_file.hpp"

namespace impasto::app {
namespace {

constexpr std::int64_t sample_size = 512;
constexpr std::int64_t calibration_size = 192;

std::int64_t sample_height(std::int64_t width) { return width * 3 / 4; }

}  // namespace

std::unique_ptr<Backend> open_backend(const Settings& settings) {
  return make_backend(settings.backend, parse_precision(settings.precision),
                      {.tuning = settings.no_plan_cache ? Tuning::off : Tuning::cached});
}

Image load_picture(const std::string& name, std::optional<std::int64_t> size) {
  if (!name.starts_with("sample:")) {
    Image picture = load_image(name, size);
    for (const std::string& note : picture.notes) message("note: {}\n", printable(note));
    return picture;
  }
  const std::int64_t width = size.value_or(sample_size);
  if (name == "sample:scene") return draw_scene(sample_height(width), width);
  if (name == "sample:painting") return draw_painting(sample_height(width), width);
  const std::vector<std::string> names = {"sample:scene", "sample:painting"};
  throw HintedError(ErrorKind::usage, fmt::format("there is no picture '{}'", name),
                    did_you_mean(name, names, "there are sample:scene and sample:painting"));
}

Image load_picture_like(const std::string& name, const Image& other) {
  const Image picture = load_picture(name, std::max(other.height, other.width));
  if (std::abs(picture.height - other.height) > 1 || std::abs(picture.width - other.width) > 1) {
    fail(ErrorKind::input, "{}: expected the shape of the picture, {}x{}, found {}x{}", name,
         other.width, other.height, picture.width, picture.height);
  }
  return resize(picture, other.height, other.width);
}

Weights make_builtin_weights(std::uint64_t seed, Backend& backend, std::string_view deepest_layer) {
  Weights weights = builtin_weights(seed, deepest_layer);
  const std::array<Image, 2> pictures = {
      draw_scene(sample_height(calibration_size), calibration_size),
      draw_painting(sample_height(calibration_size), calibration_size)};
  calibrate(weights, backend, pictures);
  return weights;
}

const VggLayers& network_layers(const Settings& settings) {
  return settings.weights ? *WeightsReader(*settings.weights).header().layers : vgg19;
}

Weights open_weights(const Settings& settings, Backend& backend) {
  const VggLayers& layers = network_layers(settings);
  const std::size_t deepest = deepest_layer(settings.config.objective, layers);
  return open_weights(settings, backend, layers[deepest].name);
}

Weights open_weights(const Settings& settings, Backend& backend, std::string_view deepest_layer) {
  if (settings.weights) return load_weights(*settings.weights, deepest_layer);
  if (!settings.quiet) {
    print_message(
        "note: the network has random weights; a trained one paints better: impasto weights get\n");
  }
  return make_builtin_weights(0, backend, deepest_layer);
}

}  // namespace impasto::app
