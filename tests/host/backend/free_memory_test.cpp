// SPDX-License-Identifier: MIT
#include "host/backend/free_memory.hpp"

#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>

#include "tests/temporary_folder.hpp"

namespace impasto::free_memory_test {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

/// A machine with 8 GiB to spare, whose control groups a test writes.
class FreeMemory : public ::testing::Test {
 protected:
  FreeMemory() {
    write("proc/meminfo", "MemTotal: 9000000 kB\nMemAvailable: 8388608 kB\nSwapFree: 0 kB\n");
  }
  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    write_all(path.string(), text);
  }
  [[nodiscard]] std::size_t free() const {
    return free_memory(folder_.path()).value_or(0) / mebibyte;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(FreeMemory, IsWhatTheSystemHasWhereThereIsNoLimit) {
  EXPECT_EQ(free(), 8192U);
  write("proc/self/cgroup", "0::/user.slice\n");
  write("sys/fs/cgroup/user.slice/memory.max", "max\n");
  write("sys/fs/cgroup/user.slice/memory.current", "1000\n");
  EXPECT_EQ(free(), 8192U);
}

TEST_F(FreeMemory, IsWhatTheControlGroupHasLeft) {
  write("proc/self/cgroup", "0::/job/step\n");
  write("sys/fs/cgroup/job/step/memory.max", std::to_string(400 * mebibyte));
  write("sys/fs/cgroup/job/step/memory.current", std::to_string(150 * mebibyte));
  write("sys/fs/cgroup/job/step/memory.stat",
        "anon 1\ninactive_file " + std::to_string(50 * mebibyte) + "\nother 2\n");
  EXPECT_EQ(free(), 300U);
  // A group above may have less.
  write("sys/fs/cgroup/job/memory.max", std::to_string(200 * mebibyte));
  write("sys/fs/cgroup/job/memory.current", std::to_string(170 * mebibyte));
  EXPECT_EQ(free(), 30U);
}

TEST_F(FreeMemory, SeesTheLimitOfAContainerThatDoesNotSeeItsOwnGroup) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", std::to_string(100 * mebibyte));
  write("sys/fs/cgroup/memory.current", std::to_string(140 * mebibyte));
  EXPECT_EQ(free(), 0U);
}

TEST_F(FreeMemory, KnowsTheFirstVersionOfControlGroups) {
  write("proc/self/cgroup", "12:cpu,cpuacct:/a\n7:memory:/docker/abc\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", std::to_string(500 * mebibyte));
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", std::to_string(100 * mebibyte));
  EXPECT_EQ(free(), 400U);
}

TEST(FreeMemoryOfThisMachine, CountsALimitOfTheAddressSpace) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer reserves more of the address space than a limit would leave";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  const std::size_t most = std::size_t{1} << 40U;
  const rlimit limit{most, before.rlim_max};
  if (before.rlim_max < most || ::setrlimit(RLIMIT_AS, &limit) != 0) {
    GTEST_SKIP() << "the address space is limited already";
  }
  EXPECT_GT(free_memory().value_or(0), 0U);
  EXPECT_LT(free_memory().value_or(most), most);
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
}

}  // namespace
}  // namespace impasto::free_memory_test
