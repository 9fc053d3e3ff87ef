// SPDX-License-Identifier: MIT
// One iteration of the preset coursera:
//   iteration/<precision>/<size>/batch:<n>    the whole of it, as fast as it goes when nobody reads
//                                             the losses
//   step/<precision>/<size>/batch:<n>/<name>  each of its operations, whose name is the label,
//                                             where it stands in the iteration: the median over a
//                                             few iterations, measured once for all steps
// Only an optimisation whose loss fell is timed.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "benchmarks/axes.hpp"
#include "benchmarks/step_work.hpp"
#include "host/engine/plan.hpp"
#include "host/engine/stylization.hpp"
#include "host/image/decode.hpp"
#include "host/image/resize.hpp"
#include "host/samples/samples.hpp"
#include "weights/builtin.hpp"
#include "weights/weights_file.hpp"

namespace impasto::bench {
namespace {

constexpr std::int64_t largest_drawn = 512;
constexpr int profiled_iterations = 9;
constexpr double seconds_between_moments = 0.05;
constexpr double most_between_moments = 50;

/// One combination of the axes, and the files. Without them it makes its own network and pictures.
struct Settings {
  std::int64_t size = 256;  ///< side of the square pictures
  std::int64_t batch = 1;   ///< pictures side by side
  std::string weights;
  std::string content;
  std::string style;
};

Config coursera_from_content() {
  Config config = preset("coursera");
  config.init = Init::content;
  return config;
}

/// A file, or a built-in picture; large ones are small ones made larger, because drawing takes its
/// time.
Image picture(const std::string& file, Image (*draw)(std::int64_t, std::int64_t),
              std::int64_t size) {
  const std::int64_t drawn = std::min(size, largest_drawn);
  Image image = file.empty() ? resize(draw(drawn, drawn), size, size) : load_image(file, size);
  if (image.height != size || image.width != size) {
    fail(ErrorKind::usage, "{}: expected a square of {}, found {}×{}", file, size, image.width,
         image.height);
  }
  return image;
}

/// A stylization under way, warm, and what its pictures' losses were at first.
struct Running {
  std::unique_ptr<Session> session;
  std::unique_ptr<Stylizer> stylizer;
  double first_loss;
};

double total_loss(Stylizer& stylizer) {
  double total = 0;
  for (const Losses& losses : stylizer.losses()) total += losses.total;
  return total;
}

Running start(Backend& backend, const Settings& settings) {
  const Image content = picture(settings.content, draw_scene, settings.size);
  const std::array<Style, 1> styles = {
      Style{picture(settings.style, draw_painting, settings.size)}};
  const Config config = coursera_from_content();
  auto session = std::make_unique<Session>(
      backend,
      settings.weights.empty() ? builtin_weights(0, "conv5_1") : load_weights(settings.weights),
      config.objective);
  const std::vector<Image> contents(static_cast<std::size_t>(settings.batch), content);
  auto stylizer = std::make_unique<Stylizer>(*session, config, contents, styles, contents);
  stylizer->step();  // operation by operation
  const double first_loss = total_loss(*stylizer);
  stylizer->step();  // recorded
  backend.synchronize();
  return {std::move(session), std::move(stylizer), first_loss};
}

/// A time counts only if what was timed is an optimisation.
void require_lower_loss(const Running& running) {
  const double loss = total_loss(*running.stylizer);
  if (!(loss < running.first_loss)) {
    fail(ErrorKind::check_failed, "the loss went from {} to {}: nothing was optimised",
         running.first_loss, loss);
  }
}

/// The device's time for so many iterations whose losses nobody reads.
double seconds_of_steps(Backend& backend, Stylizer& stylizer, std::int64_t count) {
  const std::unique_ptr<Event> start = backend.record_event();
  for (std::int64_t i = 0; i < count; ++i) stylizer.step();
  return backend.record_event()->seconds_since(*start);
}

/// Each step's median time in seconds, in the order of the schedule.
std::vector<double> profile(Backend& backend, const Settings& settings) {
  const Running running = start(backend, settings);
  const Schedule& iteration = running.stylizer->plan().iteration();
  const auto& steps = iteration.steps();
  std::vector<std::vector<double>> seconds(steps.size());
  for (int repetition = 0; repetition < profiled_iterations; ++repetition) {
    std::vector<std::unique_ptr<Event>> events;
    events.push_back(backend.record_event());
    for (const Schedule::Step& step : steps) {
      step.run(backend, iteration);
      events.push_back(backend.record_event());
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      seconds[i].push_back(events[i + 1]->seconds_since(*events[i]));
    }
  }
  require_lower_loss(running);
  std::vector<double> medians;
  for (auto& times : seconds) {
    std::nth_element(times.begin(), times.begin() + profiled_iterations / 2, times.end());
    medians.push_back(times[profiled_iterations / 2]);
  }
  return medians;
}

/// Of a GPU. What is left of the host's memory changes with every other program.
std::optional<std::size_t> free_device_memory(const Backend& backend) {
  return backend.name() == "cuda" ? backend.free_memory() : std::nullopt;
}

void add_iteration(const std::shared_ptr<Backend>& backend, const std::string& variant,
                   const Settings& settings, const work::Work& work) {
  const auto body = [=](benchmark::State& state) {
    const std::optional<std::size_t> before = free_device_memory(*backend);
    const Running running = start(*backend, settings);
    const std::optional<std::size_t> after = free_device_memory(*backend);
    const double once = seconds_of_steps(*backend, *running.stylizer, 1);
    const auto count = static_cast<std::int64_t>(
        std::clamp(seconds_between_moments / once, 1.0, most_between_moments));
    take_samples(state, [&] {
      return seconds_of_steps(*backend, *running.stylizer, count) / static_cast<double>(count);
    });
    require_lower_loss(running);
    report(state, work);
    if (before && after) {
      state.counters["device bytes"] = static_cast<double>(*before) - static_cast<double>(*after);
    }
  };
  add_row("iteration/" + variant, "iterations", variant, body);
}

void register_shape(const SharedBackend& backend, const Settings& settings) {
  const Config config = coursera_from_content();
  const Network shapes(vgg19, config.objective.pool);
  const Shape pixels{settings.batch, settings.size, settings.size, 3};
  const Plan plan(shapes, config, pixels, backend->master_type(), backend->activation_type());
  const std::string variant =
      fmt::format("{}/{}/batch:{}", to_string(backend->precision()), settings.size, settings.batch);
  const auto times = std::make_shared<std::vector<double>>();  // of the steps, measured once
  work::Work total;
  std::size_t number = 0;
  for (const Schedule::Step& step : plan.iteration().steps()) {
    const work::Work work =
        work_of(step, shapes, config.objective.pool, pixels, backend->activation_type());
    total += work;
    const auto body = [=, i = number++, operation = step.operation](benchmark::State& state) {
      if (times->empty()) *times = profile(*backend, settings);
      for (auto _ : state) state.SetIterationTime((*times)[i]);
      report(state, work);
      state.SetLabel(std::string(operation));
    };
    add_row(fmt::format("step/{}/{}", variant, step.label()), "steps of " + variant, step.label(),
            body);
  }
  add_iteration(backend, variant, settings, total);
}

void register_rows(const BackendAxes& backends, const std::vector<std::int64_t>& sizes,
                   const std::vector<std::int64_t>& batches, Settings settings) {
  if (backends.names.size() != 1) {
    fail(ErrorKind::usage, "--backend: expected one, the rows' names do not tell them apart");
  }
  for (const SharedBackend& backend : backends.open()) {
    for (const std::int64_t size : sizes) {
      for (const std::int64_t batch : batches) {
        settings.size = size;
        settings.batch = batch;
        register_shape(backend, settings);
      }
    }
  }
}

}  // namespace
}  // namespace impasto::bench

int main(int argc, char** argv) {
  using namespace impasto::bench;
  BackendAxes backends;
  std::vector<std::int64_t> sizes = {256};
  std::vector<std::int64_t> batches = {1};
  Settings files;
  return run_program(
      argc, argv,
      {.about = "One iteration of the preset coursera: the whole of it, and each of its steps.",
       .add_options =
           [&](CLI::App& app) {
             backends.add_options(app, "--precision");
             add_axis(app, "--size", sizes, "sides of the square pictures (256)")
                 ->check(CLI::Range(std::int64_t{16}, std::int64_t{1} << 20));
             add_batch_axis(app, batches);
             app.add_option("--weights", files.weights, "in our own format (default: made up)");
             app.add_option("--content", files.content, "a square picture (default: made up)");
             app.add_option("--style", files.style, "another");
           },
       .choices = backend_names,
       .register_rows = [&] { register_rows(backends, sizes, batches, files); }});
}
