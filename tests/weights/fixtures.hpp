// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "host/core/error.hpp"
#include "host/model/weights.hpp"
#include "weights/weights_file.hpp"

namespace impasto {

/// Weights with a different value everywhere, so that no two positions can be exchanged unnoticed.
Weights pattern_weights(std::string_view deepest_layer, const VggLayers& layers = vgg19);

/// VGG-19's weights without the three layers that VGG-16 lacks.
Weights vgg16_of(Weights weights);

/// Fails the test unless both have the same layers with the same bits.
void expect_same_layers(const Weights& found, const Weights& expected);

/// The message of the Error of this kind that `action` throws; otherwise a text that says what
/// happened instead.
std::string message_of(ErrorKind kind, const std::function<void()>& action);

}  // namespace impasto
