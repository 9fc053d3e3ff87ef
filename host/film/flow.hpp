// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "host/image/image.hpp"
#include "host/image/mask.hpp"

namespace impasto::film {

/// Optical flow from one picture to another: what is at the pixel (x,y) of the one is at
/// (x + u, y + v) of the other, in pixels.
struct Flow {
  /// From here on a value says that the flow is not known (Middlebury).
  static constexpr float unknown = 1e9F;

  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<float> uv;  ///< (H,W,2)

  [[nodiscard]] float at(std::int64_t y, std::int64_t x, std::size_t c) const {
    return uv[2 * static_cast<std::size_t>(y * width + x) + c];
  }
};

/// The flow between the same pictures at another size.
Flow resized(const Flow& flow, std::int64_t height, std::int64_t width);

/// An estimated flow turns from one motion to another over some pixels, where things move past each other. The flow
/// from `from` to `to` with one of the motions there: where |∇w|² > 0.002 and w differs by more than half a pixel in
/// 7×7 pixels, that of the pixel q among these, with a smaller gradient itself, for which
///   mean over c of |to_c(p + w(q)) − from_c(p)| + 0.01·|q − p|
/// is smallest, in grey levels; as it was where there is none (docs/decisions/0035-where-motions-meet.md).
Flow sharpened(const Flow& flow, const Image& from, const Image& to);

/// What `picture` shows, brought to where `flow` comes from: picture(p + w(p)) at the pixel p, bilinear.
/// The picture is continued by its outermost pixels; where the flow is unknown, p stays where it is.
Image warped(const Image& picture, const Flow& flow);

/// Where a frame shows what an earlier one shows too, with ŵ the flow from the frame to the earlier one (`backward`)
/// and w back from there (`forward`), w̃(p) = w(p + ŵ(p)): 1, and 0 where
///   |w̃ + ŵ|² > 0.01·(|w̃|² + |ŵ|²) + 0.5   the two do not agree: it comes into sight;
///   p + ŵ(p) is in none of the picture's pixels, or a flow is unknown.
/// Source: Ruder, Dosovitskiy, Brox 2016, §4.2, after Sundaram, Brox, Keutzer 2010.
Mask seen_before(const Flow& backward, const Flow& forward);

/// Where the earlier frame says how this one should look: `seen`, which is seen_before(), and 0 where
///   |∇û|² + |∇v̂|² > 0.01·max|ŵ|² + 0.002    motions meet, and the flow is not exact.
/// Gradients are central differences. The maximum is over 7×7 pixels: that of the faster of the two motions
/// (docs/decisions/0035-where-motions-meet.md). Source: as above; they take the pixel's own |ŵ|².
Mask reliable(const Flow& backward, Mask seen);

/// How much of a frame an earlier one accounts for.
struct Likeness {
  double reliable = 0;  ///< the mean of the mask
  /// The mean absolute difference of the frame from the earlier one, moved along, as a share of that
  /// from the frame's own mean colour: 0 for the same picture, about 1 and more for any other.
  double residual = 0;
  /// Whether the frames show different scenes: they differ as much as any two pictures, or half as much
  /// where the flow does not agree with itself either.
  [[nodiscard]] bool is_cut() const { return residual > 1 || (residual > 0.5 && reliable < 0.5); }
};
Likeness likeness(const Image& frame, const Image& earlier_warped, const Mask& mask);

/// How a frame is held to several earlier ones, the nearest first: at each pixel to the first of them
/// whose mask is 1 there. The sum of all their terms with the weights
/// c_long(j) = max(c(j) − Σ_{k nearer} c(k), 0) (Ruder et al. 2016, §4.3).
class LongTerm {
 public:
  /// `picture` is an earlier result, moved along.
  void add(const Image& picture, const Mask& mask);
  [[nodiscard]] const Image& picture() const { return picture_; }
  [[nodiscard]] const Mask& mask() const { return mask_; }

 private:
  Image picture_;
  Mask mask_;
};

}  // namespace impasto::film
