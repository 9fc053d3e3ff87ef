// SPDX-License-Identifier: MIT
// Every rung of every ladder as rows "gram/rung_3_shared_tile/conv3_1@512/bf16/batch:1"; tf32 are
// float maps whose products tensor cores compute.
#include <algorithm>
#include <fmt/ranges.h>
#include <limits>
#include <set>

#include "benchmarks/ladder/device.hpp"
#include "benchmarks/ladder/measure.hpp"
#include "host/check/ladders.hpp"
#include "host/core/error.hpp"

namespace impasto::bench::IMPASTO_DEVICE {
namespace {

using namespace impasto::IMPASTO_DEVICE;

/// A ladder's rungs on a device, and the libraries' beside them.
std::vector<Contender> contenders_of(const Ladder& ladder, const Device& device,
                                     const Measure& measure) {
  const Precision precision = device.backend->precision();
  if (ladder.op.on_pixels && precision != Precision::fp32) return {};
  std::vector<Contender> rungs;
  if (const auto own = ladder.rungs.find(precision); own != ladder.rungs.end()) {
    for (const kernels::Rung& rung : own->second) rungs.push_back({.rung = rung});
  }
  for (Contender& library : library_rungs(ladder.op.name, *device.runtime, precision)) {
    rungs.push_back(std::move(library));
  }
  std::vector<Contender> contenders;
  for (Contender& each : rungs) {
    if (!each.rung.runs_on(device.runtime->sm())) continue;
    each.name = each.rung.name;
    each.backend = device.backend;
    each.sets = measure.sets;
    each.measure = [=, runtime = device.runtime](benchmark::State& state, const Contender& self,
                                                 const std::vector<Contender::Launch>& launches,
                                                 const work::Work& work) {
      measure.loop(state, *runtime, self, launches, work);
      const bool tensor_cores = self.rung.arithmetic == kernels::Arithmetic::tensor_cores;
      state.counters["tensor_cores"] = tensor_cores ? 1 : 0;
    };
    for (const std::string& variant : profile().variants) {
      each.variant = variant;
      contenders.push_back(each);
    }
  }
  return contenders;
}

struct Axes {
  std::vector<std::string> rungs = {};  ///< none: all
  std::vector<std::string> dtypes = {"fp32", "tf32", "bf16"};
};

/// The rows use the devices that it opens.
void register_rows(const Axes& axes, OperationRows& rows, std::vector<Device>& devices) {
  for (const std::string& dtype : axes.dtypes) devices.emplace_back(*parse_precision(dtype));
  Runtime& first = *devices.front().runtime;
  // Where nothing is timed the ceilings are not needed either.
  const Measure measure = rows.run_once ? Measure() : open_measure(first);
  add_context("device", first.device());
  std::set<std::string> offered;
  for (const Ladder& ladder : ladders()) {
    if (!chosen(rows.ops, ladder.op.name)) continue;
    std::vector<Contender> asked;
    for (const Device& device : devices) {
      for (Contender& each : contenders_of(ladder, device, measure)) {
        offered.insert(each.name);
        if (chosen(axes.rungs, each.name)) asked.push_back(std::move(each));
      }
    }
    MeasuredCase measured = measured_cases(ladder.op).front();
    measured.name = ladder.op.name;
    rows.add(measured, asked);
  }
  if (offered.empty()) fail(ErrorKind::usage, "--dtype: no operation asked for has it");
  for (const std::string& asked : axes.rungs) {
    if (!offered.contains(asked)) {
      fail(ErrorKind::usage, "--rung: expected one of {} (in {}), got '{}'",
           fmt::join(offered, ", "), fmt::join(axes.dtypes, ", "), asked);
    }
  }
}

/// Whether a later rung ships in its place, on every GPU that runs it.
bool is_superseded(const kernels::Rung& rung, const std::vector<kernels::Rung>& ladder) {
  const auto own = std::ranges::find(ladder, rung.name, &kernels::Rung::name);
  return std::any_of(own + 1, ladder.end(), [&](const kernels::Rung& later) {
    return later.ships && later.arithmetic == rung.arithmetic && !later.sm_90a &&
           later.least_sm <= rung.least_sm;
  });
}

/// Of each ladder the layers at which VGG-19 has the operation, and its rungs with their ideas.
std::string choices() {
  std::string text =
      "operations, the layers at which VGG-19 has them (--shape=LAYER@SIZE), and their rungs:\n";
  for (const Ladder& ladder : ladders()) {
    text += layers_line(ladder.op.name, ladder.op);
    std::set<std::string_view> listed;
    for (const auto& [precision, rungs] : ladder.rungs) {
      for (const kernels::Rung& rung : rungs) {
        if (!listed.insert(rung.name).second) continue;
        const bool ships = rung.ships && !is_superseded(rung, rungs);
        text += fmt::format("    {:<38}{}{}\n", rung.name, rung.idea, ships ? " (ships)" : "");
      }
    }
  }
  return text + "tf32: float maps whose products tensor cores compute\n";
}

void add_options(CLI::App& app, Axes& axes, OperationRows& rows) {
  std::vector<std::string> ops;
  for (const Ladder& ladder : ladders()) ops.emplace_back(ladder.op.name);
  rows.add_options(app, ops);
  add_axis(app, "--rung", axes.rungs, "rungs of their ladders (all)");
  add_axis(app, "--dtype", axes.dtypes, "precisions (fp32, tf32, bf16)")
      ->check(CLI::IsMember(std::vector<std::string>{"fp32", "tf32", "bf16", "fp16"}));
  app.add_flag("--run-once", rows.run_once,
               "compare with the reference, time nothing: one launch for a profiler");
}

}  // namespace
}  // namespace impasto::bench::IMPASTO_DEVICE

int main(int argc, char** argv) {
  using namespace impasto::bench;
  namespace device = impasto::bench::IMPASTO_DEVICE;
  device::Axes axes;
  OperationRows rows(std::numeric_limits<double>::infinity());
  rows.shapes = device::profile().shapes;
  std::vector<device::Device> devices;
  return run_program(argc, argv,
                     {.about = device::profile().about,
                      .add_options = [&](CLI::App& app) { device::add_options(app, axes, rows); },
                      .choices = device::choices,
                      .flags = device::profile().flags,
                      .rule = device::profile().rule,
                      .register_rows = [&] { device::register_rows(axes, rows, devices); }});
}
