// SPDX-License-Identifier: MIT
// One iteration of the preset coursera:
//   iteration/<precision>/<size>/<batch>    the whole of it, with the rate of the work it has to do
//   step/<precision>/<size>/<batch>/<name>  each of its operations where it stands in the
//                                           iteration: the median over a few iterations, measured
//                                           once for all steps
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "benchmarks/inputs.hpp"
#include "benchmarks/program.hpp"
#include "benchmarks/step_work.hpp"
#include "host/engine/plan.hpp"
#include "host/engine/stylizer.hpp"
#include "host/image/image.hpp"
#include "samples/samples.hpp"
#include "weights/load_weights.hpp"

namespace impasto::bench {
namespace {

constexpr int profiled_iterations = 9;
constexpr double seconds_between_moments = 0.05;
constexpr double most_between_moments = 50;

Config coursera_from_content() {
  Config config = preset("coursera");
  config.init = Init::content;
  return config;
}

Image picture(const std::string& file, Image (*draw)(std::int64_t, std::int64_t),
              std::int64_t size) {
  Image image = file.empty() ? draw(size, size) : load_image(file, size);
  if (image.height != size || image.width != size) {
    fail(ErrorKind::usage, "{}: expected a square of {}, found {}×{}", file, size, image.width,
         image.height);
  }
  return image;
}

std::unique_ptr<Stylizer> make_stylizer(Backend& backend, const Settings& settings) {
  const Image content = picture(settings.content, draw_scene, settings.size);
  const std::array<Style, 1> styles = {
      Style{picture(settings.style, draw_painting, settings.size)}};
  const Weights weights = settings.weights.empty() ? he_weights() : load_weights(settings.weights);
  const std::vector<Image> contents(static_cast<std::size_t>(settings.batch), content);
  auto stylizer = std::make_unique<Stylizer>(backend, weights, coursera_from_content(), contents,
                                             styles, contents);
  stylizer->step();  // operation by operation
  stylizer->step();  // recorded
  backend.synchronize();
  return stylizer;
}

/// The device's time for so many iterations whose losses nobody reads.
double seconds_of_steps(Backend& backend, Stylizer& stylizer, std::int64_t count) {
  const std::unique_ptr<Moment> start = backend.moment();
  for (std::int64_t i = 0; i < count; ++i) stylizer.step();
  return backend.moment()->seconds_since(*start);
}

/// Each step's median time in seconds, in the order of the schedule.
std::vector<double> profile(Backend& backend, const Settings& settings) {
  const std::unique_ptr<Stylizer> stylizer = make_stylizer(backend, settings);
  const auto& steps = stylizer->iteration().steps();
  std::vector<std::vector<double>> seconds(steps.size());
  for (int iteration = 0; iteration < profiled_iterations; ++iteration) {
    std::vector<std::unique_ptr<Moment>> moments;
    moments.push_back(backend.moment());
    for (const Schedule::Step& step : steps) {
      step.run(backend, stylizer->iteration());
      moments.push_back(backend.moment());
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      seconds[i].push_back(moments[i + 1]->seconds_since(*moments[i]));
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
                   const Settings& settings, const work::Work& work) {
  const auto body = [=](benchmark::State& state) {
    const std::optional<std::size_t> before = backend->free_memory();
    const std::unique_ptr<Stylizer> stylizer = make_stylizer(*backend, settings);
    const std::optional<std::size_t> after = backend->free_memory();
    const double once = seconds_of_steps(*backend, *stylizer, 1);
    const auto count = static_cast<std::int64_t>(
        std::clamp(seconds_between_moments / once, 1.0, most_between_moments));
    while (state.KeepRunningBatch(count)) {
      state.SetIterationTime(seconds_of_steps(*backend, *stylizer, count));
    }
    report(state, work);
    if (before && after) {
      state.counters["device bytes"] = static_cast<double>(*before) - static_cast<double>(*after);
    }
  };
  benchmark::RegisterBenchmark(name.c_str(), body)->UseManualTime()->Unit(benchmark::kMillisecond);
}

void add_steps(const std::shared_ptr<Backend>& backend, const std::string& prefix,
               const Settings& settings, const std::vector<Schedule::Step>& steps,
               const std::vector<work::Work>& works) {
  const auto times = std::make_shared<std::optional<std::vector<double>>>();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto body = [=, work = works[i]](benchmark::State& state) {
      if (!*times) *times = profile(*backend, settings);
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
  for_each_precision(settings, [&](const std::shared_ptr<Backend>& backend) {
    const Config config = coursera_from_content();
    const Network shapes(config.objective.pool);
    const Shape pixels{settings.batch, settings.size, settings.size, 3};
    const Plan plan(shapes, config, pixels, backend->master_type(), backend->activation_type());
    const auto& steps = plan.iteration().steps();
    const std::vector<work::Work> works =
        work::of_steps(steps, shapes, config.objective.pool, pixels, backend->activation_type());
    work::Work total;
    for (const work::Work& work : works) total += work;
    const std::string variant =
        fmt::format("{}/{}/{}", to_string(backend->precision()), settings.size, settings.batch);
    add_iteration(backend, "iteration/" + variant, settings, total);
    add_steps(backend, "step/" + variant, settings, steps, works);
  });
}

}  // namespace impasto::bench
