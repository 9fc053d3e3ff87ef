// SPDX-License-Identifier: MIT
#include "benchmarks/program.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <string_view>

#include "benchmarks/build.hpp"
#include "benchmarks/reporters.hpp"
#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

/// "--benchmark_out=FILE" as FILE; the last one counts.
std::string value_of(std::string_view option, const std::vector<char*>& arguments) {
  std::string value;
  for (const std::string_view argument : arguments) {
    const bool here = argument.size() > option.size() && argument.starts_with(option) &&
                      argument[option.size()] == '=';
    if (here) value = argument.substr(option.size() + 1);
  }
  return value;
}

std::string format_of(std::string_view option, std::string_view otherwise,
                      const std::vector<char*>& arguments) {
  std::string format = value_of(option, arguments);
  if (format.empty()) return std::string(otherwise);
  if (format != "console" && format != "json" && format != "csv") {
    fail(ErrorKind::usage, "{}: expected console, json or csv, got '{}'", option, format);
  }
  return format;
}

constexpr std::string_view shapes_explained =
    R"( A SHAPE is a feature map: conv3_1@512, a
layer of VGG-19 for a picture of 512x512; 64x48x128, height, width and channels; 512, every
layer at which an operation stands. Operations on pixels work on the picture.)";

void print_help(const std::string& name, const Program& program) {
  fmt::print("{}\n\nusage: {} [OPTION...]\n\n", program.about, name);
  bool has_shapes = false;
  for (const Option& option : program.options) {
    const std::string form =
        option.values.empty() ? option.name : fmt::format("{}={}", option.name, option.values);
    fmt::print("  {:<24}{}\n", form, option.about);
    has_shapes = has_shapes || option.name == "--shape";
  }
  fmt::print("\nEvery combination of the lists is a row.{}\n\n{}\n",
             has_shapes ? shapes_explained : "", program.names);
  fmt::print(
      "Output: --benchmark_format=console|json|csv on stdout, --benchmark_out=FILE with\n"
      "--benchmark_out_format. Rows whose result was not verified, or above their roof, are\n"
      "not shown: they are named on stderr, and the program ends with 8.\n\n"
      "Google Benchmark's options:\n");
  benchmark::PrintDefaultHelp();
}

/// Whether the argument was one of the program's options, which has taken it.
bool taken(std::string_view argument, const std::vector<Option>& options) {
  const std::size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  for (const Option& option : options) {
    if (option.name != name) continue;
    const bool has_value = equals != std::string_view::npos;
    if (has_value == option.values.empty()) {
      fail(ErrorKind::usage, "{}: expected {}", name,
           option.values.empty() ? std::string("no value") : fmt::format("={}", option.values));
    }
    option.take(has_value ? argument.substr(equals + 1) : std::string_view());
    return true;
  }
  return false;
}

void add_build_context() {
  const Build build = this_build();
  benchmark::AddCustomContext("commit", build.commit);
  benchmark::AddCustomContext("dirty", build.dirty);
}

/// Google Benchmark's own, but for CSV.
void run_rows(const std::vector<char*>& arguments, std::set<std::string>& refused) {
  CsvReporter csv;
  benchmark::BenchmarkReporter* shown = &csv;
  if (format_of("--benchmark_format", "console", arguments) != "csv") {
    shown = benchmark::CreateDefaultDisplayReporter();
  }
  VerifiedOnly display(*shown, refused);
  if (value_of("--benchmark_out", arguments).empty()) {
    benchmark::RunSpecifiedBenchmarks(&display);
    return;
  }
  const auto written = make_file_reporter(format_of("--benchmark_out_format", "json", arguments));
  VerifiedOnly file(*written, refused);
  benchmark::RunSpecifiedBenchmarks(&display, &file);
}

int run(std::vector<char*> arguments, const Program& program) {
  for (const std::string_view argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      print_help(arguments.front(), program);
      return 0;
    }
  }
  std::erase_if(arguments, [&](char* argument) { return taken(argument, program.options); });
  // Before the command line's, which overrule them.
  std::vector<std::string> flags = program.flags;
  flags.emplace_back("--benchmark_counters_tabular=true");
  for (std::string& flag : flags) arguments.insert(arguments.begin() + 1, flag.data());
  const std::vector<char*> all = arguments;  // Google Benchmark removes what it knows
  for (const std::string_view option : {"--benchmark_format", "--benchmark_out_format"}) {
    static_cast<void>(format_of(option, "", all));  // throws; Google Benchmark would exit with 0
  }
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  add_build_context();
  program.register_rows();
  std::set<std::string> refused;
  run_rows(all, refused);
  benchmark::Shutdown();
  for (const std::string& row : refused) std::fprintf(stderr, "%s\n", row.c_str());
  return refused.empty() ? 0 : static_cast<int>(ErrorKind::check_failed);
}

}  // namespace

int run_program(int argc, char** argv, const Program& program) {
  int code = 0;
  try {
    code = run({argv, argv + argc}, program);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    code = static_cast<int>(error.kind());
  }
  benchmark::ClearRegisteredBenchmarks();  // they keep backends, which outlive no static object
  return code;
}

}  // namespace impasto::bench
