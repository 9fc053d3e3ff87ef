// SPDX-License-Identifier: MIT
// .safetensors, and which tensors of one are a network.
#include "weights/safetensors.hpp"

#include <array>

#include "host/core/error.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/weights/archive_bytes.hpp"
#include "weights/published.hpp"
#include "weights/weights_file.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  const std::array<torch::Tensor, 3> tensors = {
      {{"features.0.weight", {64, 3, 3, 3}, std::vector<float>(1728, 0.5F)},
       {"features.0.bias", {64}, std::vector<float>(64)},
       {"layer1.0.conv1.weight", {2}, {1, 2}}}};
  return {torch::safetensors(tensors), torch::safetensors(std::span(tensors).first(2))};
}

void read_input(const std::string& path) {
  const SourceFile file(path, max_weights_bytes);
  const std::vector<StoredTensor> tensors = list_safetensors(file);
  for (const StoredTensor& tensor : tensors) read_values(tensor);
  // The seeds have one layer of sixteen, because all of them would be large.
  try {
    const StateDictNetwork network(file, tensors, Preparation::automatic);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::weights) throw;
  }
}

}  // namespace impasto::fuzz
