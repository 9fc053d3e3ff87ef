// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/model/weights.hpp"

namespace impasto {

// Files as MatConvNet and Keras publish them, with weights of ours and a tiny classifier.

enum class MatLayout : std::uint8_t {
  oldest,  ///< fields filters and biases
  beta16,  ///< a cell weights; variables classes and normalization, whose mean is an image
  latest,  ///< a cell weights; all else in the variable meta
};

/// (H,W,Cin,Cout), the first axis fastest, as MATLAB stores a filter.
std::vector<float> matlab_filter(const ConvParameters& conv);

/// The content of a .mat file as scipy would write it.
std::string matconvnet_bytes(const Weights& weights, MatLayout layout);

/// Writes the latest layout through matio, an independent implementation of the format.
void write_with_matio(const Weights& weights, const std::string& path, bool compressed);

enum class KerasNaming : std::uint8_t {
  flat,      ///< /block1_conv1/block1_conv1_W_1:0, as published
  nested,    ///< /block1_conv1/block1_conv1/kernel:0, as Keras 2 saves again
  model,     ///< nested, in the group model_weights, without lists of names
  numbered,  ///< /layers/conv2d_1/vars/0, as Keras 3 does
};

void write_keras(const Weights& weights, const std::string& path, KerasNaming naming);

}  // namespace impasto
