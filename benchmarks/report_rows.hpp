// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace impasto::bench {

/// Where the terminal shows a row.
struct RowTitle {
  std::string heading;  ///< of the table: "gram, conv3_1@512, bf16, batch 1"
  std::string own;      ///< in the first column: "rung_3_shared_tile, cold"
};
using RowTitles = std::map<std::string, RowTitle>;  ///< by the row's name

/// Runs the registered rows and shows them in `format` (program.hpp), and where `to_file` says so
/// writes them to --benchmark_out as well. On the console they are Markdown tables of at most 100
/// columns below `context`, a unit in every head or cell: the time is the median of the
/// repetitions, the noise their standard deviation over their mean. CSV has times in seconds.
/// Rows whose result nobody verified and rows above their roof are left out; returns a sentence on
/// each of them. Names are what rows were registered as.
std::set<std::string> run_rows(std::string_view format, bool to_file, const RowTitles& titles,
                               const std::string& context);

}  // namespace impasto::bench
