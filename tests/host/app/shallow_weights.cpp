// SPDX-License-Identifier: MIT
// Writes the built-in network up to conv3_4: as good as the whole one for runs of shallow layers, and
// an eighth of its file, which every run reads and hashes.
// And once more as if it came from the VGG-19 that was published, for what asks that of a file; and
// as if it had been trained with a blur in its pooling, which it then keeps.
//   shallow_weights OUT PUBLISHED BLURRED
#include "host/api/engine.hpp"
#include "host/backend/registry.hpp"
#include "weights/known_files.hpp"
#include "weights/weights_file.hpp"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto backend = impasto::make_backend("cpu");
  impasto::Weights weights = impasto::make_builtin_weights(0, *backend, "conv3_4");
  impasto::save_weights(weights, argv[1]);
  const impasto::KnownFile& published = impasto::known_files().front();
  weights.origin = {
      std::string(published.name), std::string(published.sha256), std::string(published.md5), {}};
  impasto::save_weights(weights, argv[2]);
  weights.origin = {};
  weights.pool.mode = impasto::kernels::PoolMode::max_blur;
  impasto::save_weights(weights, argv[3]);
}
