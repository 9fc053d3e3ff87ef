// SPDX-License-Identifier: MIT
#include "benchmarks/program.hpp"

#include <charconv>
#include <cstdio>
#include <string_view>
#include <vector>

#include "host/core/error.hpp"

namespace {

using impasto::bench::Settings;

std::int64_t parse_number(std::string_view option, std::string_view text, std::int64_t least) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || stop != text.data() + text.size() || number < least) {
    impasto::fail(impasto::ErrorKind::usage, "--{}={}: expected a number of at least {}", option,
                  text, least);
  }
  return number;
}

/// Whether the argument was one of Settings' options.
bool take_setting(std::string_view argument, Settings& settings) {
  if (argument == "--no-plan-cache") {
    settings.tuning = impasto::Tuning::off;
    return true;
  }
  const std::size_t equals = argument.find('=');
  if (!argument.starts_with("--") || equals == std::string_view::npos) return false;
  const std::string_view option = argument.substr(2, equals - 2);
  const std::string_view value = argument.substr(equals + 1);
  if (option == "size") {
    settings.size = parse_number(option, value, 16);
  } else if (option == "batch") {
    settings.batch = parse_number(option, value, 1);
  } else if (option == "backend") {
    settings.backend = value;
  } else if (option == "precision") {
    settings.precision = impasto::parse_precision(value);
  } else if (option == "weights") {
    settings.weights = value;
  } else if (option == "content") {
    settings.content = value;
  } else if (option == "style") {
    settings.style = value;
  } else {
    return false;
  }
  return true;
}

/// Takes the options of Settings out of the command line and leaves Google Benchmark's.
Settings take_settings(std::vector<char*>& arguments) {
  Settings settings;
  std::erase_if(arguments, [&](char* argument) { return take_setting(argument, settings); });
  return settings;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::vector<char*> arguments(argv, argv + argc);
    const Settings settings = take_settings(arguments);
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    benchmark::AddCustomContext("device", impasto::make_backend(settings.backend)->device());
    impasto::bench::register_benchmarks(settings);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
  } catch (const impasto::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.kind());
  }
}
