// SPDX-License-Identifier: MIT
// Every operation on a backend, as "gram/cpu/conv3_1@512/bf16/batch:1". Before one is timed, what
// one run of it writes is compared with what the reference backend writes; one that differs has no
// time.
#include "benchmarks/on_backends.hpp"
#include "host/check/check.hpp"

namespace impasto::bench {
namespace {

/// What the reference backend computes in a fraction of a second. A case of more work is checked on
/// as many of its rows as that takes, at full width, in the process that times it.
constexpr double most_checked_flops = 2e8;

struct Measured {
  const Operation* op;
  std::size_t variant;
  NamedShape shape;
};

OpCase case_of(const Measured& what, const Shape& map, DataType storage) {
  return what.op->cases(map, what.shape.out_channels, storage)[what.variant];
}

CheckResult check(Backend& backend, const Measured& what) {
  Shape map = what.shape.map;
  const double flops = case_of(what, map, backend.activation_type()).work.flops;
  if (flops > most_checked_flops) {
    const double rows = static_cast<double>(map.height) * most_checked_flops / flops;
    map.height = std::max<std::int64_t>(4, static_cast<std::int64_t>(rows));
  }
  const std::unique_ptr<Backend> reference = make_backend("reference");
  return compare(case_of(what, map, backend.activation_type()), backend, *reference);
}

void measure(benchmark::State& state, Backend& backend, const Measured& what) {
  const CheckResult checked = check(backend, what);
  if (!checked.passed()) {
    state.SkipWithError(fmt::format("an error of {:.2g} of the RMS, allowed are {:.2g}",
                                    checked.error, checked.limit)
                            .c_str());
    return;
  }
  const OpCase op_case = case_of(what, what.shape.map, backend.activation_type());
  Workbench bench(backend, backend.activation_type());
  const Prepared prepared = op_case.prepare(backend, bench);
  for (auto _ : state) {
    prepared.run();
    backend.synchronize();
  }
  report(state, op_case.work);
  state.counters["error"] = checked.error;
}

/// The rows of an operation, each by its variant's place and what its name adds.
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
    for (const auto& [variant, name] : rows_of(op)) names.push_back(name);
  }
  return names;
}

struct Axes {
  std::vector<std::string> ops = {};
  BackendAxes backends = {};
  std::vector<std::string> shapes = {"256"};
  std::vector<std::int64_t> batches = {1};

  void register_rows() const;
};

void Axes::register_rows() const {
  for (const SharedBackend& backend : backends.open()) {
    for (const Operation& op : operations()) {
      // The pixels are the same in every precision.
      if (op.on_pixels && backend->precision() != Precision::fp32) continue;
      for (const auto& [variant, name] : rows_of(op)) {
        if (!chosen(ops, name)) continue;
        for (NamedShape shape : shapes_of(shapes, op)) {
          for (const std::int64_t batch : batches) {
            shape.map.batch = batch;
            add(fmt::format("{}/{}/{}/{}/batch:{}", name, backend->name(), shape.name,
                            to_string(backend->precision()), batch),
                [=, what = Measured{&op, variant, shape}](benchmark::State& state) {
                  measure(state, *backend, what);
                });
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace impasto::bench

int main(int argc, char** argv) {
  using namespace impasto::bench;
  Axes axes;
  return run_program(argc, argv,
                     {.about = "Every operation of an iteration, alone, on a backend.",
                      .add_options =
                          [&](CLI::App& app) {
                            add_op_axis(app, row_names(), axes.ops);
                            axes.backends.add_options(app, "--dtype");
                            add_shape_axis(app, axes.shapes);
                            add_batch_axis(app, axes.batches);
                          },
                      .footer = backend_names(),
                      .register_rows = [&] { axes.register_rows(); }});
}
