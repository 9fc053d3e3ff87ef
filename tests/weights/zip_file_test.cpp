// SPDX-License-Identifier: MIT
#include "weights/zip_file.hpp"

#include <array>
#include <gmock/gmock.h>

#include "tests/temporary_folder.hpp"
#include "tests/weights/archive_bytes.hpp"
#include "tests/weights/fixtures.hpp"

namespace impasto::zip_file_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t many = std::uint64_t{1} << 30U;

class Zip : public ::testing::Test {
 protected:
  ZipFile open(const std::string& bytes) {
    write_all(path_, bytes);
    return ZipFile({path_, many});
  }

  std::string content(const ZipFile& archive, std::string_view name) {
    const SourceFile file = archive.open(*archive.find(name), many);
    EXPECT_EQ(file.name(), path_ + "/" + std::string(name));
    return file.head(file.bytes());
  }

  /// What is said when an archive is opened and all of it unpacked.
  std::string refusal(const std::string& bytes, std::uint64_t most = many) {
    return message_of(ErrorKind::weights, [&] {
      const ZipFile archive = open(bytes);
      for (const ZipFile::Entry& entry : archive.entries())
        static_cast<void>(archive.open(entry, most));
    });
  }

  /// A good archive after `damage`.
  template <class Damage>
  std::string refusal_of_damaged(Damage damage) {
    std::string bytes = zip::archive(entries_);
    damage(bytes);
    return refusal(bytes);
  }

  /// Where the directory's record of the first entry begins.
  static std::size_t directory_of(const std::string& bytes) { return bytes.find("PK\x01\x02"); }

  const std::vector<zip::Entry> entries_ = {
      {"a/stored", "some bytes"}, {"a/deflated", std::string(300'000, 'x'), true}, {"empty", ""}};
  TemporaryFolder folder_;
  std::string path_ = folder_.file("a.zip");
};

TEST_F(Zip, GivesWhatWasPackedInBothForms) {
  for (const zip::Form form : {zip::Form::plain, zip::Form::zip64}) {
    const ZipFile archive = open(zip::archive(entries_, form));
    ASSERT_EQ(archive.entries().size(), 3U);
    for (const zip::Entry& entry : entries_) EXPECT_EQ(content(archive, entry.name), entry.content);
    EXPECT_EQ(archive.find("another"), nullptr);
    EXPECT_THAT(folder_.list(), ElementsAre("a.zip"));
  }
}

TEST_F(Zip, MayHaveACommentAtItsEnd) {
  std::string bytes = zip::archive(entries_);
  bytes[bytes.size() - 2] = 5;
  EXPECT_EQ(content(open(bytes + "PK\x05\x06!"), "a/stored"), "some bytes");
}

TEST_F(Zip, CutShortIsRefused) {
  const std::string bytes = zip::archive(entries_);
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{21}, bytes.size() / 2, bytes.size() - 1}) {
    EXPECT_THAT(refusal(bytes.substr(0, size)), HasSubstr("it has no end record")) << size;
  }
}

TEST_F(Zip, ThatUnpacksToMoreOrLessThanItSaysIsRefused) {
  const auto with_size = [&](char byte) {
    return refusal_of_damaged([&](std::string& bytes) {
      const std::size_t second = bytes.find("PK\x01\x02", directory_of(bytes) + 4);
      bytes[second + 25] = byte;
    });
  };
  EXPECT_THAT(with_size('\x01'), HasSubstr("compressed data unfold to more than"));
  EXPECT_THAT(with_size('\xFF'), HasSubstr("it unpacks to 300000 bytes"));
}

TEST_F(Zip, WithAnotherChecksumIsRefused) {
  EXPECT_THAT(refusal_of_damaged([](std::string& bytes) {
                bytes[bytes.find("PK\x01\x02", directory_of(bytes) + 4) + 16] ^= 1;
              }),
              HasSubstr("with checksum"));
}

TEST_F(Zip, OfMoreThanIsAskedForIsRefusedBeforeItIsUnpacked) {
  EXPECT_THAT(refusal(zip::archive(entries_), 1000),
              HasSubstr("a/deflated has 300000 bytes; expected at most 1000"));
}

TEST_F(Zip, ThatUnpacksToAThousandTimesItsSizeIsRefused) {
  const std::vector<zip::Entry> bomb = {{"bomb.pth", std::string(10'000'000, '\0'), true}};
  EXPECT_THAT(refusal(zip::archive(bomb)), HasSubstr("expected at most 100 times as many"));
}

// A bomb whose entries are all the same bytes.
TEST_F(Zip, WhoseEntriesOverlapIsRefused) {
  EXPECT_THAT(refusal_of_damaged([](std::string& bytes) {
                const std::size_t first = directory_of(bytes);
                const std::size_t second = bytes.find("PK\x01\x02", first + 4);
                bytes.replace(second + 42, 4, bytes.substr(first + 42, 4));
              }),
              HasSubstr("overlaps what follows it"));
}

TEST_F(Zip, WhoseEntryLiesBehindTheDirectoryIsRefused) {
  EXPECT_THAT(
      refusal_of_damaged([](std::string& bytes) { bytes[directory_of(bytes) + 45] = '\x10'; }),
      HasSubstr("overlaps what follows it"));
}

TEST_F(Zip, WhoseLocalHeaderIsElsewhereIsRefused) {
  EXPECT_THAT(refusal_of_damaged([](std::string& bytes) { bytes[0] = 'Q'; }),
              HasSubstr("a/stored is not where the archive's directory says"));
}

TEST_F(Zip, EncryptedOrOfAnotherMethodIsRefused) {
  EXPECT_THAT(refusal_of_damaged([](std::string& bytes) { bytes[directory_of(bytes) + 8] = 9; }),
              HasSubstr("a/stored is encrypted"));
  EXPECT_THAT(refusal_of_damaged([](std::string& bytes) { bytes[directory_of(bytes) + 10] = 14; }),
              HasSubstr("a/stored is compressed by method 14; expected none or deflate"));
}

TEST_F(Zip, ThatClaimsMillionsOfEntriesIsRefused) {
  std::string bytes = zip::archive(entries_, zip::Form::zip64);
  const std::size_t record = bytes.find("PK\x06\x06");
  bytes[record + 34] = '\x7F';
  EXPECT_THAT(refusal(bytes), HasSubstr("expected at most 20000"));
}

TEST_F(Zip, WithTwoEntriesOfOneNameIsRefused) {
  const std::vector<zip::Entry> twice = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_THAT(refusal(zip::archive(twice)), HasSubstr("a is there twice"));
}

TEST_F(Zip, OfSeveralPartsIsRefused) {
  std::string bytes = zip::archive(entries_);
  bytes[bytes.size() - 22 + 4] = 1;
  EXPECT_THAT(refusal(bytes), HasSubstr("one of several parts"));
}

TEST_F(Zip, WithOneByteChangedEitherOpensOrIsRefused) {
  const std::vector<zip::Entry> small = {{"a/stored", "some bytes"}, {"b", "xxxxxxxxxx", true}};
  for (const zip::Form form : {zip::Form::plain, zip::Form::zip64}) {
    const std::string good = zip::archive(small, form);
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char change : {'\x01', '\x80', '\xFF'}) {
        std::string bytes = good;
        bytes[i] = static_cast<char>(bytes[i] ^ change);
        EXPECT_THAT(refusal(bytes), ::testing::AnyOf("no error", HasSubstr(path_))) << i;
      }
    }
  }
}

}  // namespace
}  // namespace impasto::zip_file_test
