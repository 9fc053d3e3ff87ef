// SPDX-License-Identifier: MIT
#include "benchmarks/program.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <string_view>

#include "benchmarks/commit.hpp"  // build_commit.cmake writes it at every build, if it changed
#include "benchmarks/report_rows.hpp"
#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

RowTitles titles;
std::string context_lines;

constexpr std::string_view help =
    R"(Every combination of the lists is a row. A SHAPE is a feature map: conv3_1@512, a layer of
VGG-19 for a picture of 512x512; 64x48x128, height, width and channels; 512, every layer at which
an operation stands. Operations on pixels work on the picture.

Output: --benchmark_format=console|json|csv on stdout, --benchmark_out=FILE in JSON. Rows whose
result was not verified, or above their roof, are not shown: they are named on stderr, and the
program ends with 8.

Google Benchmark's options:
)";

/// The value that the last of the arguments gives to Google Benchmark's option, else nothing.
std::string value_of(const std::vector<std::string>& arguments, const std::string& option) {
  std::string value;
  for (const std::string& each : arguments) {
    if (each.starts_with(option + "=")) value = each.substr(option.size() + 1);
  }
  return value;
}

int run(int argc, char** argv, const Program& program) {
  CLI::App app(program.about);
  app.set_help_flag();
  bool asks_for_help = false;
  bool asks_for_choices = false;
  app.add_flag("-h,--help", asks_for_help, "this text");
  app.add_flag("--list", asks_for_choices, "what the lists of words offer");
  app.allow_extras();
  program.add_options(app);
  app.parse(argc, argv);
  if (asks_for_help) {
    fmt::print("{}\n{}\n{}", app.help(), program.choices(), help);
    benchmark::PrintDefaultHelp();
    return 0;
  }
  if (asks_for_choices) {
    fmt::print("{}", program.choices());
    return 0;
  }
  // Ours come before the command line's, which overrule them.
  std::vector<std::string> arguments = program.flags;
  for (const std::string& rest : app.remaining()) arguments.push_back(rest);
  const std::string format = value_of(arguments, "--benchmark_format");
  if (!format.empty() && format != "console" && format != "json" && format != "csv") {
    // Google Benchmark would exit with 0.
    fail(ErrorKind::usage, "--benchmark_format={}: expected console, json or csv", format);
  }
  const bool to_file = !value_of(arguments, "--benchmark_out").empty();
  std::vector<char*> pointers = {argv[0]};
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  add_context("commit", IMPASTO_COMMIT);
  add_context("dirty", IMPASTO_DIRTY);
  program.register_rows();
  const std::set<std::string> refused = run_rows(format, to_file, titles, context_lines);
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

void add_context(const std::string& key, const std::string& value) {
  benchmark::AddCustomContext(key, value);
  context_lines += fmt::format("{}: {}\n", key, value);
}

benchmark::internal::Benchmark* add_row(const std::string& name, const std::string& heading,
                                        const std::string& own,
                                        const std::function<void(benchmark::State&)>& body) {
  titles[name] = {heading, own};
  return benchmark::RegisterBenchmark(name.c_str(), body)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace impasto::bench
