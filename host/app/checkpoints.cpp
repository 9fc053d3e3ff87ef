// SPDX-License-Identifier: MIT
#include "host/app/checkpoints.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/app/describe.hpp"
#include "host/core/digest.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;

Json describe_pixels(const Image& image) {
  return {{"height", image.height},
          {"width", image.width},
          {"sha256", sha256(std::as_bytes(std::span(image.rgb)))}};
}

Json describe_mask(const std::optional<Mask>& mask) {
  return mask ? Json(sha256(std::as_bytes(std::span(mask->values)))) : Json();
}

}  // namespace

std::string identity_of(const std::string& recipe, const Image& content,
                        std::span<const Style> styles, const Image& initial) {
  Json json = {{"recipe", recipe},
               {"content", describe_pixels(content)},
               {"initial", describe_pixels(initial)},
               {"styles", Json::array()}};
  for (const Style& style : styles) {
    json["styles"].push_back({{"weight", style.weight},
                              {"picture", describe_pixels(style.image)},
                              {"mask", describe_mask(style.mask)},
                              {"style_mask", describe_mask(style.style_mask)}});
  }
  return dump(json);
}

std::optional<Checkpoint> CheckpointFile::load(const Objective& objective) const {
  std::error_code ignored;
  if (!fs::exists(path_, ignored)) return std::nullopt;
  return load_checkpoint(path_, objective, identity_);
}

void CheckpointFile::write(Checkpoint checkpoint) {
  finish();
  writing_ = std::async(std::launch::async, [this, checkpoint = std::move(checkpoint)] {
    save_checkpoint(path_, checkpoint, identity_);
  });
}

void CheckpointFile::finish() {
  if (writing_.valid()) writing_.get();
}

void CheckpointFile::remove() const {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

}  // namespace impasto::app
