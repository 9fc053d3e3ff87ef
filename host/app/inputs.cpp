// SPDX-License-Identifier: MIT
#include "host/app/inputs.hpp"

#include <array>
#include <vector>

#include "host/app/failure.hpp"
#include "host/core/suggest.hpp"
#include "host/image/decode.hpp"
#include "host/samples/samples.hpp"
#include "weights/builtin.hpp"
#include "weights/weights_file.hpp"

namespace impasto::app {
namespace {

constexpr std::int64_t sample_size = 512;
constexpr std::int64_t calibration_size = 192;

std::int64_t sample_height(std::int64_t width) { return width * 3 / 4; }

}  // namespace

Image load_picture(const std::string& name, std::optional<std::int64_t> size) {
  if (!name.starts_with("sample:")) return load_image(name, size);
  const std::int64_t width = size.value_or(sample_size);
  if (name == "sample:scene") return draw_scene(sample_height(width), width);
  if (name == "sample:painting") return draw_painting(sample_height(width), width);
  const std::vector<std::string> names = {"sample:scene", "sample:painting"};
  throw HintedError(ErrorKind::usage, fmt::format("there is no picture '{}'", name),
                    did_you_mean(name, names, "there are sample:scene and sample:painting"));
}

Weights make_builtin_weights(std::uint64_t seed, Backend& backend, std::string_view deepest_layer) {
  Weights weights = builtin_weights(seed, deepest_layer);
  const std::array<Image, 2> pictures = {
      draw_scene(sample_height(calibration_size), calibration_size),
      draw_painting(sample_height(calibration_size), calibration_size)};
  calibrate(weights, backend, pictures);
  return weights;
}

Weights open_weights(const EngineOptions& options, Backend& backend,
                     std::string_view deepest_layer) {
  if (options.weights) return load_weights(*options.weights, deepest_layer);
  return make_builtin_weights(0, backend, deepest_layer);
}

}  // namespace impasto::app
