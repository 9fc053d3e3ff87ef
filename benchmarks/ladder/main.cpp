// SPDX-License-Identifier: MIT
// Every rung of every ladder as rows "gram/rung_3_shared_tile/conv3_1@512/bf16/batch:1"; tf32 are
// float maps whose products tensor cores compute. A row's result is compared with the reference in
// double before it is measured; one that is wrong is not printed, and the program ends with 8.
#include <cstdio>
#include <fmt/format.h>
#include <map>

#include "benchmarks/ladder/axes.hpp"
#include "benchmarks/ladder/measure.hpp"
#include "host/core/error.hpp"

namespace impasto::bench::IMPASTO_DEVICE {
namespace {

/// What must not be shown: rows whose result is wrong, and figures above the roof, by more than two
/// measurements divided may be.
std::vector<std::string>& refused() {
  static std::vector<std::string> all;
  return all;
}

/// A reporter of Google Benchmark's, without them.
template <class Reporter>
class VerifiedOnly : public Reporter {
 public:
  void ReportRuns(const std::vector<benchmark::BenchmarkReporter::Run>& runs) override {
    std::vector<benchmark::BenchmarkReporter::Run> verified;
    for (const auto& run : runs) {
      if (!run.counters.contains("verified")) continue;
      const auto share = run.counters.find("roof_share");
      if (share != run.counters.end() && share->second > 1.02) {
        refused().push_back(fmt::format("{}: {:.2f} of the roof, which no kernel can exceed",
                                        run.benchmark_name(), share->second.value));
        continue;
      }
      verified.push_back(run);
    }
    if (!verified.empty()) Reporter::ReportRuns(verified);
  }
};

/// What follows `option` on the command line: --benchmark_out=FILE.
std::string value_of(std::string_view option, const std::vector<char*>& arguments) {
  for (const std::string_view argument : arguments) {
    if (argument.starts_with(option)) return std::string(argument.substr(option.size()));
  }
  return {};
}

double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

class Program {
 public:
  explicit Program(Axes axes) : axes_(std::move(axes)), measure_(runtime_) {
    if (!axes_.shapes.empty()) return;
    std::string option = "--shape=";
    for (const std::string& shape : Measure::default_shapes()) {
      option += (option.back() == '=' ? "" : ",") + shape;
    }
    std::vector<char*> arguments = {option.data()};
    axes_.shapes = take_axes(arguments).shapes;
  }

  void register_rows() {
    for (const Op& op : ops()) {
      if (!chosen(axes_.ops, op.name)) continue;
      std::vector<kernels::MapSize> pictures;  // of which several layers may have been named
      for (const NamedShape& shape : axes_.shapes) {
        if (op.on_pixels) {
          if (std::count(pictures.begin(), pictures.end(), shape.pixels) > 0) continue;
          pictures.push_back(shape.pixels);
        }
        for (const DataType type : axes_.types) {
          for (const std::int64_t batch : axes_.batches) {
            Point point{op.on_pixels ? shape.pixels : shape.size, type};
            point.size.batch = batch;
            register_rungs(op, shape.name, point);
          }
        }
      }
    }
  }

  [[nodiscard]] std::string device() const { return runtime_.device(); }

 private:
  /// The arrays of one point at a time: they are made when its first row is measured.
  void register_rungs(const Op& op, const std::string& shape, const Point& point) {
    for (const Contender& listed : op.contenders(runtime_, {{1, 1, 1, 1}, point.type})) {
      if (!chosen(axes_.rungs, listed.rung.name)) continue;
      for (const std::string& variant : Measure::variants()) {
        const bool tf32 = point.type == DataType::f32 &&
                          listed.rung.arithmetic == kernels::Arithmetic::tensor_cores;
        const std::string name =
            fmt::format("{}/{}/{}/{}/batch:{}{}", op.name, listed.rung.name, shape,
                        tf32 ? "tf32" : storage_name(point.type), point.size.batch, variant);
        const std::string rung(listed.rung.name);
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=, this](benchmark::State& state) {
                                       measure(state, name, contender_of(op, point, rung), point,
                                               variant);
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

  void measure(benchmark::State& state, const std::string& name, const Contender& contender,
               const Point& point, const std::string& variant) {
    // Once: its repetitions run the same code on the same inputs.
    const auto known = verdicts_.find(contender.rung.name);
    const Verdict verdict = known != verdicts_.end() ? known->second : contender.verify();
    verdicts_[contender.rung.name] = verdict;
    if (!verdict.good()) {
      refused().push_back(fmt::format("{}: an error of {:.2g} of the RMS, allowed are {:.2g}", name,
                                      verdict.error, verdict.limit));
      state.SkipWithError("wrong");
      return;
    }
    const auto rate = [](double amount) {
      return benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
    };
    const auto roof = measure_.run(state, contender, point, variant);
    if (roof) {
      state.counters["GB/s"] = rate(1e-9 * contender.work.bytes);
      state.counters["TFLOP/s"] = rate(1e-12 * contender.work.flops);
      state.counters["roof_share"] = rate(*roof);
    }
    state.SetLabel(std::string(contender.rung.idea));
    state.counters["verified"] = 1;
    state.counters["error"] = verdict.error;
    state.counters["channels"] = static_cast<double>(point.size.channels);
    state.counters["pixels"] = static_cast<double>(point.size.pixels());
    state.counters["tensor_cores"] =
        contender.rung.arithmetic == kernels::Arithmetic::tensor_cores ? 1 : 0;
    state.counters["bytes"] = contender.work.bytes;
    state.counters["flops"] = contender.work.flops;
    state.counters["intensity"] = contender.work.flops / contender.work.bytes;
  }

  Axes axes_;
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
  try {
    std::vector<std::string> flags = device::Measure::default_flags();
    std::vector<char*> arguments(argv, argv + argc);
    for (std::string& flag : flags) arguments.insert(arguments.begin() + 1, flag.data());
    Axes axes = take_axes(arguments);
    const bool to_file = !device::value_of("--benchmark_out=", arguments).empty();
    const std::string format = device::value_of("--benchmark_format=", arguments);
    const std::string out_format = device::value_of("--benchmark_out_format=", arguments);
    if ((!format.empty() && format != "console" && format != "json") ||
        (!out_format.empty() && out_format != "json")) {
      impasto::fail(impasto::ErrorKind::usage,
                    "--benchmark_format: expected console or json; a file is json");
    }
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    device::Program program(std::move(axes));
    benchmark::AddCustomContext("device", program.device());
    program.register_rows();
    device::VerifiedOnly<benchmark::ConsoleReporter> console;
    device::VerifiedOnly<benchmark::JSONReporter> json;
    device::VerifiedOnly<benchmark::JSONReporter> file;
    benchmark::BenchmarkReporter* shown = &console;
    if (format == "json") shown = &json;
    benchmark::RunSpecifiedBenchmarks(shown, to_file ? &file : nullptr);
    benchmark::Shutdown();
  } catch (const impasto::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.kind());
  }
  for (const std::string& row : device::refused()) std::fprintf(stderr, "%s\n", row.c_str());
  return device::refused().empty() ? 0 : 8;
}
