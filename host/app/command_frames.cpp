// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/estimate.hpp"
#include "host/app/failure.hpp"
#include "host/app/frame_source.hpp"
#include "host/app/frames_run.hpp"
#include "host/app/idle.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/backend/backend.hpp"
#include "host/film/estimate_flow.hpp"

namespace impasto::app {
namespace {

constexpr auto frames_examples = R"(Examples:
  impasto frames film.mp4 painted.mp4 --style starry_night.jpg --size 640
  impasto frames in out --style a.jpg b.jpg --long-term 1,2,4
  impasto frames in out.mp4 --style a.jpg --flow flows --frame-rate 24

A frame starts from the last result, moved along with what the film shows, and is
held to it. Where the scene changes, it starts anew. The same command again goes on
with the first frame that is missing. Videos take the programs ffmpeg and ffprobe.)";

/// --dry-run: what would be done and what it needs, on stdout.
void print_plan(const Settings& settings, Backend& backend) {
  const std::unique_ptr<FrameSource> source = open_frames(settings.frames.in);
  const std::int64_t size = settings.config.size;
  const std::optional<Image> content = source->next(size == 0 ? std::nullopt : std::optional(size));
  if (!content) fail(ErrorKind::input, "{}: there is no frame in it", settings.frames.in);
  check_video_fits(settings, *content);
  const StylizeInputs inputs = inputs_of(settings, *content);
  const VggLayers& layers = network_layers(settings);
  const std::size_t scales =
      make_scales(settings.config, pixel_shape(std::span(&*content, 1)), shapes_of(inputs.styles))
          .size();
  const Config of_later = config_of_later_frames(settings, scales, 1);
  const RunEstimate first = estimate_run(backend, layers, settings.config, *content, inputs.styles);
  const RunEstimate later = estimate_run(backend, layers, of_later, *content, inputs.styles);
  const MemoryEstimate& memory =
      first.memory.total() < later.memory.total() ? later.memory : first.memory;
  const std::int64_t frames = source->count();
  std::optional<double> seconds;
  if (first.seconds && later.seconds && frames > 0) {
    seconds = *first.seconds + static_cast<double>(frames - 1) * *later.seconds;
  }
  const std::string output = settings.frames.makes_video() ? settings.frames.video.string()
                                                           : settings.frames.folder.string();
  if (settings.json) {
    print_result(dump({{"output", output},
                       {"frames", frames},
                       {"height", content->height},
                       {"width", content->width},
                       {"config", describe(settings)},
                       {"backend", describe(backend)},
                       {"memory", describe(memory)},
                       {"seconds", seconds ? Json(*seconds) : Json()}}) +
                 "\n");
  } else {
    const auto line = [](std::string_view label, const std::string& value) {
      print_result(text("{:<20}{}\n", label, value));
    };
    line("result", fmt::format("{} ({}x{})", output, content->width, content->height));
    line("frames", frames > 0 ? fmt::format("{}", frames) : std::string("not known"));
    Settings shown = settings;
    shown.frames.iterations = of_later.iterations;
    for (const Setting& row : settings_table()) {
      if (row.recorded && row.is_of("frames")) line(row.name, row.spoken(shown));
    }
    line("memory", human_bytes(memory.total()));
    if (memory.tiles) line("tiles", tiles_in_words(memory));
    if (seconds) line("time", human_time(*seconds) + ", with a single scene");
  }
  refuse_shortage(memory);
}

void make_film(const Settings& settings) {
  check(settings.config.objective, network_layers(settings));
  require_fit(settings);
  if (settings.frames.flow.empty() && !film::can_estimate_flow()) {
    static_cast<void>(film::estimate_flow({}, {}));  // says what is missing
  }
  const std::unique_ptr<Backend> backend = open_backend(settings);
  say_note(settings, unused_gpu(settings.device));
  say_note(settings, note_of_preset(settings));
  for (const std::string& note : notes_of_idle_options(settings)) say_note(settings, note);
  if (settings.dry_run) return print_plan(settings, *backend);
  FramesRun(settings, *backend).run();
}

}  // namespace

void add_frames_command(CLI::App& program) {
  add_command(program,
              {.name = "frames",
               .summary = "Paint a film, so that its frames go together",
               .example = "impasto frames film.mp4 painted.mp4 --style painting.jpg",
               .footer = frames_examples},
              make_film);
}

}  // namespace impasto::app
