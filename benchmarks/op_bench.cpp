// SPDX-License-Identifier: MIT
// Every operation on a backend, as "gram/cpu/conv3_1@512/bf16/batch:1".
#include "benchmarks/on_backends.hpp"
#include "benchmarks/operation_rows.hpp"

namespace impasto::bench {
namespace {

/// What the reference backend computes in a fraction of a second.
constexpr double most_checked_flops = 2e8;

/// The rows of an operation, each by its case's place and what its name adds.
std::vector<std::pair<std::size_t, std::string>> rows_of(const Operation& op) {
  std::vector<std::pair<std::size_t, std::string>> rows;
  const std::vector<OpCase> cases = op.cases({1, 4, 4, op.on_pixels ? 3 : 8}, 8, DataType::f32);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].measured) rows.emplace_back(i, std::string(op.name) + cases[i].row);
  }
  return rows;
}

std::vector<std::string> row_names() {
  std::vector<std::string> names;
  for (const Operation& op : operations()) {
    for (const auto& [place, name] : rows_of(op)) names.push_back(name);
  }
  return names;
}

std::string choices() {
  std::string text = "operations, and the layers at which VGG-19 has them (--shape=LAYER@SIZE):\n";
  for (const Operation& op : operations()) {
    for (const auto& [place, name] : rows_of(op)) text += layers_line(name, op);
  }
  return text + backend_names();
}

std::vector<Contender> contenders_of(const BackendAxes& axes) {
  std::vector<Contender> contenders;
  for (const SharedBackend& backend : axes.open()) {
    contenders.push_back({.name = std::string(backend->name()),
                          .backend = backend,
                          .measure = [=](benchmark::State& state, const Contender::Launch& launch,
                                         const OpCase& /*op_case*/) {
                            time_by_clock(state, [&] {
                              launch();
                              backend->synchronize();
                            });
                          }});
  }
  return contenders;
}

}  // namespace
}  // namespace impasto::bench

int main(int argc, char** argv) {
  using namespace impasto::bench;
  std::vector<std::string> ops;
  BackendAxes backends;
  OperationRows rows(most_checked_flops);
  return run_program(argc, argv,
                     {.about = "Every operation of an iteration, alone, on a backend.",
                      .add_options =
                          [&](CLI::App& app) {
                            add_op_axis(app, row_names(), ops);
                            backends.add_options(app, "--dtype");
                            rows.add_options(app);
                          },
                      .choices = choices,
                      .register_rows =
                          [&] {
                            const std::vector<Contender> contenders = contenders_of(backends);
                            for (const impasto::Operation& op : impasto::operations()) {
                              for (const auto& [place, name] : rows_of(op)) {
                                if (chosen(ops, name)) rows.add(op, place, name, contenders);
                              }
                            }
                          }});
}
