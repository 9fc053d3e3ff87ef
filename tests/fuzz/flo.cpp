// SPDX-License-Identifier: MIT
// Files of optical flow, and what is done with them.
#include <cstdint>

#include "host/film/flo_file.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const auto& [width, height] : {std::pair<std::int32_t, std::int32_t>{1, 1}, {5, 3}}) {
    std::string bytes = "PIEH";
    const auto add = [&bytes](const auto& number) {
      bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
    };
    add(width);
    add(height);
    for (int i = 0; i < 2 * width * height; ++i) add(static_cast<float>(i) - 7.5F);
    seeds.push_back(bytes);
  }
  return seeds;
}

void read_input(const std::string& path) {
  const film::Flow flow = film::load_flow(path);
  const film::Flow small = film::resized(flow, 4, 6);
  static_cast<void>(film::reliable(small, film::seen_before(small, small)));
  const Image picture{4, 6, std::vector<float>(72, 1), {}};
  static_cast<void>(film::warped(picture, small));
}

}  // namespace impasto::fuzz
