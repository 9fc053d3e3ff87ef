// SPDX-License-Identifier: MIT
#include "benchmarks/program.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <set>
#include <string_view>

#include "benchmarks/commit.hpp"  // build_commit.cmake writes it at every build, if it changed
#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

using Reporter = benchmark::BenchmarkReporter;

/// Two measurements are divided, each with its noise: what is above by more is a mistake.
constexpr double roof_tolerance = 1.02;

/// Why a row must not be shown; nothing if it may be.
std::string objection_to(const Reporter::Run& run) {
  if (run.error_occurred) return run.error_message;
  if (run.counters.find("verified") == run.counters.end()) return "its result was not verified";
  const auto share = run.counters.find("roof_share");
  if (share == run.counters.end() || share->second <= roof_tolerance) return {};
  return fmt::format("{:.2f} of the roof, which no kernel can exceed", share->second.value);
}

/// One of Google Benchmark's reporters without the rows that must not be shown: those whose result
/// nobody verified, and figures above their roof.
class VerifiedOnly final : public Reporter {
 public:
  /// `refused` gets a sentence on each row left out.
  VerifiedOnly(Reporter& shown, std::set<std::string>& refused)
      : shown_(&shown), refused_(&refused) {}
  bool ReportContext(const Context& context) override {
    shown_->SetOutputStream(&GetOutputStream());
    shown_->SetErrorStream(&GetErrorStream());
    return shown_->ReportContext(context);
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> verified;
    for (const Run& run : runs) {
      const std::string objection = objection_to(run);
      if (objection.empty()) {
        verified.push_back(run);
      } else {
        refused_->insert(run.run_name.function_name + ": " + objection);
      }
    }
    if (!verified.empty()) shown_->ReportRuns(verified);
  }
  void Finalize() override { shown_->Finalize(); }

 private:
  Reporter* shown_;
  std::set<std::string>* refused_;
};

constexpr std::string_view help =
    R"(Every combination of the lists is a row. A SHAPE is a feature map: conv3_1@512, a layer of
VGG-19 for a picture of 512x512; 64x48x128, height, width and channels; 512, every layer at which
an operation stands. Operations on pixels work on the picture.

Output: --benchmark_format=console|json on stdout, --benchmark_out=FILE in JSON. Rows whose result
was not verified, or above their roof, are not shown: they are named on stderr, and the program
ends with 8.

Google Benchmark's options:
)";

int run(int argc, char** argv, const Program& program) {
  CLI::App app(program.about);
  app.set_help_flag();
  bool asks_for_help = false;
  app.add_flag("-h,--help", asks_for_help, "this text");
  app.allow_extras();
  program.add_options(app);
  app.parse(argc, argv);
  if (asks_for_help) {
    fmt::print("{}\n{}\n{}", app.help(), program.footer, help);
    benchmark::PrintDefaultHelp();
    return 0;
  }
  // Ours come before the command line's, which overrule them.
  std::vector<std::string> arguments = program.flags;
  arguments.emplace_back("--benchmark_counters_tabular=true");
  for (const std::string& rest : app.remaining()) arguments.push_back(rest);
  const auto asks_for = [&](const std::string& start) {
    return std::any_of(arguments.begin(), arguments.end(),
                       [&](const std::string& each) { return each.starts_with(start); });
  };
  const bool to_file = asks_for("--benchmark_out=");
  for (const std::string& argument : arguments) {  // Google Benchmark would exit with 0
    if (argument.starts_with("--benchmark_format=") && !argument.ends_with("=console") &&
        !argument.ends_with("=json")) {
      fail(ErrorKind::usage, "{}: expected console or json", argument);
    }
  }
  std::vector<char*> pointers = {argv[0]};
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  benchmark::AddCustomContext("commit", IMPASTO_COMMIT);
  benchmark::AddCustomContext("dirty", IMPASTO_DIRTY);
  program.register_rows();
  std::set<std::string> refused;
  VerifiedOnly display(*benchmark::CreateDefaultDisplayReporter(), refused);
  benchmark::JSONReporter json;
  VerifiedOnly file(json, refused);
  benchmark::RunSpecifiedBenchmarks(&display, to_file ? &file : nullptr);
  benchmark::Shutdown();
  for (const std::string& row : refused) std::fprintf(stderr, "%s\n", row.c_str());
  return refused.empty() ? 0 : static_cast<int>(ErrorKind::check_failed);
}

}  // namespace

int run_program(int argc, char** argv, const Program& program) {
  int code = 0;
  try {
    code = run(argc, argv, program);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = static_cast<int>(ErrorKind::usage);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = static_cast<int>(error.kind());
  }
  benchmark::ClearRegisteredBenchmarks();  // they keep backends, which outlive no static object
  return code;
}

}  // namespace impasto::bench
