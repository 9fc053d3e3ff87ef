// SPDX-License-Identifier: MIT
#include "benchmarks/operation_rows.hpp"

#include <algorithm>

#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "kernels/common/tuning.hpp"

namespace impasto::bench {

void OperationRows::add_options(CLI::App& app) {
  add_shape_axis(app, shapes);
  add_batch_axis(app, batches);
}

void OperationRows::add(const Operation& op, std::size_t op_case, const std::string& name,
                        const std::vector<Contender>& contenders) {
  for (NamedShape shape : shapes_of(shapes, op)) {
    for (const std::int64_t batch : batches) {
      shape.map.batch = batch;
      for (const Contender& contender : contenders) {
        const Precision precision = contender.backend->precision();
        if (op.on_pixels && precision != Precision::fp32) continue;
        const std::string at =
            fmt::format("{}/{}/batch:{}", shape.name, to_string(precision), batch);
        const Row row{&op, op_case, shape, contender, name + at};
        const auto body = [this, row](benchmark::State& state) {
          try {
            measure(state, row);
          } catch (const Error& error) {  // a library may have no way to do this
            state.SkipWithError(error.what());
          }
        };
        const std::string full =
            fmt::format("{}/{}/{}{}", name, contender.name, at, contender.variant);
        auto* registered =
            add_row(full, fmt::format("{} {}", name, at), contender.name + contender.variant, body);
        if (run_once) registered->Iterations(1)->Repetitions(1);
      }
    }
  }
}

OpCase OperationRows::Row::at(const Shape& map) const {
  return op->cases(map, shape.out_channels, contender.backend->activation_type())[op_case];
}

Prepared OperationRows::Row::prepare(const OpCase& at, Workbench& bench) const {
  Prepared prepared = at.prepare(*contender.backend, bench);
  if (contender.instead) prepared.run = contender.instead(prepared.tensors);
  return prepared;
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
  Backend& backend = *row.contender.backend;
  const kernels::ForcedRung forced(row.op->name, row.contender.rung);
  const OpCase op_case = row.at(row.shape.map);
  Workbench bench(backend, backend.activation_type());
  const Prepared prepared = row.prepare(op_case, bench);
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
    row.contender.measure(state, prepared.run, op_case);
  }
  state.counters["error"] = verdict.error;
  state.counters["channels"] = static_cast<double>(row.shape.map.channels);
  state.counters["pixels"] = static_cast<double>(row.shape.map.pixels());
  state.SetLabel(row.contender.label);
}

}  // namespace impasto::bench
