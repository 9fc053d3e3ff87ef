// SPDX-License-Identifier: MIT
#include "benchmarks/operation_rows.hpp"

#include <algorithm>

#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "kernels/common/tuning.hpp"

namespace impasto::bench {

std::vector<MeasuredCase> measured_cases(const Operation& op) {
  std::vector<MeasuredCase> measured;
  const std::vector<OpCase> cases = op.cases({1, 4, 4, op.on_pixels ? 3 : 8}, 8, DataType::f32);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].measured) measured.push_back({op, i, std::string(op.name) + cases[i].row});
  }
  return measured;
}

void OperationRows::add_options(CLI::App& app, const std::vector<std::string>& names) {
  add_axis(app, "--op", ops, "operations (all)")->check(CLI::IsMember(names));
  add_shape_axis(app, shapes);
  add_batch_axis(app, batches);
}

void OperationRows::add(const MeasuredCase& measured, const std::vector<Contender>& contenders) {
  for (NamedShape shape : shapes_of(shapes, measured.op)) {
    for (const std::int64_t batch : batches) {
      shape.map.batch = batch;
      for (const Contender& contender : contenders) {
        const Precision precision = contender.backend->precision();
        if (measured.op.on_pixels && precision != Precision::fp32) continue;
        const std::string at =
            fmt::format("{}/{}/batch:{}", shape.name, to_string(precision), batch);
        const Row row{measured, shape, contender, measured.name + at};
        const auto body = [this, row](benchmark::State& state) {
          try {
            measure(state, row);
          } catch (const Error& error) {  // a library may have no way to do this
            state.SkipWithError(error.what());
          }
        };
        auto* registered = add_row(
            fmt::format("{}/{}/{}{}", measured.name, contender.name, at, contender.variant),
            fmt::format("{} {}", measured.name, at), contender.name + contender.variant, body);
        if (run_once) registered->Iterations(1)->Repetitions(1);
      }
    }
  }
}

OpCase OperationRows::Row::at(const Shape& map) const {
  const DataType storage = contender.backend->activation_type();
  return measured.op.cases(map, shape.out_channels, storage)[measured.place];
}

const CheckResult& OperationRows::check(const Row& row, Workbench& bench,
                                        const Prepared& prepared) {
  Backend& backend = *row.contender.backend;
  Shape map = row.shape.map;
  const double flops = row.at(map).work.flops;
  if (flops > most_checked_flops_) {
    const double rows = static_cast<double>(map.height) * most_checked_flops_ / flops;
    map.height = std::max<std::int64_t>(4, static_cast<std::int64_t>(rows));
  }
  const OpCase op_case = row.at(map);
  if (point_ != row.point) {
    const std::unique_ptr<Backend> reference = make_backend("reference");
    expected_ = outputs_of(op_case, *reference, backend.activation_type());
    point_ = row.point;
    verdicts_.clear();
  }
  // Once: repetitions run the same code on the same inputs.
  const auto known = verdicts_.find(row.contender.name);
  if (known != verdicts_.end()) return known->second;
  const Outputs found = map == row.shape.map
                            ? outputs_of(op_case, backend, bench, prepared)
                            : outputs_of(op_case, backend, backend.activation_type());
  const ErrorLimit limit = op_case.limit(backend.precision());
  return verdicts_[row.contender.name] = judge(error_of(found, expected_), limit);
}

void OperationRows::measure(benchmark::State& state, const Row& row) {
  const Contender& contender = row.contender;
  const kernels::ForcedRung forced(row.measured.op.name, contender.rung);
  const OpCase op_case = row.at(row.shape.map);
  Workbench bench(*contender.backend, contender.backend->activation_type());
  Prepared prepared = op_case.prepare(*contender.backend, bench);
  if (contender.instead) prepared.run = contender.instead(prepared.tensors);
  const CheckResult& verdict = check(row, bench, prepared);
  if (!verdict.passed()) {
    state.SkipWithError(fmt::format("an error of {:.2g} of the RMS, allowed are {:.2g}",
                                    verdict.error, verdict.limit)
                            .c_str());
    return;
  }
  report(state, op_case.work);
  if (run_once) {  // the check was the run
    for (auto _ : state) state.SetIterationTime(0);
    for (const char* rate : {"GB/s", "TFLOP/s"}) state.counters.erase(rate);
  } else {
    contender.measure(state, prepared.run, op_case.work);
  }
  state.counters["error"] = verdict.error;
  state.counters["channels"] = static_cast<double>(row.shape.map.channels);
  state.counters["pixels"] = static_cast<double>(row.shape.map.pixels());
  state.SetLabel(contender.label);
}

}  // namespace impasto::bench
