// SPDX-License-Identifier: MIT
#include "host/core/digest.hpp"

#include <array>
#include <cerrno>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "host/core/error.hpp"
#include "host/core/file_descriptor.hpp"
#include "host/core/paths.hpp"

namespace impasto {

Digest::Digest(DigestKind kind) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* algorithm = kind == DigestKind::md5 ? EVP_md5() : EVP_sha256();
  require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1,
          "OpenSSL cannot start a digest");
}

void Digest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

void Digest::update(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1,
          "OpenSSL cannot continue a digest");
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(context_.get(), raw.data(), &size) == 1,
          "OpenSSL cannot finish a digest");
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", raw.at(i));
  return text;
}

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

void for_each_block(const std::string& path,
                    const std::function<void(std::span<const std::byte>)>& use) {
  const FileDescriptor file = open_to_read(path);
  if (!file) fail_to_read(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_to_read(path, errno);
  if (S_ISDIR(status.st_mode)) fail_to_read(path, EISDIR);
  if (!S_ISREG(status.st_mode))
    fail(ErrorKind::input, "cannot read '{}': not a regular file", path);

  std::vector<std::byte> block(std::size_t{1} << 20U);
  for (;;) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_read(path, errno);
    if (count == 0) return;
    use(std::span(block).first(static_cast<std::size_t>(count)));
  }
}

}  // namespace impasto
