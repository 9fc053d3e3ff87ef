// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <map>
#include <set>
#include <string>

namespace impasto::bench {

/// Where the terminal shows a row.
struct RowTitle {
  std::string heading;  ///< of the table: "gram, conv3_1@512, bf16, batch 1"
  std::string own;      ///< in the first column: "rung_3_shared_tile, cold"
};
using RowTitles = std::map<std::string, RowTitle>;  ///< by the row's name

/// Shows rows to people: Markdown tables of at most 100 columns, a unit in every head or cell. The
/// time is the median of the repetitions, the noise their standard deviation over their mean. Or
/// writes comma-separated values, with times in seconds.
class TableReporter final : public benchmark::BenchmarkReporter {
 public:
  /// `context` stands above the tables.
  TableReporter(const RowTitles& titles, const std::string& context, bool comma_separated)
      : titles_(&titles), context_(&context), comma_separated_(comma_separated) {}
  bool ReportContext(const Context& /*context*/) override;
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  const RowTitles* titles_;
  const std::string* context_;
  bool comma_separated_;
  std::string head_;
};

/// A reporter without the rows that must not be shown: those whose result nobody verified, and
/// figures above their roof. Names are what they were registered as.
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

}  // namespace impasto::bench
