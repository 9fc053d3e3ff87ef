// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "host/backend/backend.hpp"
#include "host/image/image.hpp"
#include "host/model/weights.hpp"

namespace impasto {

/// What the built-in network for a seed is.
NetworkTraits builtin_traits(std::uint64_t seed);

/// VGG-19 up to `deepest_layer` with random weights: normal, deviation √(2/(9·Cin)), no bias. The
/// same seed gives the same bits on any number of threads, whatever the deepest layer. Random
/// weights alone make noise: calibrate() makes them a network that style can be seen through.
/// Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, §2.2.
Weights builtin_weights(std::uint64_t seed, std::string_view deepest_layer);

/// Scales and shifts every channel of every layer so that over all pixels of the samples its
/// pre-activation has mean 0 and deviation 30, layer after layer, each seeing what the calibrated
/// ones below make of the samples. A channel without spread is only shifted.
void calibrate(Weights& weights, Backend& backend, std::span<const Image> samples);

}  // namespace impasto
