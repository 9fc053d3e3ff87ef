// SPDX-License-Identifier: MIT
// Every operation on a backend, as "gram/cpu/conv3_1@512/bf16/batch:1".
#include <algorithm>

#include "benchmarks/axes.hpp"
#include "benchmarks/operation_rows.hpp"

namespace impasto::bench {
namespace {

/// What the reference backend computes in a fraction of a second.
constexpr double most_checked_flops = 2e8;

std::vector<MeasuredCase> all_measured() {
  std::vector<MeasuredCase> all;
  for (const Operation& op : operations()) {
    for (MeasuredCase& each : measured_cases(op)) all.push_back(std::move(each));
  }
  return all;
}

std::string choices() {
  std::string text = "operations, and the layers at which VGG-19 has them (--shape=LAYER@SIZE):\n";
  for (const MeasuredCase& each : all_measured()) text += layers_line(each.name, each.op);
  return text + backend_names();
}

Contender contender_on(const SharedBackend& backend) {
  return {
      .name = std::string(backend->name()),
      .backend = backend,
      .measure = [=](benchmark::State& state, const Contender& /*self*/,
                     const std::vector<Contender::Launch>& launches, const work::Work& /*work*/) {
        take_samples(state, [&] {
          return seconds_of([&] {
            launches.front()();
            backend->synchronize();
          });
        });
      }};
}

void register_rows(const BackendAxes& backends, OperationRows& rows) {
  std::vector<Contender> contenders;
  for (const SharedBackend& backend : backends.open()) contenders.push_back(contender_on(backend));
  // Those that compute the same stand in one table.
  std::ranges::stable_sort(contenders, {},
                           [](const Contender& each) { return each.backend->precision(); });
  for (const MeasuredCase& each : all_measured()) {
    if (chosen(rows.ops, each.name)) rows.add(each, contenders);
  }
}

}  // namespace
}  // namespace impasto::bench

int main(int argc, char** argv) {
  using namespace impasto::bench;
  BackendAxes backends;
  OperationRows rows(most_checked_flops);
  const auto add_options = [&](CLI::App& app) {
    std::vector<std::string> names;
    for (const MeasuredCase& each : all_measured()) names.push_back(each.name);
    rows.add_options(app, names);
    backends.add_options(app, "--dtype");
  };
  return run_program(argc, argv,
                     {.about = "Every operation of an iteration, alone, on a backend.",
                      .add_options = add_options,
                      .choices = choices,
                      .register_rows = [&] { register_rows(backends, rows); }});
}
