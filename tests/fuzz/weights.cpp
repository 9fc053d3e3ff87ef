// SPDX-License-Identifier: MIT
// Impasto's own weight files.
#include "tests/fuzz/fuzz.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "weights/weights_file.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  const TemporaryFolder folder;
  Weights weights = pattern_weights("conv1_1");
  weights.origin = {"source.mat", std::string(64, 'a'), std::string(32, 'b'), "1.0"};
  save_weights(weights, folder.file("w.h5"));
  return {read_all(folder.file("w.h5"))};
}

void read_input(const std::string& path) { inspect_weights(path); }

}  // namespace impasto::fuzz
