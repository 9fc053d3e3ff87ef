// SPDX-License-Identifier: MIT
#include "host/backend/tuning/plan_cache.hpp"

#include <array>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/core/error.hpp"
#include "host/core/file_descriptor.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::plan_cache_test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

const Machine machine = {{"device", "NVIDIA H100 80GB HBM3"}, {"cuDNN", "9.19.0"}};
const std::string problem = "bf16 forward 1×512×512, 64 to 64, ReLU";

CachedAlgo some_algo(std::int64_t engine = 5) {
  const AlgoId fast{"cuDNN", {{"engine", engine}, {"knob 3", 1}}};
  return {fast, 4096, {{fast, 24.25}, {{"own kernel", {}}, 31.5}}};
}

TEST(PlanCache, GivesBackWhatWasStored) {
  const TemporaryFolder folder;
  PlanCache cache(folder.path(), machine);
  EXPECT_FALSE(cache.find(problem).has_value());
  cache.store(problem, some_algo());
  EXPECT_EQ(cache.find(problem), some_algo());
  EXPECT_EQ(PlanCache(folder.path(), machine).find(problem), some_algo());
  EXPECT_FALSE(cache.find("another problem").has_value());
}

TEST(PlanCache, KeepsEverythingAboutAChoice) {
  const TemporaryFolder folder;
  CachedAlgo algo = some_algo();
  algo.differing = {{"cuDNN", {{"engine", 7}}}};
  algo.complete = false;
  algo.taken_from = "bf16 forward 1×480×512, 64 to 64, ReLU";
  algo.alike = "bf16 forward 1×0×0, 64 to 64, ReLU";
  algo.pixels = 262144;
  PlanCache(folder.path(), machine).store(problem, algo);
  EXPECT_EQ(PlanCache(folder.path(), machine).find(problem), algo);
}

TEST(PlanCache, FindsWhatWasTimedForTheNearestSize) {
  PlanCache cache("", machine);
  const auto store = [&](const std::string& name, std::int64_t pixels, std::string from) {
    CachedAlgo algo = some_algo(pixels);
    algo.alike = "alike";
    algo.pixels = pixels;
    algo.taken_from = std::move(from);
    cache.store(name, algo);
  };
  store("half", 500, "");
  store("more", 1100, "");
  store("copied", 1000, "more");
  const auto near = cache.find_near({"new", "alike", 1001});
  ASSERT_TRUE(near.has_value());
  EXPECT_EQ(near->first, "more") << "what is itself from elsewhere does not count";
  EXPECT_EQ(cache.find_near({"new", "alike", 600})->first, "half");
  EXPECT_FALSE(cache.find_near({"new", "alike", 2300}).has_value());
  EXPECT_FALSE(cache.find_near({"new", "another", 1000}).has_value());
  EXPECT_FALSE(cache.find_near({"new", "", 1000}).has_value());
  EXPECT_FALSE(cache.find_near({"new", "alike", 0}).has_value());
}

TEST(PlanCache, HasOneFileForEachMachine) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store(problem, some_algo());
  Machine newer = machine;
  newer["cuDNN"] = "9.20.0";
  EXPECT_FALSE(PlanCache(folder.path(), newer).find(problem).has_value());
  PlanCache(folder.path(), newer).store(problem, some_algo());
  EXPECT_THAT(folder.list(), SizeIs(2));
  EXPECT_THAT(PlanCache(folder.path(), machine).path(),
              EndsWith("/plans-9.19.0-NVIDIA-H100-80GB-HBM3.json"));
}

TEST(PlanCache, MakesItsFolder) {
  const TemporaryFolder folder;
  PlanCache(folder.file("a/b"), machine).store(problem, some_algo());
  EXPECT_EQ(PlanCache(folder.file("a/b"), machine).find(problem), some_algo());
}

TEST(PlanCache, LastsAsLongAsTheObjectWithoutAFolder) {
  PlanCache cache("", machine);
  cache.store(problem, some_algo());
  EXPECT_EQ(cache.find(problem), some_algo());
  EXPECT_EQ(cache.path(), "");
}

TEST(PlanCache, KeepsWhatAnotherWroteMeanwhile) {
  const TemporaryFolder folder;
  PlanCache one(folder.path(), machine);
  PlanCache other(folder.path(), machine);
  one.store("first", some_algo(1));
  other.store("second", some_algo(2));
  one.store("third", some_algo(3));
  const PlanCache all(folder.path(), machine);
  EXPECT_EQ(all.find("first"), some_algo(1));
  EXPECT_EQ(all.find("second"), some_algo(2));
  EXPECT_EQ(all.find("third"), some_algo(3));
}

TEST(PlanCache, LosesNothingWhenProcessesWriteAtOnce) {
  const TemporaryFolder folder;
  constexpr int processes = 4;
  constexpr int each = 10;
  for (int process = 0; process < processes; ++process) {
    if (::fork() != 0) continue;
    PlanCache cache(folder.path(), machine);
    for (int i = 0; i < each; ++i) cache.store(fmt::format("{} {}", process, i), some_algo(i));
    ::_exit(0);
  }
  for (int process = 0; process < processes; ++process) {
    int status = -1;
    ::wait(&status);
    EXPECT_EQ(status, 0);
  }
  const PlanCache all(folder.path(), machine);
  for (int process = 0; process < processes; ++process) {
    for (int i = 0; i < each; ++i) {
      EXPECT_EQ(all.find(fmt::format("{} {}", process, i)), some_algo(i));
    }
  }
  EXPECT_THAT(folder.list(), SizeIs(1)) << "a temporary file was left";
}

TEST(PlanCache, ForgetsWhatItReadButNotForOthers) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("old", some_algo());
  PlanCache cache(folder.path(), machine);
  cache.forget();
  EXPECT_FALSE(cache.find("old").has_value());
  cache.store("new", some_algo());
  EXPECT_TRUE(PlanCache(folder.path(), machine).find("old").has_value());
}

/// A file of one good and one other entry.
std::string file_with(const std::string& entry) {
  return R"({"format":1,"machine":{"device":"NVIDIA H100 80GB HBM3","cuDNN":"9.19.0"},"plans":{
    "good":{"implementation":"cuDNN","parameters":{},"workspace_bytes":0,"timings":[]},
    "tested":)" +
         entry + "}}";
}

TEST(PlanCache, PassesOverAnEntryThatMakesNoSense) {
  const TemporaryFolder folder;
  const std::string path = PlanCache(folder.path(), machine).path();
  const std::string good =
      R"({"implementation":"x","parameters":{"engine":1},"workspace_bytes":0,"timings":[]})";
  write_all(path, file_with(good));
  EXPECT_TRUE(PlanCache(folder.path(), machine).find("tested").has_value());
  for (const char* entry :
       {"null", "[]", "{}", "7",
        R"({"implementation":7,"parameters":{},"workspace_bytes":0,"timings":[]})",
        R"({"implementation":"x","parameters":[],"workspace_bytes":0,"timings":[]})",
        R"({"implementation":"x","parameters":{"engine":"1"},"workspace_bytes":0,"timings":[]})",
        R"({"implementation":"x","parameters":{"engine":1e300},"workspace_bytes":0,"timings":[]})",
        R"({"implementation":"x","parameters":{},"workspace_bytes":0.5,"timings":[]})",
        R"({"implementation":"x","parameters":{},"workspace_bytes":0,"timings":[1]})",
        R"({"implementation":"x","parameters":{},"workspace_bytes":0})"}) {
    write_all(path, file_with(entry));
    const PlanCache cache(folder.path(), machine);
    EXPECT_FALSE(cache.find("tested").has_value()) << entry;
    EXPECT_TRUE(cache.find("good").has_value()) << entry;
  }
}

TEST(PlanCache, CountsAFileThatIsNotItsOwnAsEmptyAndReplacesIt) {
  const TemporaryFolder folder;
  const std::string path = PlanCache(folder.path(), machine).path();
  PlanCache(folder.path(), machine).store(problem, some_algo());
  const std::string whole = read_all(path);
  std::string other_format = whole;
  other_format.replace(other_format.find("\"format\": 1"), 11, "\"format\": 2");
  std::string other_machine = whole;
  other_machine.replace(other_machine.find("H100"), 4, "H200");
  const std::string deep(1000000, '[');
  for (const std::string& text :
       {std::string(), whole.substr(0, whole.size() / 2), other_format, other_machine, deep,
        std::string("\xff\xfe\0", 3), std::string("[]"), std::string(17U << 20U, ' '),
        std::string(R"({"format":1})"),
        std::string(R"({"format":1,"machine":{"device":"NVIDIA H100 80GB HBM3","cuDNN":"9.19.0"},)"
                    R"("plans":[]})")}) {
    write_all(path, text);
    PlanCache cache(folder.path(), machine);
    EXPECT_FALSE(cache.find(problem).has_value()) << text.substr(0, 80);
    cache.store(problem, some_algo());
    EXPECT_EQ(PlanCache(folder.path(), machine).find(problem), some_algo());
  }
}

TEST(PlanCache, SurvivesAnyDepth) {
  const TemporaryFolder folder;
  const std::string path = PlanCache(folder.path(), machine).path();
  constexpr int depth = 100'000;
  const std::string deep = std::string(depth, '[') + std::string(depth, ']');
  const std::string own =
      R"("format":1,"machine":{"device":"NVIDIA H100 80GB HBM3","cuDNN":"9.19.0"})";
  for (const std::string& text :
       {"{" + own + R"(,"plans":{"a":)" + deep + "}}", R"({"format":)" + deep + "}",
        "{" + own + R"(,"plans":)" + deep + "}", R"({"format":1,"machine":)" + deep + "}", deep}) {
    write_all(path, text);
    PlanCache cache(folder.path(), machine);
    EXPECT_FALSE(cache.find(problem).has_value());
    cache.store(problem, some_algo());
    EXPECT_EQ(PlanCache(folder.path(), machine).find(problem), some_algo());
  }
}

TEST(PlanCache, NeitherReadsNorWritesThroughALink) {
  const TemporaryFolder folder;
  const std::string path = PlanCache(folder.path(), machine).path();
  PlanCache(folder.path(), machine).store(problem, some_algo());
  std::filesystem::rename(path, folder.file("elsewhere"));
  const std::string before = read_all(folder.file("elsewhere"));
  std::filesystem::create_symlink("elsewhere", path);
  PlanCache cache(folder.path(), machine);
  EXPECT_FALSE(cache.find(problem).has_value());
  cache.store("another", some_algo());
  EXPECT_EQ(read_all(folder.file("elsewhere")), before);
  EXPECT_FALSE(std::filesystem::is_symlink(path));
  EXPECT_TRUE(PlanCache(folder.path(), machine).find("another").has_value());
}

TEST(PlanCache, DoesNotWaitForEverForALock) {
  const TemporaryFolder folder;
  const FileDescriptor held(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  PlanCache(folder.path(), machine).store(problem, some_algo());
  EXPECT_EQ(PlanCache(folder.path(), machine).find(problem), some_algo());
}

TEST(PlanCache, StaysShortEnoughToBeReadAgain) {
  const TemporaryFolder folder;
  for (int i = 0; i < 20; ++i) {
    PlanCache cache(folder.path(), machine);
    const std::string name = std::to_string(i) + std::string(1U << 20U, 'p');
    cache.store(name, some_algo());
    EXPECT_EQ(PlanCache(folder.path(), machine).find(name), some_algo()) << i;
  }
}

// Every file that differs from a good one in one bit is read, or not, but nothing else happens.
TEST(PlanCache, SurvivesAnyFlippedBit) {
  const TemporaryFolder folder;
  const std::string path = PlanCache(folder.path(), machine).path();
  PlanCache(folder.path(), machine).store(problem, some_algo());
  const std::string whole = read_all(path);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ static_cast<char>(1 << (i % 8)));
    write_all(path, damaged);
    EXPECT_NO_THROW((void)PlanCache(folder.path(), machine).find(problem)) << "byte " << i;
  }
}

TEST(PlanCache, DoesNotWaitForAPipeNorReadAFolder) {
  const TemporaryFolder folder;
  const std::string path = PlanCache(folder.path(), machine).path();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(PlanCache(folder.path(), machine).find(problem).has_value());
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_FALSE(PlanCache(folder.path(), machine).find(problem).has_value());
}

TEST(PlanCache, SaysWhereItCannotWriteAndRemembersAllTheSame) {
  const TemporaryFolder folder;
  write_all(folder.file("file"), "");
  PlanCache cache(folder.file("file/below"), machine);
  try {
    cache.store(problem, some_algo());
    ADD_FAILURE() << "something was written below a file";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_THAT(error.what(), HasSubstr(cache.path()));
  }
  EXPECT_EQ(cache.find(problem), some_algo());
}

/// Environment variables as they were before, afterwards.
class Environment {
 public:
  Environment() {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (const char* value = std::getenv(names[i])) before_[i] = value;
      ::unsetenv(names[i]);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (std::size_t i = 0; i < names.size(); ++i) {
      ::unsetenv(names[i]);
      if (before_[i]) ::setenv(names[i], before_[i]->c_str(), 1);
    }
  }

 private:
  static constexpr std::array names = {"IMPASTO_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
  std::array<std::optional<std::string>, names.size()> before_;
};

TEST(CacheFolder, FollowsTheEnvironment) {
  const Environment restored;
  EXPECT_EQ(cache_folder(), "");
  ::setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/impasto");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/impasto");
  ::setenv("XDG_CACHE_HOME", "/fast", 1);
  EXPECT_EQ(cache_folder(), "/fast/impasto");
  ::setenv("IMPASTO_CACHE_DIR", "/mine", 1);
  EXPECT_EQ(cache_folder(), "/mine");
}

}  // namespace
}  // namespace impasto::plan_cache_test
