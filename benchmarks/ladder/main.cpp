// SPDX-License-Identifier: MIT
// Every rung of every ladder as rows "gram/rung_3_shared_tile/conv3_1@512/bf16/batch:1"; tf32 are
// float maps whose products tensor cores compute. A row's result is compared with the reference's
// before it is measured; one that is wrong is not shown.
#include <map>
#include <optional>
#include <set>

#include "benchmarks/ladder/ladders.hpp"
#include "benchmarks/ladder/measure.hpp"
#include "benchmarks/program.hpp"
#include "benchmarks/shapes.hpp"
#include "host/backend/device/device_backend.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/backend/reference/reference_backend.hpp"
#include "host/check/check.hpp"
#include "host/core/error.hpp"
#include "kernels/common/tuning.hpp"

namespace impasto::bench::IMPASTO_DEVICE {
namespace {

using namespace impasto::IMPASTO_DEVICE;
using kernels::Arithmetic;

double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

/// Float maps' rungs are named by how they multiply; those of 16-bit maps multiply either way.
bool belongs(const kernels::Rung& rung, Precision precision) {
  if (precision == Precision::fp32) return rung.arithmetic == Arithmetic::fp32;
  if (precision == Precision::tf32) return rung.arithmetic == Arithmetic::tensor_cores;
  return true;
}

/// A device backend without libraries, which a ladder's operations do not need, and its runtime.
struct Device {
  explicit Device(Precision precision) {
    auto owned = std::make_unique<Runtime>();
    runtime = owned.get();
    backend = make_device_backend("ladder", precision, std::move(owned),
                                  std::make_unique<Libraries>(), Tuning::off, PlanCache("", {}));
  }
  Runtime* runtime;
  std::unique_ptr<Backend> backend;
};

/// Where on the axes rows lie that share their inputs and what is expected of them.
struct Point {
  const Ladder* ladder;
  NamedShape shape;
  Precision precision;

  [[nodiscard]] std::string name() const {
    return fmt::format("{}/{}/batch:{}", shape.name, to_string(precision), shape.map.batch);
  }
  /// The one that benchmarks measure; of several the first.
  [[nodiscard]] OpCase op_case(DataType storage) const {
    const auto cases = ladder->op.cases(shape.map, shape.out_channels, storage);
    return *std::find_if(cases.begin(), cases.end(),
                         [](const OpCase& each) { return each.measured; });
  }
};

struct Axes {
  std::vector<std::string> ops = {};    ///< none: all
  std::vector<std::string> rungs = {};  ///< none: all
  std::vector<std::string> shapes = profile().shapes;
  std::vector<std::string> dtypes = {"fp32", "tf32", "bf16"};
  std::vector<std::int64_t> batches = {1};
};

class Bench {
 public:
  explicit Bench(Axes axes) : axes_(std::move(axes)), ladders_(ladders()) {
    for (const std::string& dtype : axes_.dtypes) {
      devices_.try_emplace(*parse_precision(dtype), *parse_precision(dtype));
    }
    measure_ = open_measure(*devices_.begin()->second.runtime);
  }

  void register_rows() {
    benchmark::AddCustomContext("device", devices_.begin()->second.runtime->device());
    for (const Ladder& ladder : ladders_) {
      if (!chosen(axes_.ops, ladder.op.name)) continue;
      for (NamedShape shape : shapes_of(axes_.shapes, ladder.op)) {
        for (const std::int64_t batch : axes_.batches) {
          for (const std::string& dtype : axes_.dtypes) {
            shape.map.batch = batch;
            register_rungs({&ladder, shape, *parse_precision(dtype)});
          }
        }
      }
    }
    for (const std::string& asked : axes_.rungs) {
      if (!registered_.contains(asked)) {
        fail(ErrorKind::usage, "--rung: no ladder asked for has a '{}' of that dtype", asked);
      }
    }
    if (registered_.empty()) fail(ErrorKind::usage, "--dtype: no operation asked for has it");
  }

 private:
  void register_rungs(const Point& point) {
    const Device& device = devices_.at(point.precision);
    const DataType storage = device.backend->activation_type();
    if (point.ladder->op.on_pixels && point.precision != Precision::fp32) return;
    const auto own = point.ladder->rungs.find(storage);
    std::vector<kernels::Rung> rungs;
    if (own != point.ladder->rungs.end()) rungs = own->second;
    Point tiny = point;
    tiny.shape.map = {1, 1, 1, 1};
    Workbench bench(*device.backend, storage);
    const Prepared prepared = tiny.op_case(storage).prepare(*device.backend, bench);
    for (const LibraryRung& library :
         library_rungs(point.ladder->op.name, *device.runtime, prepared.tensors)) {
      rungs.push_back(library.rung);
    }
    for (const kernels::Rung& rung : rungs) {
      if (!chosen(axes_.rungs, rung.name) || !rung.runs_on(device.runtime->sm()) ||
          !belongs(rung, point.precision)) {
        continue;
      }
      registered_.emplace(rung.name);
      for (const std::string& variant : profile().variants) {
        const std::string name =
            fmt::format("{}/{}/{}{}", point.ladder->op.name, rung.name, point.name(), variant);
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=, this](benchmark::State& state) {
                                       try {
                                         measure(state, point, rung, variant);
                                       } catch (const Error& error) {
                                         // A library may have no way to do this.
                                         state.SkipWithError(error.what());
                                       }
                                     })
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond)
            ->ComputeStatistics("min", least);
      }
    }
  }

  /// What the reference computes, kept for the rungs of one point.
  const Outputs& expected(const Point& point, const OpCase& op_case, DataType storage) {
    const std::string key = std::string(point.ladder->op.name) + point.name();
    if (key != expected_of_) {
      const std::unique_ptr<Backend> reference = make_reference_backend();
      expected_ = outputs_of(op_case, *reference, storage);
      expected_of_ = key;
      verdicts_.clear();
    }
    return expected_;
  }

  void measure(benchmark::State& state, const Point& point, const kernels::Rung& rung,
               const std::string& variant) {
    Device& device = devices_.at(point.precision);
    Backend& backend = *device.backend;
    const DataType storage = backend.activation_type();
    const OpCase op_case = point.op_case(storage);
    const Outputs& wanted = expected(point, op_case, storage);
    const kernels::ForcedRung forced(point.ladder->op.name, rung.name);
    Workbench bench(backend, storage);
    Prepared prepared = op_case.prepare(backend, bench);
    for (const LibraryRung& library :
         library_rungs(point.ladder->op.name, *device.runtime, prepared.tensors)) {
      if (library.rung.name == rung.name) prepared.run = library.launch;
    }
    // Once: its repetitions run the same code on the same inputs.
    auto known = verdicts_.find(rung.name);
    if (known == verdicts_.end()) {
      const ErrorLimit error = error_of(outputs_of(op_case, backend, bench, prepared), wanted);
      // Maps in 16 bits may be multiplied in float.
      known = verdicts_.emplace(rung.name, judge(error, op_case.limit(point.precision))).first;
    }
    const CheckResult& verdict = known->second;
    if (!verdict.passed()) {
      state.SkipWithError(fmt::format("an error of {:.2g} of the RMS, allowed are {:.2g}",
                                      verdict.error, verdict.limit)
                              .c_str());
      return;
    }
    const auto roof = measure_(
        state, {device.runtime, prepared.run, op_case.work, storage, rung.arithmetic}, variant);
    report(state, op_case.work);
    if (roof) {
      state.counters["roof_share"] = rate_of(*roof);
    } else {  // it was not timed
      state.counters.erase("GB/s");
      state.counters.erase("TFLOP/s");
    }
    state.SetLabel(std::string(rung.idea));
    state.counters["error"] = verdict.error;
    state.counters["channels"] = static_cast<double>(point.shape.map.channels);
    state.counters["pixels"] = static_cast<double>(point.shape.map.pixels());
    state.counters["tensor_cores"] = rung.arithmetic == Arithmetic::tensor_cores ? 1 : 0;
  }

  Axes axes_;
  std::vector<Ladder> ladders_;
  std::map<Precision, Device> devices_;
  Measure measure_;
  std::set<std::string> registered_;  ///< rungs
  std::string expected_of_;
  Outputs expected_;
  std::map<std::string_view, CheckResult> verdicts_;  ///< by rung
};

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const Ladder& ladder : ladders()) names.emplace_back(ladder.op.name);
  return names;
}

}  // namespace
}  // namespace impasto::bench::IMPASTO_DEVICE

int main(int argc, char** argv) {
  using namespace impasto::bench;
  namespace device = impasto::bench::IMPASTO_DEVICE;
  device::Axes axes;
  std::optional<device::Bench> bench;  // after --help, which needs no device
  return run_program(argc, argv,
                     {.about = device::profile().about,
                      .add_options =
                          [&](CLI::App& app) {
                            add_op_axis(app, device::op_names(), axes.ops);
                            add_axis(app, "--rung", axes.rungs, "rungs of their ladders (all)");
                            add_shape_axis(app, axes.shapes);
                            add_precision_axis(app, "--dtype", axes.dtypes,
                                               "precisions (fp32, tf32, bf16)");
                            add_batch_axis(app, axes.batches);
                          },
                      .footer = "rungs: kernels/<op>/rung_<n>_<idea>.cuh, as rung_1_naive\n"
                                "tf32: float maps whose products tensor cores compute\n",
                      .flags = device::profile().flags,
                      .register_rows = [&] { bench.emplace(axes).register_rows(); }});
}
