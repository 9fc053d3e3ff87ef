// SPDX-License-Identifier: MIT
#include "host/batch/tar.hpp"

#include <gtest/gtest.h>

#include "host/batch/archives.hpp"
#include "host/core/error.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::batch::tar_test {
namespace {

class TarTest : public testing::Test {
 protected:
  void write(const std::vector<std::pair<std::string, std::string>>& files) const {
    TarWriter tar(path_);
    for (const auto& [name, text] : files) tar.add(name, std::as_bytes(std::span(text)));
    tar.commit();
  }

  static std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  [[nodiscard]] std::vector<std::pair<std::string, std::string>> read() const {
    std::vector<std::pair<std::string, std::string>> files;
    TarReader tar(path_);
    while (const auto member = tar.next()) {
      files.emplace_back(member->name, text_of(tar.read(*member, 1 << 20)));
    }
    return files;
  }

  void expect_refused(const std::string& says) const {
    try {
      static_cast<void>(read());
      ADD_FAILURE() << "it was read, though: " << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(path_), std::string::npos) << error.what();
    }
  }

  /// Writes `archive` with one byte of its first header changed and the checksum put right.
  void write_changed(std::string archive, std::size_t at, char value) const {
    archive[at] = value;
    constexpr std::size_t checksum = 148;
    archive.replace(checksum, 8, 8, ' ');
    unsigned int sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(archive[i]);
    archive.replace(checksum, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    write_all(path_, archive);
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("a.tar");
};

TEST_F(TarTest, GivesBackWhatWasWritten) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"a.jpg", "x"},
      {"empty", ""},
      {"deep/er/" + std::string(95, 'n') + ".png", std::string(1500, 'y')},
      {std::string(100, 'm'), std::string(512, 'z')},
      {std::string(1000, 'l'), "long"}};
  write(files);
  EXPECT_EQ(read(), files);
  EXPECT_EQ(read_all(path_).size() % 512, 0U);
}

TEST_F(TarTest, RefusesWhatIsNoPlainFileInItsFolder) {
  constexpr std::size_t type = 156;
  write({{"a.jpg", "x"}});
  const std::string whole = read_all(path_);
  for (const char other : {'1', '2', '3', '4', '6', 'S'}) {
    write_changed(whole, type, other);
    expect_refused("no plain file");
  }
  for (const char* name : {"../a.jpg", "b/../../a.jpg", "/etc/passwd", "b/"}) {
    write({{name, "x"}});
    expect_refused("it names a file");
  }
}

TEST_F(TarTest, RefusesDamage) {
  write({{"a.jpg", std::string(700, 'x')}, {std::string(200, 'b'), "y"}});
  const std::string whole = read_all(path_);
  for (std::size_t length = 0; length < whole.size() - 1024; length += 100) {
    write_all(path_, whole.substr(0, length));
    expect_refused(length == 0    ? "no tar archive but nothing: the file is empty"
                   : length < 512 ? "no tar archive"
                                  : "ends early");
  }
  std::string changed = whole;
  changed[3] = 'Z';
  write_all(path_, changed);
  expect_refused("no tar archive");
  write_all(path_, "\x1F\x8B\x08");
  expect_refused("no tar archive but compressed by gzip; unpack it first");
  constexpr std::size_t size = 124;
  write_changed(whole, size, '7');
  expect_refused("ends early");
  write_changed(whole, size, 'x');
  expect_refused("no sense");
  // In an extended header: a length that leads beyond it.
  changed = whole;
  const std::size_t line = changed.find("path=") - 4;
  changed[line] = '9';
  write_all(path_, changed);
  expect_refused("damaged");
}

TEST_F(TarTest, ReadsNoMoreThanIsAllowed) {
  write({{"a.jpg", std::string(700, 'x')}});
  TarReader tar(path_);
  const TarMember member = tar.next().value();
  EXPECT_THROW(static_cast<void>(tar.read(member, 699)), Error);
  EXPECT_EQ(tar.read(member, 700).size(), 700U);
}

TEST_F(TarTest, FindsFilesInAnyOrder) {
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 600; ++i)
    files.emplace_back(fmt::format("{}.jpg", i), fmt::format("of {}", i));
  write(files);
  TarReader tar(path_);
  for (const int i : {0, 2, 1, 599, 3, 598, 597, 0, 300, 300, 599}) {
    EXPECT_EQ(text_of(tar.read(tar.find(fmt::format("{}.jpg", i)), 100)), fmt::format("of {}", i));
  }
  EXPECT_THROW(tar.find("600.jpg"), Error);
  EXPECT_EQ(tar.find("7.jpg").name, "7.jpg");
}

TEST_F(TarTest, CopiesFilesOfAnotherArchive) {
  const std::string large(3'000'000, 'z');
  write({{"a.jpg", "x"}, {"large", large}});
  const TarReader from(path_);
  const std::string to = folder_.file("b.tar");
  TarWriter writer(to);
  writer.add("renamed", from, TarReader(path_).find("large"));
  writer.commit();
  TarReader copy(to);
  EXPECT_EQ(text_of(copy.read(copy.find("renamed"), 1 << 22)), large);
}

class SamplesTest : public TarTest {
 protected:
  /// "KEY: companions" of each sample.
  [[nodiscard]] std::vector<std::string> samples() const {
    std::vector<std::string> found;
    Samples samples(path_);
    while (const auto sample = samples.next()) {
      std::string line = sample->key + ":";
      for (const TarMember& member : sample->companions) line += " " + member.name;
      found.push_back(line);
    }
    return found;
  }
};

TEST_F(SamplesTest, AreFilesOfOneKeyThatFollowEachOther) {
  write({{"a.jpg", "1"},
         {"._a.json", "hidden"},
         {"a.json", "2"},
         {"a.seg.txt", "3"},
         {"d.e/b.cls", "4"},
         {"d.e/b.PNG", "5"},
         {"d.e/c", "6"},
         {"._a.jpg", "7"},
         {".hidden/a.cls", "8"},
         {"a.cls", "9"}});
  EXPECT_EQ(samples(), (std::vector<std::string>{"a: a.json a.seg.txt", "d.e/b: d.e/b.cls",
                                                 "d.e/c: d.e/c", "a: a.cls"}));
  std::vector<std::string> pictures;
  Samples all(path_, [&](const TarMember& picture) { pictures.push_back(picture.name); });
  while (all.next()) {
  }
  EXPECT_EQ(pictures, (std::vector<std::string>{"a.jpg", "d.e/b.PNG"}));
  EXPECT_EQ(all.find("d.e/b").companions.size(), 1U);
  EXPECT_EQ(all.find("a").companions.front().name, "a.cls");
  EXPECT_THROW(static_cast<void>(all.find("z")), Error);
}

TEST_F(SamplesTest, WithTwoFilesOfOneNameAreRefused) {
  write({{"a.json", "1"}, {"a.cls", "2"}, {"a.jpg", "3"}, {"a.json", "4"}});
  EXPECT_THROW(static_cast<void>(samples()), Error);
}

TEST(Archive, IsWhereAPictureComesFromAndItsResultGoes) {
  const auto picture = in_archive("/d/a.tar//e/x.jpg");
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->archive, "/d/a.tar");
  EXPECT_EQ(picture->member, "e/x.jpg");
  EXPECT_EQ(name_of(*picture), "/d/a.tar//e/x.jpg");
  EXPECT_FALSE(in_archive("/d/a.tar/x.jpg"));
  const auto archive = [](const char* output, const char* content) {
    return archive_of({.output = output, .content = content, .styles = {}});
  };
  EXPECT_EQ(archive("a.tar.parts/e/x_red.jpg", "/d/a.tar//e/x.jpg"), "a.tar");
  EXPECT_EQ(archive("e/x_red.jpg", "/d/a.tar//e/x.jpg"), "");
  EXPECT_EQ(archive("a.tar.parts/x_red.jpg", "/d/x.jpg"), "");
}

}  // namespace
}  // namespace impasto::batch::tar_test
