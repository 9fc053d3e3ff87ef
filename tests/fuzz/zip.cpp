// SPDX-License-Identifier: MIT
// Zip archives, plain and deflated, with sizes of 32 and of 64 bits.
#include <array>

#include "tests/fuzz/fuzz.hpp"
#include "tests/weights/archive_bytes.hpp"
#include "weights/weights_file.hpp"
#include "weights/zip_file.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  const std::array<zip::Entry, 3> entries = {
      {{"a/data.pkl", "some bytes"}, {"a/data/0", std::string(3000, 'x'), true}, {"empty", ""}}};
  return {zip::archive(entries), zip::archive(entries, zip::Form::zip64)};
}

void read_input(const std::string& path) {
  const ZipFile archive(SourceFile(path, max_weights_bytes));
  for (const ZipFile::Entry& entry : archive.entries()) {
    const SourceFile file = archive.open(entry, std::uint64_t{1} << 20U);
    static_cast<void>(file.head(file.bytes()));
  }
}

}  // namespace impasto::fuzz
