// SPDX-License-Identifier: MIT
#include "host/app/evolution.hpp"

#include "host/app/sheet.hpp"

namespace impasto::app {
namespace {

constexpr std::int64_t most_frames = 60;  // beside the result
constexpr std::int64_t longest_side = 512;
constexpr int milliseconds = 80;
constexpr int milliseconds_of_result = 2500;

}  // namespace

/// The k-th frame of n is of the iteration ⌊N·(k/n)³⌋, where N are done in all.
bool Evolution::has_frame_of(std::int64_t iteration) const {
  for (std::int64_t k = 0; k < most_frames; ++k) {
    const std::int64_t of = iterations_ * k * k * k / (most_frames * most_frames * most_frames);
    if (of == iteration) return true;
  }
  return false;
}

void Evolution::add(const Image& picture) {
  frames_.add(thumbnail(picture, longest_side), milliseconds);
}

std::size_t Evolution::most_bytes(const Image& picture) {
  const Image frame = thumbnail(picture, longest_side);
  const std::int64_t channels = frame.alpha.empty() ? 3 : 4;
  return static_cast<std::size_t>((most_frames + 1) * frame.pixels() * channels);
}

void Evolution::save(const Image& result, const OutputPath& path, std::string_view comment) {
  frames_.add(thumbnail(result, longest_side), milliseconds_of_result);
  frames_.save(path.string(), comment);
}

}  // namespace impasto::app
