// SPDX-License-Identifier: MIT
#pragma once

#include "host/engine/config.hpp"
#include "host/image/image.hpp"

namespace impasto {

/// The picture to start from: `content`, noise, or both, by config. For Init::file pass that
/// picture as `file`, resized to the content's size.
Image make_initial(const Config& config, const Image& content, const Image* file = nullptr);

}  // namespace impasto
