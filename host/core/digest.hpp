// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace impasto {

/// MD5 identifies published files whose SHA-256 nobody published; it protects nothing.
enum class DigestKind : std::uint8_t { sha256, md5 };

/// A digest computed in pieces.
class Digest {
 public:
  explicit Digest(DigestKind kind);
  void update(std::span<const std::byte> bytes);
  /// Lower-case hexadecimal. Call it once, last.
  std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);
/// SHA-256 of a file, which is read in pieces. Throws as for_each_block does.
std::string sha256_file(const std::string& path);

/// Calls `use` with one block of the file after the other. Throws ErrorKind::input with the
/// system's reason. Refuses everything but regular files: a pipe or a device may never end.
void for_each_block(const std::string& path,
                    const std::function<void(std::span<const std::byte>)>& use);

}  // namespace impasto
