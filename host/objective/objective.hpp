// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/pool/pool.hpp"

namespace impasto {

/// A normaliser as data: factor · C^−channel_power · P^−pixel_power for a map of C channels and P
/// pixels. Every published loss differs from the others in these three numbers only.
struct Normaliser {
  double factor = 1;
  int channel_power = 0;
  int pixel_power = 0;

  [[nodiscard]] double at(std::int64_t channels, std::int64_t pixels) const {
    return factor * std::pow(static_cast<double>(channels), -channel_power) *
           std::pow(static_cast<double>(pixels), -pixel_power);
  }
};

struct LayerWeight {
  std::string layer;
  double weight = 1;
};

/// What is minimised:
///   content_weight · Σ_l w_l · content_scale · Σ (F_l − P_l)²
/// + style_weight · Σ_l w_l · style_scale · Σ (gram_scale·G_l − A_l)²,  A_l =
/// gram_scale·Gram(style)
/// + variation_weight · variation_scale · TV(pixels)
/// and how the network pools, because that changes what the losses see.
struct Objective {
  double content_weight = 1;
  double style_weight = 1;
  double variation_weight = 0;
  std::vector<LayerWeight> content_layers;
  std::vector<LayerWeight> style_layers;
  Normaliser content_scale;
  Normaliser gram_scale;
  Normaliser style_scale;
  Normaliser variation_scale;  ///< at (3, H·W) of the picture
  kernels::PoolKind pool;
};

/// Throws ErrorKind::usage for an unknown or repeated layer, a weight that is negative or not
/// finite, or an objective with nothing to minimise.
void check(const Objective& objective);

}  // namespace impasto
