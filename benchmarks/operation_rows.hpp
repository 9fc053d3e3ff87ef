// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/axes.hpp"
#include "host/check/check.hpp"
#include "kernels/common/ladder.hpp"

namespace impasto::bench {

/// Somebody who computes operations in one precision: a backend, or a backend with one rung forced.
struct Contender {
  using Launch = std::function<void()>;
  /// Computes on tensors in the order of the backend's function, outputs first.
  using LaunchOn = std::function<void(std::span<const Tensor>)>;

  std::string name = {};     ///< in the names of rows
  std::string variant = {};  ///< "/cold": how it is measured
  std::shared_ptr<Backend> backend = {};
  kernels::Rung rung = {};  ///< what the backend launches instead of what ships, if it has a name
  /// What computes the same if the backend does not: a library, in the way that was the fastest on
  /// these tensors.
  std::function<LaunchOn(std::span<const Tensor>)> instead = {};
  /// How many sets of tensors the loop wants in a variant, for so many bytes in one.
  using Sets = std::function<std::size_t(const std::string& variant, double bytes)>;
  Sets sets = [](const std::string& /*variant*/, double /*bytes*/) { return 1; };
  /// The benchmark's loop over launches that are the same on a set of tensors each, and the counters
  /// that only this contender has.
  std::function<void(benchmark::State&, const Contender&, const std::vector<Launch>&,
                     const work::Work&)>
      measure = {};
};

/// What an operation works on, by the name it was given.
struct NamedShape {
  std::string name;
  Shape map;
  std::int64_t out_channels = 0;  ///< of a convolution, else the map's
};

/// A case that benchmarks measure.
struct MeasuredCase {
  Operation op;
  std::size_t place = 0;  ///< among the operation's cases
  std::string name = {};  ///< "pool_backward_max"
};
std::vector<MeasuredCase> measured_cases(const Operation& op);
/// For --list, in lines of at most 100 columns: "gram                    conv1_1 conv2_1".
std::string layers_line(std::string_view name, const Operation& op);

/// The rows of operations alone: "gram/rung_3_shared_tile/conv3_1@512/bf16/batch:1/cold". Before
/// one is timed, what one run of it writes is compared with what the reference backend writes; one
/// that differs has no time. The reference's results are kept for all contenders at one point.
class OperationRows {
 public:
  /// A case of more work is checked on as many of its rows as the reference computes in so many
  /// floating-point operations, at full width.
  explicit OperationRows(double most_checked_flops) : most_checked_flops_(most_checked_flops) {}

  std::vector<std::string> ops = {};  ///< none: all
  std::vector<std::string> shapes = {"256"};
  std::vector<std::int64_t> batches = {1};
  bool run_once = false;

  /// --op, one of `names`, --shape and --batch.
  void add_options(CLI::App& app, const std::vector<std::string>& names);
  /// Registers a row for each shape, batch and contender. Pixels are the same in every precision:
  /// they have rows in fp32 alone.
  void add(const MeasuredCase& measured, const std::vector<Contender>& contenders);

 private:
  struct Row {
    MeasuredCase measured;
    NamedShape shape;
    Contender contender;
    std::string point;  ///< what rows with the same inputs have in common

    [[nodiscard]] OpCase at(const Shape& map) const;
  };
  /// A row's tensors, kept from one repetition to the next. They go before their backend does.
  struct Ready {
    std::string row;
    std::shared_ptr<Backend> backend;
    std::unique_ptr<Workbench> bench;
    std::vector<Prepared> sets;
  };

  void measure(benchmark::State& state, const Row& row);
  void prepare(const Row& row, const OpCase& op_case);
  const CheckResult& check(const Row& row, Workbench& bench, const Prepared& prepared);

  double most_checked_flops_;
  std::string point_;  ///< of what is kept here
  Outputs expected_;
  std::map<std::string, CheckResult> verdicts_;  ///< by contender
  Ready ready_;
};

}  // namespace impasto::bench
