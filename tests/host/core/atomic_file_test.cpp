// SPDX-License-Identifier: MIT
#include "host/core/atomic_file.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/core/error.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::atomic_file_test {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

void write_text(AtomicFile& file, std::string_view text) {
  file.write(std::as_bytes(std::span(text.data(), text.size())));
}

std::string output_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    return error.what();
  }
  return "no error";
}

TEST(AtomicFile, AppearsCompleteWhenCommitted) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out.bin");
  {
    AtomicFile file(path);
    write_text(file, "one ");
    write_text(file, "two");
    EXPECT_FALSE(std::filesystem::exists(path));
    file.commit();
  }
  EXPECT_EQ(read_all(path), "one two");
  EXPECT_THAT(folder.list(), ElementsAre("out.bin"));
}

TEST(AtomicFile, LeavesNothingBehindWithoutCommit) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder.file("out.bin"));
    write_text(file, "half");
    EXPECT_EQ(read_all(file.temporary_path()), "half");
    EXPECT_EQ(folder.list().size(), 1U);
  }
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(AtomicFile, KeepsTheExistingFileUntilCommit) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out.bin");
  write_all(path, "old");
  {
    AtomicFile file(path);
    write_text(file, "new");
  }
  EXPECT_EQ(read_all(path), "old");
  AtomicFile file(path);
  write_text(file, "new");
  file.commit();
  EXPECT_EQ(read_all(path), "new");
}

TEST(AtomicFile, LeavesNothingBehindWhenTheProgramIsKilled) {
  const TemporaryFolder folder;
  const pid_t writer = ::fork();
  if (writer == 0) {
    AtomicFile file(folder.file("out.bin"));
    write_text(file, "half");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(writer, &status, 0), writer);
  ASSERT_TRUE(WIFSIGNALED(status));
  const std::string probe = folder.path().string();
  if (::open(probe.c_str(), O_TMPFILE | O_WRONLY, 0600) < 0) {
    GTEST_SKIP() << "this file system has no files without a name";
  }
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(AtomicFile, ServesALibraryThatWritesByNameAndKeepsTheExtension) {
  const TemporaryFolder folder;
  AtomicFile file(folder.file("picture.png"));
  EXPECT_THAT(file.temporary_path(), EndsWith(".png"));
  std::ofstream(file.temporary_path(), std::ios::trunc) << "by name";
  file.commit();
  EXPECT_EQ(read_all(folder.file("picture.png")), "by name");
}

TEST(AtomicFile, KeepsThePermissionsOfTheFileItReplaces) {
  const TemporaryFolder folder;
  const std::string path = folder.file("private");
  write_all(path, "old");
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  AtomicFile file(path);
  file.commit();
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(AtomicFile, WritesThroughASymbolicLink) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "there");
  write_all(folder.file("there/target"), "old");
  std::filesystem::create_symlink("there/target", folder.path() / "link");
  AtomicFile file(folder.file("link"));
  write_text(file, "new");
  file.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "link"));
  EXPECT_EQ(read_all(folder.file("there/target")), "new");
}

TEST(AtomicFile, ReplacesASymbolicLinkWhereAskedTo) {
  const TemporaryFolder folder;
  write_all(folder.file("target"), "old");
  std::filesystem::create_symlink("target", folder.path() / "link");
  AtomicFile file(folder.file("link"), AtomicFile::Link::replace);
  write_text(file, "new");
  file.commit();
  EXPECT_FALSE(std::filesystem::is_symlink(folder.path() / "link"));
  EXPECT_EQ(read_all(folder.file("link")), "new");
  EXPECT_EQ(read_all(folder.file("target")), "old");
}

TEST(AtomicFile, TakesANameAsLongAsNamesCanBe) {
  const TemporaryFolder folder;
  const std::string path = folder.file(std::string(251, 'n').append(".bin"));
  AtomicFile file(path);
  file.commit();
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(AtomicFile, RefusesADirectoryAsTarget) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  EXPECT_THAT(output_error([&] { AtomicFile file(path); }), HasSubstr("Is a directory"));
  EXPECT_THAT(output_error([&] { AtomicFile file(path + "/"); }), HasSubstr("Is a directory"));
  EXPECT_THAT(output_error([&] { AtomicFile file(""); }), HasSubstr("No such file"));
}

TEST(AtomicFile, RefusesToReplaceAPipe) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
  EXPECT_THAT(output_error([&] { AtomicFile file(folder.file("pipe")); }),
              HasSubstr("not a regular file"));
}

TEST(AtomicFile, NamesTheTargetAndTheReasonWhenTheFolderIsMissing) {
  const TemporaryFolder folder;
  const std::string path = folder.file("missing/out.bin");
  const std::string message = output_error([&] { AtomicFile file(path); });
  EXPECT_THAT(message, HasSubstr(path));
  EXPECT_THAT(message, HasSubstr("No such file or directory"));
}

TEST(AtomicFile, NamesTheReasonWhenTheFolderCannotBeWrittenTo) {
  const TemporaryFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0500), 0);
  const bool root = ::geteuid() == 0;  // who may write anywhere
  ASSERT_EQ(::seteuid(root ? 65534 : ::geteuid()), 0);
  EXPECT_THAT(output_error([&] { AtomicFile file(folder.file("out")); }),
              HasSubstr("Permission denied"));
  ASSERT_EQ(::seteuid(root ? 0 : ::geteuid()), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0700), 0);
}

TEST(AtomicFile, MakesTheTargetOfALinkThatDangles) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("target", folder.path() / "link");
  AtomicFile file(folder.file("link"));
  file.commit();
  EXPECT_THAT(folder.list(), UnorderedElementsAre("link", "target"));
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  EXPECT_THAT(output_error([&] { AtomicFile again(folder.file("loop")); }), HasSubstr("loop"));
}

TEST(AtomicFile, KeepsACompleteFileThatCannotTakeItsName) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out.bin");
  AtomicFile file(path);
  write_text(file, "whole");
  std::filesystem::create_directory(path);
  const std::string message = output_error([&] { file.commit(); });
  EXPECT_THAT(message, HasSubstr(file.temporary_path()));
  EXPECT_EQ(read_all(file.temporary_path()), "whole");
}

TEST(CheckWritable, FindsWhatACommitWouldAndLeavesNothing) {
  const TemporaryFolder folder;
  EXPECT_NO_THROW(check_writable(folder.file("new.bin")));
  const std::string longest = folder.file(std::string(255, 'n'));
  EXPECT_NO_THROW(check_writable(longest));
  EXPECT_THAT(output_error([&] { check_writable(longest + "n"); }), HasSubstr("too long"));
  EXPECT_THAT(output_error([&] { check_writable(folder.file("no/out.bin")); }),
              HasSubstr("there is no folder"));
  EXPECT_THAT(output_error([] { check_writable("/proc/out.bin"); }), HasSubstr("/proc/out.bin"));
  EXPECT_THAT(folder.list(), IsEmpty());
  write_all(folder.file("protected"), "old");
  ASSERT_EQ(::chmod(folder.file("protected").c_str(), 0444), 0);
  EXPECT_THAT(output_error([&] { check_writable(folder.file("protected")); }),
              HasSubstr("write-protected"));
  EXPECT_EQ(read_all(folder.file("protected")), "old");
}

TEST(CheckWritable, FindsAFileThatIsAMountPoint) {
  const TemporaryFolder folder;
  write_all(folder.file("from"), "");
  write_all(folder.file("onto"), "");
  if (::mount(folder.file("from").c_str(), folder.file("onto").c_str(), "", MS_BIND, "") != 0) {
    GTEST_SKIP() << "a file could not be mounted: " << std::strerror(errno);
  }
  EXPECT_THAT(output_error([&] { check_writable(folder.file("onto")); }), HasSubstr("busy"));
  EXPECT_EQ(::umount(folder.file("onto").c_str()), 0);
}

TEST(AtomicFile, OnAFullDiskSaysSoAndLeavesNothingBehind) {
  const TemporaryFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "a small file system could not be mounted: " << std::strerror(errno);
  }
  const std::string content(std::size_t{2} << 20U, 'x');
  EXPECT_THAT(output_error([&] {
                AtomicFile file(folder.file("out"));
                write_text(file, content);
              }),
              HasSubstr("No space left on device"));
  EXPECT_THAT(folder.list(), IsEmpty());
  EXPECT_EQ(::umount(folder.path().c_str()), 0);
}

}  // namespace
}  // namespace impasto::atomic_file_test
