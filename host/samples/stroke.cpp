// SPDX-License-Identifier: MIT
#include "host/samples/stroke.hpp"

#include <cstddef>
#include <limits>

namespace impasto::samples {
namespace {

constexpr std::int64_t band_rows = 32;
constexpr float hidden = 0.02F;  // what shows less than this is not painted

/// Pixels of a canvas from (left, top) up to (right, bottom), which are outside.
struct Box {
  std::int64_t left, top, right, bottom;
};

/// Where a pixel lies on a stroke: `along` from 0 to 1, `across` from -1 to 1.
struct Place {
  float distance = std::numeric_limits<float>::max();
  float along = 0;
  float across = 0;
};

class BandPainter {
 public:
  BandPainter(Canvas& canvas, std::int64_t band)
      : canvas_(canvas),
        scale_(static_cast<float>(canvas.height)),
        middle_(0.5F * static_cast<float>(canvas.width)),
        top_(band * band_rows),
        bottom_(std::min(canvas.height, top_ + band_rows)) {}

  void paint(const Stroke& stroke) {
    const Box box = covered(stroke.path.data(), Stroke::points, stroke.half_width);
    if (box.left >= box.right || box.top >= box.bottom) return;
    places_.assign(static_cast<std::size_t>((box.right - box.left) * (box.bottom - box.top)), {});
    for (std::size_t i = 0; i + 1 < Stroke::points; ++i) place_segment(stroke, i, box);
    const Place* place = places_.data();
    for (std::int64_t y = box.top; y < box.bottom; ++y) {
      for (std::int64_t x = box.left; x < box.right; ++x, ++place) {
        if (place->distance < 1)
          touch(stroke, *place, static_cast<std::size_t>(y * canvas_.width + x));
      }
    }
  }

  void fill(Colour ground) {
    for (std::int64_t i = top_ * canvas_.width; i < bottom_ * canvas_.width; ++i) {
      const auto pixel = static_cast<std::size_t>(i);
      canvas_.colour[pixel] = canvas_.colour[pixel] + canvas_.bare[pixel] * ground;
    }
  }

 private:
  [[nodiscard]] Point centre(std::int64_t x, std::int64_t y) const {
    return {(static_cast<float>(x) + 0.5F - middle_) / scale_,
            (static_cast<float>(y) + 0.5F) / scale_};
  }

  /// The pixels of this band that may be nearer than `reach` to one of the points' connections.
  [[nodiscard]] Box covered(const Point* point, std::size_t count, float reach) const {
    Point low = *point;
    Point high = *point;
    for (std::size_t i = 1; i < count; ++i) {
      low = {std::min(low.x, point[i].x), std::min(low.y, point[i].y)};
      high = {std::max(high.x, point[i].x), std::max(high.y, point[i].y)};
    }
    const auto pixel = [](float v) { return static_cast<std::int64_t>(std::floor(v)); };
    return {std::max<std::int64_t>(0, pixel((low.x - reach) * scale_ + middle_)),
            std::max(top_, pixel((low.y - reach) * scale_)),
            std::min(canvas_.width, pixel((high.x + reach) * scale_ + middle_) + 1),
            std::min(bottom_, pixel((high.y + reach) * scale_) + 1)};
  }

  void place_segment(const Stroke& stroke, std::size_t segment, const Box& whole) {
    const Point from = stroke.path[segment];
    const Point line = stroke.path[segment + 1] - from;
    const float inverse = 1 / (dot(line, line) + 1e-12F);
    const float narrow = 1 / stroke.half_width;
    const Box box = covered(&stroke.path[segment], 2, stroke.half_width);
    for (std::int64_t y = box.top; y < box.bottom; ++y) {
      Place* place = &places_[static_cast<std::size_t>(
          (y - whole.top) * (whole.right - whole.left) + box.left - whole.left)];
      const float* bare = &canvas_.bare[static_cast<std::size_t>(y * canvas_.width + box.left)];
      for (std::int64_t x = box.left; x < box.right; ++x, ++place, ++bare) {
        if (*bare < hidden) continue;
        const Point offset = centre(x, y) - from;
        const float t = clamp01(dot(offset, line) * inverse);
        const float distance = length(offset - t * line) * narrow;
        if (distance >= place->distance) continue;
        const bool left = dot(offset, turn_left(line)) > 0;
        place->distance = distance;
        place->along = (static_cast<float>(segment) + t) / (Stroke::points - 1);
        place->across = left ? distance : -distance;
      }
    }
  }

  /// One pixel of paint: bristles draw furrows along the stroke, its sides are pushed up, and
  /// towards the end the brush narrows and runs dry.
  void touch(const Stroke& stroke, const Place& place, std::size_t pixel) {
    const float late = ramp(0.55F, 1.0F, place.along);
    const float side = place.distance / (1 - 0.45F * late);
    if (side >= 1) return;
    const float bristle = noise({place.across * 2.9F, place.along * 1.6F}, stroke.seed);
    const float fine = noise({place.across * 7.3F, place.along * 2.1F}, stroke.seed + 1);
    const float rough = bristle + 0.4F * fine;
    const float dry = 1 - late * ramp(0.0F, 0.45F, 0.15F - rough);
    const float cover = ramp(0.0F, 0.24F, 1 - side + 0.05F * rough) * dry;
    const float body = 0.55F * (1 - side * side) + 0.17F * bristle + 0.05F * fine +
                       0.4F * side * side * (1 - side) + 0.15F * late;
    const Colour fresh = mix(stroke.main, stroke.streak, ramp(-0.15F, 0.8F, rough));
    canvas_.colour[pixel] = canvas_.colour[pixel] + canvas_.bare[pixel] * cover * fresh;
    canvas_.relief[pixel] += canvas_.bare[pixel] * cover * stroke.thickness * body;
    canvas_.bare[pixel] *= 1 - cover;
  }

  Canvas& canvas_;
  float scale_;
  float middle_;
  std::int64_t top_;
  std::int64_t bottom_;
  std::vector<Place> places_;
};

}  // namespace

void lay_strokes(const std::vector<Stroke>& strokes, Colour ground, Canvas& canvas) {
  canvas.bare.assign(canvas.colour.size(), 1.0F);
  const std::int64_t bands = (canvas.height + band_rows - 1) / band_rows;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t band = 0; band < bands; ++band) {
    BandPainter painter(canvas, band);
    for (auto stroke = strokes.rbegin(); stroke != strokes.rend(); ++stroke) painter.paint(*stroke);
    painter.fill(ground);
  }
}

std::vector<Colour> light_relief(const Canvas& canvas) {
  std::vector<Colour> lit(canvas.colour.size());
  const float scale = static_cast<float>(canvas.height);
#pragma omp parallel for schedule(static)
  for (std::int64_t y = 0; y < canvas.height; ++y) {
    for (std::int64_t x = 0; x < canvas.width; ++x) {
      const auto relief = [&](std::int64_t dx, std::int64_t dy) {
        const auto row = std::clamp<std::int64_t>(y + dy, 0, canvas.height - 1);
        const auto column = std::clamp<std::int64_t>(x + dx, 0, canvas.width - 1);
        return canvas.relief[static_cast<std::size_t>(row * canvas.width + column)];
      };
      const float across = (relief(1, 0) - relief(-1, 0)) * 0.5F * scale;
      const float down = (relief(0, 1) - relief(0, -1)) * 0.5F * scale;
      const float inverse = 1 / std::sqrt(1 + across * across + down * down);
      // Light from (-0.5, -0.6, 0.62), in units where a flat canvas has brightness 1.
      const float facing = (0.5F * across + 0.6F * down + 0.62F) * inverse / 0.62F;
      const float shine = std::max(0.0F, (0.29F * across + 0.35F * down + 0.89F) * inverse);
      const float gloss = shine * shine * shine * shine;
      const float gleam = std::max(0.0F, gloss * gloss * gloss - 0.35F);
      const auto i = static_cast<std::size_t>(y * canvas.width + x);
      // Little of it: a network takes light on ridges for the style, and embosses what it paints.
      const Colour bright = std::clamp(0.88F + 0.12F * facing, 0.7F, 1.15F) * canvas.colour[i];
      lit[i] = bright + 0.04F * gleam * Colour{1.0F, 0.98F, 0.92F};
    }
  }
  return lit;
}

}  // namespace impasto::samples
