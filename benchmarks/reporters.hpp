// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace impasto::bench {

/// A reporter of Google Benchmark's or ours without the rows that must not be shown: those whose
/// result nobody verified, and figures above their roof.
class VerifiedOnly final : public benchmark::BenchmarkReporter {
 public:
  /// `refused` gets a sentence on each row left out.
  VerifiedOnly(BenchmarkReporter& shown, std::set<std::string>& refused)
      : shown_(&shown), refused_(&refused) {}
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override { shown_->Finalize(); }

 private:
  BenchmarkReporter* shown_;
  std::set<std::string>* refused_;
};

/// Google Benchmark's columns and one for every counter that any row has, empty in those that lack
/// it: its own reporter ends the program at the first row with a counter of its own. Written when
/// all rows are known. The context goes to stderr, as there.
class CsvReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override {
    runs_.insert(runs_.end(), runs.begin(), runs.end());
  }
  void Finalize() override;

 private:
  std::vector<Run> runs_;
};

/// For --benchmark_out_format: "console", "json" or "csv".
std::unique_ptr<benchmark::BenchmarkReporter> make_file_reporter(const std::string& format);

}  // namespace impasto::bench
