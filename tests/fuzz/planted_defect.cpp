// SPDX-License-Identifier: MIT
// A reader with a defect that no random change finds, to see that the driver would find it.
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/fuzz.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() { return {"a file of some kind, with a number in it"}; }

void read_input(const std::string& path) {
  const std::string input = read_all(path);
  std::uint32_t number = 0;
  if (input.size() < 20) return;
  std::memcpy(&number, input.data() + 12, sizeof(number));
  if (number != 0x1BADB002) return;
  if (input[3] == '<' && input[4] == '>') std::abort();
}

}  // namespace impasto::fuzz
