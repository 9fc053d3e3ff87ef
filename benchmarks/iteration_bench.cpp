// SPDX-License-Identifier: MIT
// One iteration of the preset coursera:
//   iteration/<precision>/<size>       the whole of it, with the rate of the work it has to do
//   step/<precision>/<size>/<name>     each of its operations where it stands in the iteration: the
//                                      median over a few iterations, measured once for all steps
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "benchmarks/inputs.hpp"
#include "benchmarks/program.hpp"
#include "benchmarks/step_work.hpp"
#include "host/engine/plan.hpp"
#include "host/engine/stylizer.hpp"
#include "samples/samples.hpp"

namespace impasto::bench {
namespace {

constexpr int profiled_iterations = 9;

Config coursera_from_content() {
  Config config = preset("coursera");
  config.init = Init::content;
  return config;
}

std::unique_ptr<Stylizer> make_stylizer(Backend& backend, std::int64_t size) {
  const Image content = draw_scene(size, size);
  const std::array<Style, 1> styles = {Style{draw_painting(size, size)}};
  const std::span<const Image> contents(&content, 1);
  auto stylizer = std::make_unique<Stylizer>(backend, he_weights(), coursera_from_content(),
                                             contents, styles, contents);
  stylizer->step();
  (void)stylizer->losses();
  return stylizer;
}

/// Each step's median time in seconds, in the order of the schedule.
std::vector<double> profile(Backend& backend, std::int64_t size) {
  const std::unique_ptr<Stylizer> stylizer = make_stylizer(backend, size);
  const auto& steps = stylizer->iteration().steps();
  std::vector<std::vector<double>> seconds(steps.size());
  for (int iteration = 0; iteration < profiled_iterations; ++iteration) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto start = std::chrono::steady_clock::now();
      steps[i].run(backend, stylizer->iteration());
      backend.synchronize();
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
      seconds[i].push_back(elapsed.count());
    }
  }
  std::vector<double> medians;
  for (auto& times : seconds) {
    std::nth_element(times.begin(), times.begin() + profiled_iterations / 2, times.end());
    medians.push_back(times[profiled_iterations / 2]);
  }
  return medians;
}

void add_iteration(const std::shared_ptr<Backend>& backend, const std::string& name,
                   std::int64_t size, const work::Work& work) {
  add(name, [=](benchmark::State& state) {
    const std::unique_ptr<Stylizer> stylizer = make_stylizer(*backend, size);
    for (auto _ : state) {
      stylizer->step();
      (void)stylizer->losses();
    }
    report(state, work);
  });
}

void add_steps(const std::shared_ptr<Backend>& backend, const std::string& prefix,
               std::int64_t size, const std::vector<Schedule::Step>& steps,
               const std::vector<work::Work>& works) {
  const auto times = std::make_shared<std::optional<std::vector<double>>>();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto body = [=, work = works[i]](benchmark::State& state) {
      if (!*times) *times = profile(*backend, size);
      for (auto _ : state) state.SetIterationTime((**times)[i]);
      report(state, work);
    };
    benchmark::RegisterBenchmark((prefix + "/" + steps[i].name).c_str(), body)
        ->UseManualTime()
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace

void register_benchmarks(const Settings& settings) {
  const std::int64_t size = settings.size;
  for_each_precision(settings, [&](const std::shared_ptr<Backend>& backend) {
    const Config config = coursera_from_content();
    const Network shapes(config.objective.pool);
    const Shape pixels{1, size, size, 3};
    const Plan plan(shapes, config, pixels, backend->master_type(), backend->activation_type());
    const auto& steps = plan.iteration().steps();
    const std::vector<work::Work> works =
        work::of_steps(steps, shapes, config.objective.pool, pixels, backend->activation_type());
    work::Work total;
    for (const work::Work& work : works) total += work;
    const std::string variant = fmt::format("{}/{}", to_string(backend->precision()), size);
    add_iteration(backend, "iteration/" + variant, size, total);
    add_steps(backend, "step/" + variant, size, steps, works);
  });
}

}  // namespace impasto::bench
