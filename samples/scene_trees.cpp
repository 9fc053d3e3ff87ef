// SPDX-License-Identifier: MIT
#include <array>

#include "samples/scene_parts.hpp"

namespace impasto::samples {
namespace {

struct Standing {
  Point foot;
  float height;
};
constexpr std::array broad_trees{Standing{{0.585F, 0.62F}, 0.30F},
                                 Standing{{0.375F, 0.625F}, 0.16F},
                                 Standing{{0.93F, 0.74F}, 0.34F}};
constexpr std::array firs{Standing{{0.225F, 0.655F}, 0.12F}, Standing{{0.425F, 0.678F}, 0.09F},
                          Standing{{-0.66F, 0.90F}, 0.52F},  Standing{{-0.38F, 0.885F}, 0.26F},
                          Standing{{-0.53F, 0.945F}, 0.66F}, Standing{{-0.86F, 0.92F}, 0.60F},
                          Standing{{-1.06F, 0.95F}, 0.50F},  Standing{{-0.445F, 0.965F}, 0.20F},
                          Standing{{0.665F, 0.79F}, 0.22F}};

/// Boughs hang in tiers, light on their tips and dark under the tier above.
Colour fir_at(const Standing& fir, Point p, float pixel, Colour behind) {
  const float up = (fir.foot.y - p.y) / fir.height;
  const float across = (p.x - fir.foot.x) / fir.height;
  if (up < 0 || up > 1.02F || std::abs(across) > 0.25F) return behind;
  const auto seed = static_cast<std::uint32_t>(1000 * fir.height);
  const float soft = pixel / fir.height;
  const float trunk = std::min(0.018F - std::abs(across), 0.14F - up);
  behind = mix(behind, paint(0x3A281E), cover(trunk, soft));
  const float rough = cloud_noise({22 * across, 20 * up}, 0.022F / soft, seed) +
                      0.3F * ramp(0.02F, 0.004F, soft) * noise({110 * across, 60 * up}, seed + 5);
  const float droop =
      10 * up + 4 * std::abs(across) + 1.5F * noise({10 * across, 6 * up}, seed + 9);
  const float tier = droop - std::floor(droop);
  const float hang = tier * (2 - tier) * ramp(1.0F, 0.93F, tier);
  const float reach = (0.20F - 0.075F * hang) * (1 - up) + 0.003F + 0.04F * rough * (1.1F - up);
  const float inside = cover(std::min(reach - std::abs(across), up - 0.07F + 0.05F * rough), soft);
  if (inside <= 0) return behind;
  const float light = 0.40F - 0.45F * hang + 0.9F * rough + 0.30F * across / (reach + 0.01F);
  Colour needles = mix(paint(0x0E2A2B), paint(0x3F6B45), clamp01(light));
  needles = mix(needles, paint(0xD0A75A), 0.7F * ramp(0.55F, 1.2F, light));
  return mix(behind, needles, inside);
}

Colour broad_tree_at(const Standing& tree, Point p, float pixel, Colour behind) {
  const Point at{(p.x - tree.foot.x) / tree.height, (tree.foot.y - p.y) / tree.height};
  if (std::abs(at.x) > 0.75F || at.y < -0.02F || at.y > 1.2F) return behind;
  const float soft = pixel / tree.height;
  const auto seed = static_cast<std::uint32_t>(2000 * tree.height);
  const float trunk =
      std::min(0.05F - 0.03F * at.y - std::abs(at.x - 0.02F * wave(at.y)), 0.6F - at.y);
  behind = mix(behind, paint(0x4A3222), cover(trunk, soft));
  const Point crown{at.x / 0.46F, (at.y - 0.62F) / 0.40F};
  const float finest = 0.10F / soft;
  const auto mass = [&](Point q) { return cloud_noise({5 * q.x, 5 * q.y}, finest, seed); };
  const float leaves = 0.35F * ramp(0.012F, 0.004F, soft) * noise({70 * at.x, 70 * at.y}, seed + 7);
  const float lumps = mass(at);
  const float inside = cover(0.35F * (1 - dot(crown, crown)) + 0.35F * lumps + 0.1F * leaves,
                             std::max(soft, 0.008F));
  if (inside <= 0) return behind;
  const float light =
      0.42F + 2.2F * (lumps - mass(at + Point{-0.035F, 0.05F})) + 0.25F * crown.y - 0.12F * crown.x;
  Colour leaf = mix(paint(0x2A3F20), paint(0x8E8A2E), clamp01(light));
  leaf = mix(leaf, paint(0xF3BE4F), 0.8F * ramp(0.65F, 1.25F, light));
  return mix(behind, leaf, inside);
}

}  // namespace

Colour broad_trees_at(Point p, float pixel, Colour behind) {
  for (const Standing& tree : broad_trees) behind = broad_tree_at(tree, p, pixel, behind);
  return behind;
}

Colour firs_at(Point p, float pixel, Colour behind) {
  for (const Standing& fir : firs) behind = fir_at(fir, p, pixel, behind);
  return behind;
}

}  // namespace impasto::samples
