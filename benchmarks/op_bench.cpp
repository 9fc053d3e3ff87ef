// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

#include <algorithm>
#include <cmath>

#include "benchmarks/on_backends.hpp"
#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

/// The largest difference that rounding explains, in units of the reference's RMS. Observed on the
/// CPU: 1.8e-6 and 1e-2.
double limit(Precision precision) {
  switch (precision) {
    case Precision::fp32: return 1e-5;
    case Precision::tf32: return 3e-2;
    default: return 5e-2;
  }
}

/// NaN is infinitely far.
double error(const std::vector<float>& actual, const std::vector<float>& expected) {
  double squares = 0;
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double wanted = static_cast<double>(expected[i]);
    const double difference = std::abs(static_cast<double>(actual[i]) - wanted);
    worst = std::isfinite(difference) ? std::max(worst, difference) : HUGE_VAL;
    squares += wanted * wanted;
  }
  const double rms = std::sqrt(squares / static_cast<double>(expected.size()));
  return rms > 0 ? worst / rms : worst;
}

std::vector<float> values(Backend& backend, const OwnedTensor& tensor) {
  std::vector<float> result(static_cast<std::size_t>(tensor.tensor.shape.count()));
  backend.read(result, tensor);
  return result;
}

/// Times an operation after comparing what one run of it writes with what the reference backend
/// writes. A row that differs has no time.
void measure(benchmark::State& state, Backend& backend, const MeasuredOp& op, const Shape& map) {
  const Prepared prepared = op.prepare(backend, map);
  prepared.run();
  backend.synchronize();
  double worst = 0;
  {
    const std::unique_ptr<Backend> reference = make_backend("reference");
    const Prepared expected = op.prepare(*reference, map);
    expected.run();
    for (std::size_t i = 0; i < expected.outputs.size(); ++i) {
      worst = std::max(worst, error(values(backend, prepared.outputs[i]),
                                    values(*reference, expected.outputs[i])));
    }
  }
  const double allowed = limit(backend.precision());
  if (worst > allowed) {
    state.SkipWithError(
        fmt::format("an error of {:.2g} of the RMS, allowed are {:.2g}", worst, allowed).c_str());
    return;
  }
  for (auto _ : state) {
    prepared.run();
    backend.synchronize();
  }
  report(state, op.work(map, backend.activation_type()));
  state.counters["error"] = worst;
}

const std::vector<MeasuredOp>& all_ops() {
  static const std::vector<MeasuredOp> all = [] {
    std::vector<MeasuredOp> ops;
    for (const auto& some :
         {preprocess_ops(), pool_ops(), gram_ops(), gram_loss_ops(), style_backward_ops(),
          content_loss_ops(), total_variation_ops(), adam_ops()}) {
      ops.insert(ops.end(), some.begin(), some.end());
    }
    return ops;
  }();
  return all;
}

struct Axes {
  std::vector<std::string> ops;
  BackendAxes backends;
  std::vector<std::string> shapes = {"256"};
  std::vector<std::int64_t> batches = {1};

  void register_rows() const;
};

void Axes::register_rows() const {
  for (const SharedBackend& backend : backends.open()) {
    for (const MeasuredOp& op : all_ops()) {
      if (!chosen(ops, op.name) || (op.cpu_only && backend->name() != "cpu") ||
          (op.float_only && backend->precision() != Precision::fp32)) {
        continue;
      }
      for (const NamedShape& shape : shapes_of(shapes, op.layers, op.on_pixels())) {
        for (const std::int64_t batch : batches) {
          Shape map = shape.size;
          map.batch = batch;
          add(fmt::format("{}/{}/{}/{}/batch:{}", op.name, backend->name(), shape.name,
                          to_string(backend->precision()), batch),
              [=, &op](benchmark::State& state) { measure(state, *backend, op, map); });
        }
      }
    }
  }
}

std::vector<std::string_view> op_names() {
  std::vector<std::string_view> names;
  for (const MeasuredOp& op : all_ops()) names.push_back(op.name);
  return names;
}

}  // namespace
}  // namespace impasto::bench

int main(int argc, char** argv) {
  using namespace impasto::bench;
  Axes axes;
  Program program{
      .about = "Every operation of an iteration but the convolutions, alone, on a backend.",
      .options = axes.backends.options("--dtype"),
      .names = names_for_help("operations", op_names()) + backend_names(),
      .register_rows = [&] { axes.register_rows(); }};
  program.options.insert(program.options.begin(), op_axis(op_names(), axes.ops));
  program.options.push_back(shape_axis(axes.shapes));
  program.options.push_back(batch_axis(axes.batches));
  return run_program(argc, argv, program);
}
