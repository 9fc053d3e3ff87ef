// SPDX-License-Identifier: MIT
// Every rung of every ladder as rows "gram/rung_3_shared_tile/conv3_1@512/bf16/batch:1"; tf32 are
// float maps whose products tensor cores compute.
#include <limits>
#include <optional>
#include <set>

#include "benchmarks/ladder/ladders.hpp"
#include "benchmarks/ladder/measure.hpp"
#include "benchmarks/operation_rows.hpp"
#include "host/backend/device/device_backend.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/core/error.hpp"

namespace impasto::bench::IMPASTO_DEVICE {
namespace {

using namespace impasto::IMPASTO_DEVICE;
using kernels::Arithmetic;

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
  std::shared_ptr<Backend> backend;
};

/// A rung of a ladder on a device, as benchmarks launch it: forced, or a library's own call.
std::vector<LibraryRung> rungs_of(const Ladder& ladder, const Device& device,
                                  std::span<const Tensor> tensors) {
  std::vector<LibraryRung> rungs;
  const auto own = ladder.rungs.find(device.backend->activation_type());
  if (own != ladder.rungs.end()) {
    for (const kernels::Rung& rung : own->second) rungs.push_back({rung, {}});
  }
  for (LibraryRung& library : library_rungs(ladder.op.name, *device.runtime, tensors)) {
    rungs.push_back(std::move(library));
  }
  std::erase_if(rungs, [&](const LibraryRung& each) {
    return !each.rung.runs_on(device.runtime->sm()) ||
           !belongs(each.rung, device.backend->precision());
  });
  return rungs;
}

struct Axes {
  std::vector<std::string> ops = {};    ///< none: all
  std::vector<std::string> rungs = {};  ///< none: all
  std::vector<std::string> dtypes = {"fp32", "tf32", "bf16"};
};

class Bench {
 public:
  /// With `run_once` nothing is timed, so the ceilings are not needed either.
  Bench(Axes axes, bool run_once) : axes_(std::move(axes)), ladders_(ladders()) {
    for (const std::string& dtype : axes_.dtypes) devices_.emplace_back(*parse_precision(dtype));
    if (!run_once) measure_ = open_measure(*devices_.front().runtime);
    add_context("device", devices_.front().runtime->device());
  }

  void register_rows(OperationRows& rows) {
    std::set<std::string_view> offered;
    bool any = false;
    for (const Ladder& ladder : ladders_) {
      if (!chosen(axes_.ops, ladder.op.name)) continue;
      std::vector<Contender> contenders;
      for (const Device& device : devices_) add_contenders(ladder, device, contenders, offered);
      any = any || !contenders.empty();
      // The one that benchmarks measure; of several the first.
      const auto cases = ladder.op.cases({1, 4, 4, 8}, 8, DataType::f32);
      const auto measured = std::ranges::find(cases, true, &OpCase::measured);
      rows.add(ladder.op, static_cast<std::size_t>(measured - cases.begin()),
               std::string(ladder.op.name), contenders);
    }
    for (const std::string& asked : axes_.rungs) {
      if (!offered.contains(asked)) {
        fail(ErrorKind::usage, "--rung: expected one of {}, got '{}'", fmt::join(offered, ", "),
             asked);
      }
    }
    if (!any) fail(ErrorKind::usage, "--dtype: no operation asked for has it");
  }

 private:
  void add_contenders(const Ladder& ladder, const Device& device, std::vector<Contender>& to,
                      std::set<std::string_view>& offered) const {
    const DataType storage = device.backend->activation_type();
    if (ladder.op.on_pixels && device.backend->precision() != Precision::fp32) return;
    Workbench bench(*device.backend, storage);
    const auto cases = ladder.op.cases({1, 1, 1, 1}, 1, storage);
    const Prepared tiny =
        std::ranges::find(cases, true, &OpCase::measured)->prepare(*device.backend, bench);
    for (const LibraryRung& each : rungs_of(ladder, device, tiny.tensors)) {
      const kernels::Rung rung = each.rung;
      offered.insert(rung.name);
      if (!chosen(axes_.rungs, rung.name)) continue;
      for (const std::string& variant : profile().variants) {
        Contender contender{.name = std::string(rung.name),
                            .variant = variant,
                            .backend = device.backend,
                            .rung = rung.name,
                            .label = std::string(rung.idea)};
        if (each.launch) {
          contender.instead = [=, op = ladder.op.name,
                               runtime = device.runtime](std::span<const Tensor> tensors) {
            const auto found = library_rungs(op, *runtime, tensors);
            return std::ranges::find(found, rung.name,
                                     [](const LibraryRung& one) { return one.rung.name; })
                ->launch;
          };
        }
        contender.measure = [this, variant, storage, rung, runtime = device.runtime](
                                benchmark::State& state, const Contender::Launch& launch,
                                const OpCase& op_case) {
          measure_(state, {runtime, launch, op_case.work, storage, rung.arithmetic}, variant);
          state.counters["tensor_cores"] = rung.arithmetic == Arithmetic::tensor_cores ? 1 : 0;
        };
        to.push_back(std::move(contender));
      }
    }
  }

  Axes axes_;
  std::vector<Ladder> ladders_;
  std::vector<Device> devices_;
  Measure measure_;
};

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const Ladder& ladder : ladders()) names.emplace_back(ladder.op.name);
  return names;
}

/// Of each ladder the layers at which VGG-19 has the operation, and its rungs with their ideas.
std::string choices() {
  std::string text =
      "operations, the layers at which VGG-19 has them (--shape=LAYER@SIZE), and their rungs:\n";
  for (const Ladder& ladder : ladders()) {
    text += layers_line(ladder.op.name, ladder.op);
    std::set<std::string_view> listed;
    for (const auto& [storage, rungs] : ladder.rungs) {
      for (const kernels::Rung& rung : rungs) {
        if (!listed.insert(rung.name).second) continue;
        text += fmt::format("    {:<24}{}{}\n", rung.name, rung.idea, rung.ships ? " (ships)" : "");
      }
    }
  }
  return text + "tf32: float maps whose products tensor cores compute\n";
}

}  // namespace
}  // namespace impasto::bench::IMPASTO_DEVICE

int main(int argc, char** argv) {
  using namespace impasto::bench;
  namespace device = impasto::bench::IMPASTO_DEVICE;
  device::Axes axes;
  OperationRows rows(std::numeric_limits<double>::infinity());
  rows.shapes = device::profile().shapes;
  std::optional<device::Bench> bench;  // after --help, which needs no device
  return run_program(
      argc, argv,
      {.about = device::profile().about,
       .add_options =
           [&](CLI::App& app) {
             add_op_axis(app, device::op_names(), axes.ops);
             add_axis(app, "--rung", axes.rungs, "rungs of their ladders (all)");
             rows.add_options(app);
             add_precision_axis(app, "--dtype", axes.dtypes, "precisions (fp32, tf32, bf16)");
             app.add_flag("--run-once", rows.run_once,
                          "compare with the reference, time nothing: one launch for a profiler");
           },
       .choices = device::choices,
       .flags = device::profile().flags,
       .register_rows = [&] { bench.emplace(axes, rows.run_once).register_rows(rows); }});
}
