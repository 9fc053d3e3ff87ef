// SPDX-License-Identifier: MIT
#include "benchmarks/program.hpp"

#include <charconv>
#include <cstdio>
#include <string_view>
#include <vector>

#include "host/core/error.hpp"

namespace {

using impasto::bench::Settings;

/// Takes the options of Settings out of the command line and leaves Google Benchmark's.
Settings take_settings(std::vector<char*>& arguments) {
  Settings settings;
  std::vector<char*> rest;
  for (char* argument : arguments) {
    const std::string_view text = argument;
    constexpr std::string_view size = "--size=";
    constexpr std::string_view backend = "--backend=";
    if (text.starts_with(size)) {
      const std::string_view number = text.substr(size.size());
      const auto [stop, error] =
          std::from_chars(number.data(), number.data() + number.size(), settings.size);
      if (error != std::errc{} || stop != text.data() + text.size() || settings.size < 16) {
        impasto::fail(impasto::ErrorKind::usage, "{}: expected a size of at least 16", text);
      }
    } else if (text.starts_with(backend)) {
      settings.backend = text.substr(backend.size());
    } else {
      rest.push_back(argument);
    }
  }
  arguments = rest;
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
