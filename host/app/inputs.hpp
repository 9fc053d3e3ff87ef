// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/app/objective_options.hpp"
#include "host/image/image.hpp"
#include "host/model/weights.hpp"

namespace impasto::app {

/// A picture by file name, or one of the program's own: "sample:scene" or "sample:painting". With
/// `size`, its longer side becomes that.
Image load_picture(const std::string& name, std::optional<std::int64_t> size = std::nullopt);

/// The network: from --weights, or the built-in one, made and calibrated on the spot.
Weights open_weights(const EngineOptions& options, Backend& backend,
                     std::string_view deepest_layer);

/// The built-in network for a seed, ready for use.
Weights make_builtin_weights(std::uint64_t seed, Backend& backend, std::string_view deepest_layer);

}  // namespace impasto::app
