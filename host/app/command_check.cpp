// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/backend/registry.hpp"
#include "host/check/check.hpp"

namespace impasto::app {
namespace {

constexpr auto check_explanation =
    R"(Runs every operation on both backends with the same numbers. An error is the root
mean square of the difference over that of the expected values; the table shows
each operation's worst. Ends with 8 when one is above its limit.)";

/// An operation's worst case and how many there were.
struct OpSummary {
  CheckResult worst;
  int cases = 0;
};

std::vector<OpSummary> by_operation(const std::vector<CheckResult>& results) {
  std::vector<OpSummary> summaries;
  for (const CheckResult& result : results) {
    auto found = std::ranges::find(summaries, result.op,
                                   [](const OpSummary& summary) { return summary.worst.op; });
    if (found == summaries.end()) {
      summaries.push_back({result, 1});
      continue;
    }
    ++found->cases;
    if (result.error > found->worst.error) found->worst = result;
  }
  return summaries;
}

void print_table(const std::vector<CheckResult>& results) {
  std::string text =
      fmt::format("{:<22}{:>6}{:>12}{:>10}   WORST CASE\n", "OPERATION", "CASES", "ERROR", "LIMIT");
  for (const OpSummary& summary : by_operation(results)) {
    const CheckResult& worst = summary.worst;
    text += fmt::format("{:<22}{:>6}{:>12.2e}{:>10.0e}   {}{}\n", worst.op, summary.cases,
                        worst.error, worst.limit, worst.passed() ? "" : "FAILED at ", worst.what);
  }
  print_result(text);
}

void print_json(const Backend& tested, const Backend& against,
                const std::vector<CheckResult>& results) {
  Json list = Json::array();
  for (const CheckResult& result : results) {
    list.push_back({{"op", result.op},
                    {"case", result.what},
                    {"error", result.error},
                    {"limit", result.limit},
                    {"passed", result.passed()}});
  }
  print_result(
      dump({{"tested", describe(tested)}, {"against", describe(against)}, {"results", list}}) +
      "\n");
}

void check_machine(const Settings& settings) {
  const std::unique_ptr<Backend> tested = open_backend(settings);
  const std::unique_ptr<Backend> against = make_backend(settings.against);
  message("Checking {} in {} against {}\n", tested->name(), to_string(tested->precision()),
          against->name());
  const std::vector<CheckResult> results =
      check_backend(*tested, *against, [](const CheckResult&) {});
  if (settings.json) {
    print_json(*tested, *against, results);
  } else {
    print_table(results);
  }
  const auto failed =
      std::ranges::count_if(results, [](const CheckResult& r) { return !r.passed(); });
  if (results.empty()) fail(ErrorKind::check_failed, "nothing was checked");
  if (failed > 0) {
    fail(ErrorKind::check_failed, "{} of {} cases are above their limit", failed, results.size());
  }
}

}  // namespace

void add_check_command(CLI::App& program) {
  add_command(program,
              {.name = "check",
               .summary = "Compare a backend with another, operation by operation",
               .example = "impasto check --backend cpu",
               .footer = check_explanation},
              check_machine);
}

}  // namespace impasto::app
