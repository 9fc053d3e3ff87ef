// SPDX-License-Identifier: MIT
// Fuzzing guided by coverage, as libFuzzer does it, for GCC, which has none: an input that reaches
// new code is kept and changed further.
//
//   TARGET [--seconds N] [--seed N] [--findings FOLDER]
//   TARGET FILE...        reads these files, to see a finding again
#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <omp.h>
#include <optional>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/core/digest.hpp"
#include "host/core/error.hpp"
#include "tests/fuzz/coverage.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/mutation.hpp"

#ifdef __SANITIZE_ADDRESS__
// An input of some kilobytes has no claim to this much.
extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  return "max_allocation_size_mb=1024:hard_rss_limit_mb=3072";
}
#endif

namespace impasto::fuzz {
namespace {

constexpr time_t most_seconds_per_input = 10;  // of processor time, however busy the machine

struct Options {
  int seconds = 60;
  std::uint64_t seed = 1;
  std::string findings = ".";
  std::vector<std::string> files;
};

/// The input as a file without a place on disk. It outlives the process that reads it.
class InputFile {
 public:
  InputFile() : descriptor_(::memfd_create("input", 0)) {}

  [[nodiscard]] std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }
  void write(const std::string& bytes) const {
    const bool written =
        ::ftruncate(descriptor_, 0) == 0 &&
        ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    require(written, "the input cannot be written");
  }
  [[nodiscard]] std::string content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  int descriptor_;
};

/// SIGPROF ends this process after so many seconds of its processor time; 0: never.
void limit_time(time_t seconds) {
  const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
  require(::setitimer(ITIMER_PROF, &limit, nullptr) == 0, "the time of an input cannot be limited");
}

/// Why the reader refused the file; nothing where it took it. What is neither ends the process.
std::optional<std::string> refusal(const std::string& path) {
  limit_time(most_seconds_per_input);
  try {
    read_input(path);
    return std::nullopt;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::internal) return error.what();
    fmt::print(stderr, "a defect of ours: {}\n", error.what());
    std::abort();
  }
}

void fuzz(const Options& options, const InputFile& file, std::string_view target) {
  omp_set_num_threads(1);
  Random random(options.seed);
  Coverage coverage;
  std::vector<std::string> inputs = seeds();
  std::size_t longest = 0;
  for (const std::string& seed : inputs) {
    coverage.begin();
    file.write(seed);
    if (const auto reason = refusal(file.path())) {
      fmt::print(stderr, "the reader refuses a seed: {}\n", *reason);
      std::abort();
    }
    coverage.found_new();
    longest = std::max(longest, 2 * seed.size());
  }

  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(options.seconds);
  std::uint64_t count = 0;
  std::uint64_t accepted = 0;
  while (Clock::now() < end) {
    const std::string input = mutated(inputs, longest, random);
    file.write(input);
    coverage.begin();
    if (!refusal(file.path())) ++accepted;
    ++count;
    if (coverage.found_new()) inputs.push_back(input);
  }
  limit_time(0);
  fmt::print("{}: {} inputs, {} of them accepted; {} kept, {} branches; no finding\n", target,
             count, accepted, inputs.size(), coverage.branches());
}

std::string cause_of(int status) {
  if (!WIFSIGNALED(status)) return "the reader ended with an error";
  if (WTERMSIG(status) == SIGPROF) {
    return fmt::format("the reader took more than {} s", most_seconds_per_input);
  }
  return fmt::format("the reader died: {}", ::strsignal(WTERMSIG(status)));
}

/// Keeps what the process that died was reading.
void report(int status, const InputFile& file, const Options& options, std::string_view target) {
  const std::string input = file.content();
  const std::string name =
      sha256(std::as_bytes(std::span(input.data(), input.size()))).substr(0, 12);
  const std::string path = fmt::format("{}/{}-{}", options.findings, target, name);
  std::ofstream(path, std::ios::binary) << input;
  fmt::print(stderr, "a finding: {}; the input is {}\n", cause_of(status), path);
}

Options read_options(int argc, char** argv) {
  Options options;
  const auto number = [&](int i) {
    std::uint64_t value = 0;
    const std::string_view text = i < argc ? argv[i] : "";
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    require(error == std::errc{} && stop == text.data() + text.size(), "not a number: '{}'", text);
    return value;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--seconds") {
      options.seconds = static_cast<int>(number(++i));
    } else if (word == "--seed") {
      options.seed = number(++i);
    } else if (word == "--findings" && i + 1 < argc) {
      options.findings = argv[++i];
    } else {
      options.files.emplace_back(word);
    }
  }
  return options;
}

int run(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  for (const std::string& path : options.files) {
    fmt::print("{}: {}\n", path, refusal(path).value_or("accepted"));
  }
  if (!options.files.empty()) return 0;

  std::string_view target = argv[0];
  target.remove_prefix(target.rfind('/') + 1);
  // The reader has a process of its own, so that the one that stays can tell how it ended.
  const InputFile file;
  const pid_t reader = ::fork();
  require(reader >= 0, "no process for the reader");
  if (reader == 0) {
    fuzz(options, file, target);
    std::exit(0);  // and tell of what was never freed
  }
  int status = 0;
  require(::waitpid(reader, &status, 0) == reader, "the reader is lost");
  if (status == 0) return 0;
  report(status, file, options, target);
  return 1;
}

}  // namespace
}  // namespace impasto::fuzz

int main(int argc, char** argv) { return impasto::fuzz::run(argc, argv); }
