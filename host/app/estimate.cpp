// SPDX-License-Identifier: MIT
#include "host/app/estimate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <malloc.h>
#include <memory>
#include <unistd.h>
#include <vector>

#include "host/image/resize.hpp"

namespace impasto::app {
namespace {

std::span<const Image> only(const Image& picture) { return {&picture, 1}; }

/// Bytes of the process that are in memory now.
std::size_t resident_bytes() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// The smallest factor that leaves a picture sides which pooling leaves something of.
double least_factor(const Image& picture) {
  constexpr double least_side = 64;
  return std::min(least_side / static_cast<double>(std::min(picture.height, picture.width)), 1.0);
}

Image shrunk(const Image& picture, double factor) {
  factor = std::max(factor, least_factor(picture));
  if (factor >= 1) return picture;
  const auto side = [factor](std::int64_t of) {
    return std::max<std::int64_t>(std::llround(factor * static_cast<double>(of)), 1);
  };
  return resize(picture, side(picture.height), side(picture.width));
}

/// The mean of two iterations, after two that prepare.
double seconds_of_iteration(Session& session, const Config& config, const Image& content,
                            std::span<const Style> styles) {
  using Clock = std::chrono::steady_clock;
  Stylizer stylizer(session, config, only(content), styles, only(content));
  const auto take_two = [&stylizer] {
    for (int i = 0; i < 2; ++i) stylizer.step();
    static_cast<void>(stylizer.losses());  // waits
  };
  take_two();
  const Clock::time_point start = Clock::now();
  take_two();
  return std::chrono::duration<double>(Clock::now() - start).count() / 2;
}

/// Whether the full size is measured, for which a GPU has been tuned.
bool measured_whole(const Backend& backend) { return backend.name() == "cuda"; }

double seconds_per_pixel(Session& session, const Config& config, const Image& content,
                         std::span<const Style> styles) {
  constexpr double long_enough = 0.03;
  for (double factor = measured_whole(session.backend()) ? 1 : least_factor(content);;
       factor = std::min(2 * factor, 1.0)) {
    const Image small = shrunk(content, factor);
    std::vector<Style> small_styles;
    for (const Style& style : styles) {
      small_styles.push_back(
          {shrunk(style.image, factor), style.weight, style.mask, style.style_mask});
    }
    const double seconds = seconds_of_iteration(session, config, small, small_styles);
    if (factor >= 1 || seconds >= long_enough) return seconds / static_cast<double>(small.pixels());
  }
}

}  // namespace

RunEstimate estimate_run(Backend& backend, const VggLayers& layers, const Config& config,
                         const Image& content, std::span<const Style> styles) {
  const Shape pixels = pixel_shape(only(content));
  const std::vector<Shape> shapes = shapes_of(styles);
  RunEstimate estimate;
  estimate.memory = estimate_memory(backend, layers, config, pixels, shapes);
  const MemoryEstimate& memory = estimate.memory;
  if (!memory.shortage.empty()) return estimate;
  const Objective& objective = config.objective;
  const double per_pixel = [&] {
    Session session(backend, std::make_shared<const Network>(backend, layers, objective.pool,
                                                             deepest_layer(objective, layers),
                                                             objective.padding));
    if (measured_whole(backend)) {
      return seconds_per_pixel(session, config, content, styles) / memory.recomputation.back();
    }
    Config untiled = config;
    untiled.memory = 0;
    return seconds_per_pixel(session, untiled, content, styles);
  }();
  estimate.seconds = 0;
  const std::vector<Scale> scales = make_scales(config, pixels, shapes);
  for (std::size_t i = 0; i < scales.size(); ++i) {
    const std::int64_t computed = scales[i].pixels.pixels() * scales[i].iterations;
    *estimate.seconds += per_pixel * memory.recomputation[i] * static_cast<double>(computed);
  }
  if (backend.name() != "cuda") {
    ::malloc_trim(0);  // what was measured with is gone
    estimate.process = resident_bytes() + memory.total() + memory.host;
  }
  return estimate;
}

}  // namespace impasto::app
