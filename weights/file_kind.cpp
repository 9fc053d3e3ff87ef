// SPDX-License-Identifier: MIT
#include "weights/file_kind.hpp"

#include <string_view>

#include "host/core/file_content.hpp"

namespace impasto {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n"sv;
constexpr std::size_t matlab_user_block = 512;  // MATLAB 7.3 puts the HDF5 file behind it

/// A length in 8 bytes, little-endian and below 2^40, then JSON.
bool is_safetensors(std::string_view head) {
  return head.size() > 8 && head.substr(5, 3) == "\0\0\0"sv && head[8] == '{';
}

FileKind kind_of(std::string_view head) {
  if (head.starts_with(hdf5_signature)) return FileKind::hdf5;
  if (head.size() > matlab_user_block &&
      head.substr(matlab_user_block).starts_with(hdf5_signature)) {
    return FileKind::matlab73;
  }
  // Level 5: 124 bytes of text and offsets, then a version and "MI" or "IM" for the byte order.
  if (head.size() >= 128 && (head.substr(126, 2) == "IM" || head.substr(126, 2) == "MI")) {
    const char major = head[126] == 'I' ? head[125] : head[124];
    return major == 2 ? FileKind::matlab73 : FileKind::matlab5;
  }
  if (head.starts_with("PK\x03\x04"sv) || head.starts_with("PK\x05\x06"sv)) return FileKind::zip;
  if (head.size() > 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5) return FileKind::pickle;
  if (is_safetensors(head)) return FileKind::safetensors;
  return FileKind::other;
}

}  // namespace

IdentifiedFile identify(const SourceFile& file) {
  const std::string head = file.head(described_bytes);
  return {kind_of(head), describe_content(head)};
}

}  // namespace impasto
