// SPDX-License-Identifier: MIT
#include <cstdio>

#include "host/backend/registry.hpp"
#include "host/samples/samples.hpp"

int main() {
  const impasto::Image scene = impasto::draw_scene(12, 16);
  for (const impasto::BackendEntry& entry : impasto::list_backends()) {
    std::printf("%s: %s\n", entry.name.c_str(), entry.description.c_str());
  }
  return scene.rgb.size() == 3 * 12 * 16 ? 0 : 1;
}
