// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

#include <algorithm>
#include <cmath>

#include "benchmarks/program.hpp"

namespace impasto::bench {

Shape map_at(std::string_view layer, std::int64_t size) {
  return Network(PoolKind{}).feature_shape({1, size, size, 3}, vgg19_index(layer));
}

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

}  // namespace

void measure_verified(benchmark::State& state, Backend& backend, const work::Work& work,
                      const std::function<Prepared(Backend&)>& prepare) {
  const Prepared prepared = prepare(backend);
  prepared.run();
  backend.synchronize();
  double worst = 0;
  {
    const std::unique_ptr<Backend> reference = make_backend("reference");
    const Prepared expected = prepare(*reference);
    expected.run();
    for (std::size_t i = 0; i < expected.outputs.size(); ++i) {
      worst = std::max(worst, error(values(backend, prepared.outputs[i]),
                                    values(*reference, expected.outputs[i])));
    }
  }
  if (worst > limit(backend.precision())) {
    state.SkipWithError(
        fmt::format("differs from the reference by {:.2g} of its RMS", worst).c_str());
    return;
  }
  for (auto _ : state) {
    prepared.run();
    backend.synchronize();
  }
  report(state, work);
  state.counters["bytes"] = work.bytes;
  state.counters["flops"] = work.flops;
  state.counters["intensity"] = work.flops / work.bytes;
  state.counters["error"] = worst;
  state.counters["verified"] = 1;
}

void register_benchmarks(const Settings& settings) {
  for_each_precision(settings, [&](const std::shared_ptr<Backend>& backend) {
    add_preprocess(backend, settings.size);
    add_pool(backend, settings.size);
    add_gram(backend, settings.size);
    add_style_loss(backend, settings.size);
    add_style_backward(backend, settings.size);
    add_content_loss(backend, settings.size);
    if (backend->precision() != Precision::fp32) return;  // the same whatever the precision
    add_total_variation(backend, settings.size);
    add_adam(backend, settings.size);
  });
}

}  // namespace impasto::bench
