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
};

/// The flow between the same pictures at another size.
Flow resized(const Flow& flow, std::int64_t height, std::int64_t width);

/// What `picture` shows, brought to where `flow` comes from: picture(p + w(p)) at the pixel p, bilinear.
/// The picture is continued by its outermost pixels; where the flow is unknown, p stays where it is.
Image warped(const Image& picture, const Flow& flow);

/// Where an earlier frame says how a frame should look, with ŵ the flow from the frame to the earlier
/// one (`backward`) and w back from there (`forward`), w̃(p) = w(p + ŵ(p)): 1, and 0 where
///   |w̃ + ŵ|² > 0.01·(|w̃|² + |ŵ|²) + 0.5   the two do not agree: it comes into sight;
///   |∇û|² + |∇v̂|² > 0.01·|ŵ|² + 0.002       motions meet, and the flow is not exact;
///   p + ŵ(p) is outside the picture, or a flow is unknown.
/// Gradients are central differences. Source: Ruder, Dosovitskiy, Brox 2016, §4.2, after Sundaram, Brox,
/// Keutzer 2010.
Mask reliable(const Flow& backward, const Flow& forward);

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
