// SPDX-License-Identifier: MIT
// MatConvNet's MATLAB files.
#include "tests/fuzz/fuzz.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "tests/weights/published_files.hpp"
#include "weights/published.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  const Weights weights = pattern_weights("conv1_1");
  std::vector<std::string> files;
  for (const MatLayout layout : {MatLayout::oldest, MatLayout::beta16, MatLayout::latest}) {
    files.push_back(matconvnet_bytes(weights, layout));
  }
  const TemporaryFolder folder;
  write_with_matio(weights, folder.file("packed.mat"), true);
  files.push_back(read_all(folder.file("packed.mat")));
  return files;
}

void read_input(const std::string& path) {
  read_matconvnet(SourceFile(path, max_weights_bytes),
                  [](const VggLayer&, const ConvParameters&) {});
}

}  // namespace impasto::fuzz
