// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/weights.hpp"
#include "host/optimizer/optimizer.hpp"
#include "host/terms/objective.hpp"

namespace impasto {

/// What the optimisation starts from.
enum class Init : std::uint8_t {
  content,           ///< the content picture
  recoloured,        ///< the content picture in the style's colours
  style_statistics,  ///< noise with the mean and the covariance of the style's colours
  random,            ///< the mean pixel plus uniform noise of ±noise_amplitude
  mix,               ///< noise_ratio parts of `random` to 1 − noise_ratio parts of the content
  file,              ///< a picture of the user's
};

/// When pixels are kept in their range of 0 to 255. A picture that is saved always is.
enum class Box : std::uint8_t {
  end,         ///< only when it is saved
  step,        ///< after every step
  evaluation,  ///< before the loss is evaluated; the step from there may leave the range
};

/// Coarse to fine: a picture is optimised at several sizes one after the other, each starting from
/// what the coarser one before it made of it.
struct Scales {
  std::int64_t count = 1;
  double ratio = 2;            ///< of a scale's side to that of the coarser one
  double iteration_ratio = 1;  ///< of its iterations to those of the coarser one, at most 1
  double step_ratio = 1;       ///< of its learning rate to that of the coarser one
  double detail = 0;           ///< how much of what the coarser one was too small to show is added
};

/// When a scale ends before all of its iterations.
struct EarlyStop {
  double below = 0;          ///< the loss fell by less than this part of itself; 0: never
  std::int64_t window = 50;  ///< in so many iterations
};

/// One stylization, complete: two runs with equal configurations, pictures and weights on one
/// machine give the same bits.
struct Config {
  std::string preset;
  Objective objective;
  bool keeps_pool = false;  ///< also with a network that was trained with pooling of its own kind
  OptimizerSettings optimizer;
  Box box = Box::end;
  std::int64_t iterations = 200;  ///< of all scales together
  std::int64_t size = 512;        ///< longer side of the result, in pixels
  Scales scales;
  EarlyStop stop;
  std::int64_t pyramid_levels = 1;  ///< of the Laplacian pyramid that is optimised; 1: the pixels
  bool decorrelated = false;        ///< colours, which are optimised so (kernels/colour_map)
  /// The result of a scale is the mean of its iterates, in which each counts this times as much as
  /// the next; 0: the last one alone.
  double average = 0;
  Init init = Init::content;
  double noise_ratio = 0.6;
  double noise_amplitude = 20;
  std::uint64_t seed = 0;
  /// Bytes of the device that a stylization may take, its network included. Where they do not suffice
  /// for a picture, it is computed in tiles (tiling.hpp). 0: what there is, without tiles.
  std::size_t memory = 0;
};

/// A preset by its name (docs/presets.md). Throws ErrorKind::usage for another name.
Config preset(std::string_view name);

/// The preset that suits a network where nobody asks for another.
std::string_view preset_for(const NetworkTraits& network);

/// Whether a preset's weights are balanced for networks like this one: activations of those that see
/// pixels divided by their deviation are smaller by some fifty times, and their Gram losses by millions.
bool suits(std::string_view preset, const NetworkTraits& network);

std::vector<std::string> preset_names();

}  // namespace impasto
