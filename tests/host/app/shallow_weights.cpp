// SPDX-License-Identifier: MIT
// Writes the built-in network up to conv3_4: as good as the whole one for runs of shallow layers, and
// an eighth of its file, which every run reads and hashes.
//   shallow_weights OUT
#include "host/api/engine.hpp"
#include "host/backend/registry.hpp"
#include "weights/weights_file.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto backend = impasto::make_backend("cpu");
  impasto::save_weights(impasto::make_builtin_weights(0, *backend, "conv3_4"), argv[1], {});
}
