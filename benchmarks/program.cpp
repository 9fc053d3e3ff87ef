// SPDX-License-Identifier: MIT
#include "benchmarks/program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <iostream>
#include <new>
#include <optional>
#include <ostream>
#include <regex>
#include <set>
#include <sstream>
#include <string_view>

#include "host/app/commit.hpp"  // build_commit.cmake writes it at every build, if it changed
#include "host/core/atomic_file.hpp"
#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

/// A row, and where the terminal shows it.
struct RowTitle {
  std::string name;
  std::string heading;  ///< of the table: "gram, conv3_1@512, bf16, batch 1"
  std::string own;      ///< in the first column: "rung_3_shared_tile, cold"
};
std::vector<RowTitle> rows;
std::function<bool(const std::string& name)> is_wanted;
std::string context_lines;

using Run = benchmark::BenchmarkReporter::Run;

/// Two measurements are divided, each with its noise: what is above by more is a mistake.
constexpr double roof_tolerance = 1.02;

constexpr std::size_t widest_table = 100;

/// A counter as people read it: value · scale in the unit of the title. What does not fit into a
/// table's width stands in the files alone.
struct Column {
  std::string_view counter;
  std::string_view title;
  double scale = 1;
};
constexpr std::array columns = {
    Column{"GB/s", "GB/s"},
    Column{"TFLOP/s", "TFLOP/s"},
    Column{"roof_share", "roof %", 100},
    Column{"FLOP/s", "GFLOP/s", 1e-9},
    Column{"bytes/s", "GB/s", 1e-9},
    Column{"loaded_bytes", "KB loaded", 1e-3},
    Column{"stored_bytes", "KB stored", 1e-3},
    Column{"sectors_per_request", "sectors/req."},
    Column{"shared_requests", "shared req."},
    Column{"bank_conflicts", "conflicts"},
    Column{"barriers", "barriers"},
    Column{"device bytes", "MiB", 1.0 / (1 << 20)},
    Column{"error", "error"},
};

std::string number(double value) {
  if (value != 0 && std::abs(value) < 1e-3) return fmt::format("{:.1e}", value);
  return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string duration(double seconds) {
  if (seconds >= 1) return number(seconds) + " s";
  if (seconds >= 1e-3) return number(1e3 * seconds) + " ms";
  return number(1e6 * seconds) + " µs";
}

/// The error that a row ended with, nothing if with none. Its place has another name since Google
/// Benchmark 1.8.
template <typename AnyRun>
std::string error_of(const AnyRun& run) {
  if constexpr (requires { run.error_occurred; }) {
    return run.error_occurred ? run.error_message : std::string();
  } else {
    return run.skip_message;
  }
}

/// Why a row must not be shown; nothing if it may be.
std::string objection_to(const Run& run) {
  if (std::string error = error_of(run); !error.empty()) return error;
  if (run.counters.find("verified") == run.counters.end()) return "its result was not verified";
  const auto share = run.counters.find("roof_share");
  if (share == run.counters.end() || share->second <= roof_tolerance) return {};
  return fmt::format("{:.2f} of the roof, which no kernel can exceed", share->second.value);
}

/// Markdown tables of at most 100 columns below the context, a unit in every head or cell: the time
/// is the median of the repetitions, the noise their standard deviation over their mean. Or
/// comma-separated values, with times in seconds and the noise as a share, 0.01 for 1 %.
class Tables final : public benchmark::BenchmarkReporter {
 public:
  explicit Tables(bool comma_separated) : comma_separated_(comma_separated) {}
  bool ReportContext(const Context& /*context*/) override {
    if (!comma_separated_) GetOutputStream() << context_lines << std::endl;
    return true;
  }
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  bool comma_separated_;
  std::string head_;
};

void Tables::ReportRuns(const std::vector<Run>& runs) {
  const auto statistic = [&](std::string_view name) {
    const auto found = std::ranges::find(runs, name, &Run::aggregate_name);
    return found == runs.end() ? nullptr : &*found;
  };
  // Google Benchmark hands over the repetitions first, their statistics after that.
  const Run* median = statistic("median");
  if (median == nullptr && runs.front().repetitions > 1) return;
  const Run& row = median != nullptr ? *median : runs.front();
  const double seconds =
      row.GetAdjustedRealTime() / benchmark::GetTimeUnitMultiplier(row.time_unit);
  const auto counter = [&](std::string_view name) {
    const auto found = row.counters.find(std::string(name));
    return found == row.counters.end() ? std::nullopt : std::optional(found->second.value);
  };
  const Run* variation = statistic("cv");
  const std::optional<double> noise =
      variation != nullptr ? variation->real_accumulated_time : counter("noise");
  std::ostream& out = GetOutputStream();
  if (comma_separated_) {
    if (head_.empty()) {
      head_ = "name,seconds,noise_share";
      for (const Column& column : columns) head_ += fmt::format(",{}", column.counter);
      out << head_ << '\n';
    }
    out << fmt::format("\"{}\",{:.9g}", row.run_name.str(), seconds);
    const auto value = [&](std::optional<double> known) {
      out << ',' << (known ? fmt::format("{:.9g}", *known) : "");
    };
    value(noise);
    for (const Column& column : columns) value(counter(column.counter));
    out << std::endl;
    return;
  }
  const RowTitle& title = *std::ranges::find(rows, row.run_name.str(), &RowTitle::name);
  std::size_t width = 0;
  for (const RowTitle& other : rows) {
    if (other.heading == title.heading) width = std::max(width, other.own.size());
  }
  std::string head = fmt::format("| {:{}} |", "", width);
  std::string rule = fmt::format("|:{:-<{}}-|", "", width);
  std::string line = fmt::format("| {:{}} |", title.own, width);
  const auto cell = [&](std::string_view of, const std::string& text, std::size_t least) {
    const std::size_t wide = std::max(of.size(), least);
    if (head.size() + wide + 3 > widest_table) return;
    head += fmt::format(" {:>{}} |", of, wide);
    rule += fmt::format("-{:-<{}}:|", "", wide);
    line += fmt::format(" {:>{}} |", text, wide);
  };
  // The host-SIMT machine counts: its time says nothing of a GPU.
  if (!counter("loaded_bytes")) {
    cell("time", seconds > 0 ? duration(seconds) : "none", 8);
    // One sample has none. The steps of an iteration are no samples.
    if (noise || counter("samples")) {
      cell("noise", noise ? fmt::format("{:.1f} %", 100 * *noise) : "–", 7);
    }
  }
  for (const Column& column : columns) {
    const std::optional<double> value = counter(column.counter);
    if (value) cell(column.title, number(column.scale * *value), 7);
  }
  if (title.heading + head != head_) {
    out << (head_.empty() ? "" : "\n") << title.heading << "\n\n" << head << '\n' << rule << '\n';
    head_ = title.heading + head;
  }
  out << line << std::endl;
}

[[noreturn]] void fail_to_print() {
  fail(ErrorKind::output, "standard output: cannot write: {}", std::strerror(errno));
}

/// Shows rows, and keeps those so far in a file as JSON if it has a path, but for rows that must not
/// be shown. The file is complete whenever the program ends, and where it cannot be written it is as
/// it was (AtomicFile).
class Output final : public benchmark::BenchmarkReporter {
 public:
  Output(BenchmarkReporter& shown, std::string path) : shown_(&shown), path_(std::move(path)) {
    json_.SetOutputStream(&text_);
  }
  bool ReportContext(const Context& context) override {
    const bool goes_on = shown_->ReportContext(context) && json_.ReportContext(context);
    if (!std::cout.flush()) fail_to_print();
    return goes_on;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> verified;
    for (const Run& run : runs) {
      const std::string objection = objection_to(run);
      if (!objection.empty()) {
        refused_.insert(run.run_name.function_name + ": " + objection);
        continue;
      }
      verified.push_back(run);
      // Without what Google Benchmark appends about how it measured: "/iterations:1/manual_time".
      verified.back().run_name = {};
      verified.back().run_name.function_name = run.run_name.function_name;
    }
    if (verified.empty()) return;
    json_.ReportRuns(verified);
    save();
    shown_->ReportRuns(verified);
    if (!std::cout.flush()) fail_to_print();
  }
  void Finalize() override {
    save();
    shown_->Finalize();
  }
  /// A sentence on each row left out.
  [[nodiscard]] const std::set<std::string>& refused() const { return refused_; }

 private:
  void save() {
    if (path_.empty()) return;
    const std::streampos next_row = text_.tellp();
    json_.Finalize();
    write_atomically(path_, text_.str());
    text_.seekp(next_row);  // what Finalize() wrote is shorter than any row
  }

  BenchmarkReporter* shown_;
  std::string path_;
  std::ostringstream text_;
  benchmark::JSONReporter json_;
  std::set<std::string> refused_;
};

/// Whether a name has a match of --benchmark_filter, or after a '-' none. Google Benchmark would hold
/// it against names that end with how they are timed, "/manual_time".
std::function<bool(const std::string& name)> parse_filter(const std::string& text) {
  const bool excludes = text.starts_with('-');
  try {
    const std::regex pattern(text.substr(excludes ? 1 : 0));
    return [=](const std::string& name) { return std::regex_search(name, pattern) != excludes; };
  } catch (const std::regex_error& error) {
    fail(ErrorKind::usage, "--benchmark_filter: '{}' is no regular expression: {}", text,
         error.what());
  }
}

constexpr std::string_view help =
    R"(
Every combination of the lists is a row. A SHAPE is a feature map: conv3_1@512, a layer of
VGG-19 for a picture of 512x512; 64x48x128, height, width and channels; 512, every layer at which
an operation stands. Operations on pixels work on the picture.

Rows whose result was not verified, or above their roof, are not shown: they are named on stderr,
and the program ends with 8.

Google Benchmark's options:
)";

/// What a number has to be. CLI11's own validator names the largest double, in 309 digits.
std::string from_zero_on(const std::string& text) {
  double value = -1;
  const char* end = text.data() + text.size();
  const bool is_number = std::from_chars(text.data(), end, value).ptr == end;
  return is_number && value >= 0 ? "" : fmt::format("expected a number from 0 on, got '{}'", text);
}

int run(int argc, char** argv, const Program& program) {
  CLI::App app(program.about);
  std::string format = "console";
  std::string file;
  app.add_option("--benchmark_format", format, "what stdout gets: console, json or csv")
      ->check(CLI::IsMember({"console", "json", "csv"}));
  app.add_option("--benchmark_out", file, "a file for the rows in JSON");
  stop_rule() = program.rule;
  app.add_option("--benchmark_min_time", stop_rule().least_seconds,
                 "seconds that a repetition takes at least, five times as many at most")
      ->check(from_zero_on)
      ->capture_default_str();
  app.add_option("--max-noise", stop_rule().most_noise,
                 "their deviation over their mean that ends it, of ten samples or more")
      ->check(from_zero_on)
      ->capture_default_str();
  std::string wanted;
  app.add_option("--benchmark_filter", wanted,
                 "a regular expression that rows' names match; -no, that do not");
  bool lists_names = false;
  app.add_flag("--benchmark_list_tests", lists_names,
               "the names of the rows, and nothing measured");
  bool asks_for_choices = false;
  app.add_flag("--list", asks_for_choices, "what the lists of words offer");
  app.footer([&] { return program.choices() + std::string(help); });
  app.allow_extras();
  program.add_options(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    benchmark::PrintDefaultHelp();
    return 0;
  }
  if (asks_for_choices) {
    const std::string offered = program.choices();
    std::cout << (offered.empty()
                      ? "no option is a list of words; --benchmark_list_tests names the rows\n"
                      : offered);
    return 0;
  }
  // Ours come before the command line's, which overrule them.
  std::vector<std::string> arguments = program.flags;
  for (const std::string& rest : app.remaining()) arguments.push_back(rest);
  if (!file.empty()) check_writable(file);
  std::vector<char*> pointers = {argv[0]};
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  add_context("commit", IMPASTO_COMMIT);
  add_context("dirty", IMPASTO_DIRTY);
  is_wanted = parse_filter(wanted);
  program.register_rows();
  if (rows.empty()) {
    if (wanted.empty())
      fail(ErrorKind::usage, "no row: nothing asked for has the precisions asked for");
    fail(ErrorKind::usage, "--benchmark_filter: no row's name matches '{}'", wanted);
  }
  if (lists_names) {
    for (const RowTitle& row : rows) std::cout << row.name << '\n';
    return 0;
  }
  Tables tables(format == "csv");
  benchmark::JSONReporter json;
  // Not Google Benchmark's file: it writes as it goes, and a full disk or an end before time leaves
  // half a file.
  Output output(format == "json" ? static_cast<benchmark::BenchmarkReporter&>(json) : tables, file);
  benchmark::RunSpecifiedBenchmarks(&output);
  benchmark::Shutdown();
  for (const std::string& row : output.refused()) std::fprintf(stderr, "%s\n", row.c_str());
  return output.refused().empty() ? 0 : static_cast<int>(ErrorKind::check_failed);
}

}  // namespace

int run_program(int argc, char** argv, const Program& program) {
  int code = 0;
  try {
    code = run(argc, argv, program);
    if (!std::cout.flush()) fail_to_print();
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = static_cast<int>(ErrorKind::usage);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = static_cast<int>(error.kind());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s\n", out_of_memory().what());
    code = static_cast<int>(ErrorKind::out_of_memory);
  }
  benchmark::ClearRegisteredBenchmarks();  // they keep backends, which outlive no static object
  return code;
}

void add_context(const std::string& key, const std::string& value) {
  benchmark::AddCustomContext(key, value);
  context_lines += fmt::format("{}: {}\n", key, value);
}

benchmark::internal::Benchmark* add_row(const std::string& name, const std::string& heading,
                                        const std::string& own,
                                        const std::function<void(benchmark::State&)>& body) {
  if (!is_wanted(name)) return nullptr;
  rows.push_back({name, heading, own});
  // One iteration is a repetition, and the stop rule ends it.
  return benchmark::RegisterBenchmark(name.c_str(), body)
      ->UseManualTime()
      ->Iterations(1)
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace impasto::bench
