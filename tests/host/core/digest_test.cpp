// SPDX-License-Identifier: MIT
#include "host/core/digest.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "host/core/error.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::digest_test {
namespace {

using ::testing::HasSubstr;

std::string sha256_of(std::string_view text) {
  return sha256(std::as_bytes(std::span(text.data(), text.size())));
}

std::string reason_to_refuse(const std::string& path) {
  try {
    sha256_file(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

// The first four are NIST's examples for SHA-256 (FIPS 180-2, appendix B, and CAVP's empty
// message).
TEST(Sha256, AgreesWithThePublishedVectors) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfAFileLongerThanOneBlockIsThatOfItsBytes) {
  const TemporaryFolder folder;
  const std::string content(3'000'001, 'x');
  write_all(folder.file("long"), content);
  EXPECT_EQ(sha256_file(folder.file("long")), sha256_of(content));
  write_all(folder.file("empty"), "");
  EXPECT_EQ(sha256_file(folder.file("empty")), sha256_of(""));
}

TEST(Sha256, OfWhatIsNotAReadableFileSaysWhy) {
  const TemporaryFolder folder;
  EXPECT_THAT(reason_to_refuse(folder.file("absent")), HasSubstr("No such file"));
  EXPECT_THAT(reason_to_refuse(folder.path().string()), HasSubstr("Is a directory"));
  ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
  EXPECT_THAT(reason_to_refuse(folder.file("pipe")), HasSubstr("not a regular file"));
}

TEST(Digest, InPiecesEqualsTheDigestOfTheWhole) {
  Digest digest(DigestKind::md5);
  const std::string_view text = "message digest";
  for (const char letter : text) digest.update(std::as_bytes(std::span(&letter, 1)));
  EXPECT_EQ(digest.finish(), "f96b697d7cb7938d525a2f31aaf161d0");  // RFC 1321, appendix A.5
}

}  // namespace
}  // namespace impasto::digest_test
