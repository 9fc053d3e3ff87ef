// SPDX-License-Identifier: MIT
// Archives of pictures.
#include "host/batch/tar.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  const TemporaryFolder folder;
  const std::string path = folder.file("seed.tar");
  std::vector<std::string> seeds;
  for (const std::size_t length : {std::size_t{3}, std::size_t{120}}) {
    const std::string text(600, 'x');
    batch::TarWriter tar(path);
    tar.add(std::string(length, 'n'), std::as_bytes(std::span(text)));
    tar.add("deep/er.json", {});
    tar.commit();
    seeds.push_back(read_all(path));
  }
  return seeds;
}

void read_input(const std::string& path) {
  constexpr std::int64_t most = 1 << 20;
  batch::TarReader tar(path);
  while (const auto member = tar.next()) static_cast<void>(tar.read(*member, most));
  static_cast<void>(tar.find("deep/er.json"));
}

}  // namespace impasto::fuzz
