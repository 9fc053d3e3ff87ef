// SPDX-License-Identifier: MIT
#include "benchmarks/reporters.hpp"

#include <fmt/format.h>

namespace impasto::bench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

/// Two measurements are divided, each with its noise: what is above by more is a mistake.
constexpr double roof_tolerance = 1.02;

/// Why a row must not be shown; nothing if it may be.
std::string objection_to(const Run& run) {
  if (run.error_occurred) return run.error_message;
  if (run.counters.find("verified") == run.counters.end()) return "its result was not verified";
  const auto share = run.counters.find("roof_share");
  if (share == run.counters.end() || share->second <= roof_tolerance) return {};
  return fmt::format("{:.2f} of the roof, which no kernel can exceed", share->second.value);
}

/// A field of a CSV file, with its quotes doubled.
std::string quoted(const std::string& text) {
  std::string field = "\"";
  for (const char one : text) field += one == '"' ? std::string("\"\"") : std::string(1, one);
  return field + '"';
}

}  // namespace

bool VerifiedOnly::ReportContext(const Context& context) {
  shown_->SetOutputStream(&GetOutputStream());
  shown_->SetErrorStream(&GetErrorStream());
  return shown_->ReportContext(context);
}

void VerifiedOnly::ReportRuns(const std::vector<Run>& runs) {
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

bool CsvReporter::ReportContext(const Context& context) {
  // Of a file both streams are the file.
  if (&GetErrorStream() != &GetOutputStream()) PrintBasicContext(&GetErrorStream(), context);
  return true;
}

void CsvReporter::Finalize() {
  std::ostream& out = GetOutputStream();
  std::set<std::string> counters;
  for (const Run& run : runs_) {
    for (const auto& [name, value] : run.counters) counters.insert(name);
  }
  out << "name,iterations,real_time,cpu_time,time_unit,bytes_per_second,items_per_second,label,"
         "error_occurred,error_message";
  for (const std::string& name : counters) out << ',' << quoted(name);
  out << '\n';
  for (const Run& run : runs_) {
    const bool is_time =
        run.run_type == Run::RT_Iteration || run.aggregate_unit == benchmark::StatisticUnit::kTime;
    out << quoted(run.benchmark_name()) << ',';
    if (run.run_type == Run::RT_Iteration) out << run.iterations;
    out << fmt::format(",{},{},{},,,{},,", run.GetAdjustedRealTime(), run.GetAdjustedCPUTime(),
                       is_time ? benchmark::GetTimeUnitString(run.time_unit) : "",
                       quoted(run.report_label));
    for (const std::string& name : counters) {
      const auto found = run.counters.find(name);
      out << ',';
      if (found != run.counters.end()) out << fmt::format("{}", found->second.value);
    }
    out << '\n';
  }
  out.flush();
}

std::unique_ptr<benchmark::BenchmarkReporter> make_file_reporter(const std::string& format) {
  using Console = benchmark::ConsoleReporter;
  if (format == "console") return std::make_unique<Console>(Console::OO_Tabular);
  if (format == "csv") return std::make_unique<CsvReporter>();
  return std::make_unique<benchmark::JSONReporter>();
}

}  // namespace impasto::bench
