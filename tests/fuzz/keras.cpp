// SPDX-License-Identifier: MIT
// Keras' HDF5 files.
#include "host/core/error.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/weights/fixtures.hpp"
#include "tests/weights/published_files.hpp"
#include "weights/published.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  const TemporaryFolder folder;
  std::vector<std::string> files;
  for (const KerasNaming naming :
       {KerasNaming::flat, KerasNaming::nested, KerasNaming::model, KerasNaming::numbered}) {
    write_keras(pattern_weights("conv1_1"), folder.file("w.h5"), naming);
    files.push_back(read_all(folder.file("w.h5")));
  }
  return files;
}

void read_input(const std::string& path) {
  // The seeds have one layer of sixteen, because all of them would be large.
  bool has_layer = false;
  try {
    read_keras(SourceFile(path, max_weights_bytes),
               [&](const VggLayer&, const ConvParameters&) { has_layer = true; });
  } catch (const Error&) {
    if (!has_layer) throw;
  }
}

}  // namespace impasto::fuzz
