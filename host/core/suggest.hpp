// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace impasto {

/// The candidate that somebody who typed `word` most likely meant; empty when none is close.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// "did you mean 'conv4_2'?", or `otherwise` when no candidate is close.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates,
                         std::string_view otherwise = {});

/// "a, b or c"
std::string one_of(std::span<const std::string> names);

}  // namespace impasto
