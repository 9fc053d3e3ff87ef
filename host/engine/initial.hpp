// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "host/engine/config.hpp"
#include "host/engine/plan.hpp"
#include "host/image/image.hpp"

namespace impasto {

/// The picture to start from: `content`, in its own colours or in those of `styles`, noise, or both,
/// by config. For Init::file pass that picture as `file`, resized to the content's size.
Image make_initial(const Config& config, const Image& content, std::span<const Style> styles,
                   const Image* file = nullptr);

}  // namespace impasto
