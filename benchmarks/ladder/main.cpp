// SPDX-License-Identifier: MIT
// Every rung of every ladder as rows "gram/rung_3_shared_tile/conv3_1@512/bf16/batch:1"; tf32 are
// float maps whose products tensor cores compute. A row's result is compared with the reference in
// double before it is measured; one that is wrong is not shown.
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>

#include "benchmarks/ladder/measure.hpp"
#include "benchmarks/program.hpp"
#include "host/core/error.hpp"

namespace impasto::bench::IMPASTO_DEVICE {
namespace {

double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

/// A precision as rows are named by it: how maps are stored, and for float ones how rungs multiply.
struct Precision {
  std::string_view name;
  DataType type;
  std::optional<kernels::Arithmetic> only;
};
constexpr std::array<Precision, 4> precisions = {
    {{"fp32", DataType::f32, kernels::Arithmetic::fp32},
     {"tf32", DataType::f32, kernels::Arithmetic::tensor_cores},
     {"bf16", DataType::bf16, std::nullopt},
     {"fp16", DataType::fp16, std::nullopt}}};

/// `name` is one of them.
const Precision& precision_of(std::string_view name) {
  return *std::find_if(precisions.begin(), precisions.end(),
                       [&](const Precision& each) { return each.name == name; });
}

std::vector<std::string_view> op_names() {
  std::vector<std::string_view> names;
  for (const Op& op : ops()) names.push_back(op.name);
  return names;
}

struct Axes {
  std::vector<std::string> ops;    ///< none: all
  std::vector<std::string> rungs;  ///< none: all
  std::vector<std::string> shapes = Measure::default_shapes();
  std::vector<std::string> dtypes = {"fp32", "tf32", "bf16"};
  std::vector<std::int64_t> batches = {1};
};

class Laboratory {
 public:
  explicit Laboratory(Axes axes) : axes_(std::move(axes)), measure_(runtime_) {}

  void register_rows() {
    benchmark::AddCustomContext("device", runtime_.device());
    for (const Op& op : ops()) {
      if (!chosen(axes_.ops, op.name)) continue;
      for (const NamedShape& shape : shapes_of(axes_.shapes, style_layers, op.on_pixels)) {
        for (const std::int64_t batch : axes_.batches) {
          for (const std::string& dtype : axes_.dtypes) {
            const Precision& precision = precision_of(dtype);
            Point point{shape.size, precision.type};
            point.size.batch = batch;
            register_rungs(op, shape.name, precision, point);
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
  /// The arrays of one point at a time: they are made when its first row is measured.
  void register_rungs(const Op& op, const std::string& shape, const Precision& precision,
                      const Point& point) {
    for (const Contender& listed : op.contenders(runtime_, {{1, 1, 1, 1}, point.type})) {
      if (!chosen(axes_.rungs, listed.rung.name) || !listed.rung.runs_on(runtime_.sm()) ||
          listed.rung.arithmetic != precision.only.value_or(listed.rung.arithmetic)) {
        continue;
      }
      registered_.emplace(listed.rung.name);
      for (const std::string& variant : Measure::variants()) {
        const std::string name = fmt::format("{}/{}/{}/{}/batch:{}{}", op.name, listed.rung.name,
                                             shape, precision.name, point.size.batch, variant);
        const std::string rung(listed.rung.name);
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=, this](benchmark::State& state) {
                                       try {
                                         measure(state, contender_of(op, point, rung), point,
                                                 variant);
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

  const Contender& contender_of(const Op& op, const Point& point, const std::string& rung) {
    if (op.name != held_op_ || point.size != held_.size || point.type != held_.type) {
      contenders_.clear();
      verdicts_.clear();
      contenders_ = op.contenders(runtime_, point);
      held_op_ = op.name;
      held_ = point;
    }
    return *std::find_if(contenders_.begin(), contenders_.end(),
                         [&](const Contender& each) { return each.rung.name == rung; });
  }

  void measure(benchmark::State& state, const Contender& contender, const Point& point,
               const std::string& variant) {
    // Once: its repetitions run the same code on the same inputs.
    const auto known = verdicts_.find(contender.rung.name);
    const Verdict verdict = known != verdicts_.end() ? known->second : contender.verify();
    verdicts_[contender.rung.name] = verdict;
    if (!verdict.good()) {
      state.SkipWithError(fmt::format("an error of {:.2g} of the RMS, allowed are {:.2g}",
                                      verdict.error, verdict.limit)
                              .c_str());
      return;
    }
    const auto roof = measure_.run(state, contender, point, variant);
    report(state, contender.work);
    if (roof) {
      state.counters["roof_share"] = rate_of(*roof);
    } else {  // it was not timed
      state.counters.erase("GB/s");
      state.counters.erase("TFLOP/s");
    }
    state.SetLabel(std::string(contender.rung.idea));
    state.counters["error"] = verdict.error;
    state.counters["channels"] = static_cast<double>(point.size.channels);
    state.counters["pixels"] = static_cast<double>(point.size.pixels());
    state.counters["tensor_cores"] =
        contender.rung.arithmetic == kernels::Arithmetic::tensor_cores ? 1 : 0;
  }

  Axes axes_;
  std::set<std::string> registered_;  ///< rungs
  Runtime runtime_;
  Measure measure_;
  std::string_view held_op_;  ///< what `contenders_` are of
  Point held_;
  std::vector<Contender> contenders_;
  std::map<std::string_view, Verdict> verdicts_;  ///< by rung
};

}  // namespace
}  // namespace impasto::bench::IMPASTO_DEVICE

int main(int argc, char** argv) {
  using namespace impasto::bench;
  namespace device = impasto::bench::IMPASTO_DEVICE;
  device::Axes axes;
  std::optional<device::Laboratory> laboratory;  // after --help, which needs no device
  return run_program(
      argc, argv,
      {.about = device::Measure::about(),
       .options = {op_axis(device::op_names(), axes.ops),
                   word_axis("--rung", "NAME,...", "rungs of their ladders (all)", {}, axes.rungs),
                   shape_axis(axes.shapes),
                   precision_axis("--dtype", "precisions (fp32, tf32, bf16)", axes.dtypes),
                   batch_axis(axes.batches)},
       .names = names_for_help("operations", device::op_names()) +
                "rungs: kernels/<op>/rung_<n>_<idea>.cuh, as rung_1_naive\n"
                "tf32: float maps whose products tensor cores compute\n",
       .flags = device::Measure::default_flags(),
       .register_rows = [&] { laboratory.emplace(axes).register_rows(); }});
}
