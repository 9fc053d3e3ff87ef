// SPDX-License-Identifier: MIT
#include "host/core/sha256.hpp"

#include "host/core/digest.hpp"

namespace impasto {

std::string sha256(std::span<const std::byte> bytes) {
  Digest digest(DigestKind::sha256);
  digest.update(bytes);
  return digest.finish();
}

std::string sha256_file(const std::string& path) {
  Digest digest(DigestKind::sha256);
  for_each_block(path, [&](std::span<const std::byte> block) { digest.update(block); });
  return digest.finish();
}

}  // namespace impasto
