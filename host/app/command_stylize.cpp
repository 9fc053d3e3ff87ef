// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "host/api/engine.hpp"
#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/estimate.hpp"
#include "host/app/evolution.hpp"
#include "host/app/failure.hpp"
#include "host/app/idle.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/sheet.hpp"
#include "host/app/stylize_run.hpp"
#include "host/app/terminal.hpp"
#include "host/engine/stylization.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

constexpr auto stylize_examples = R"(Examples:
  impasto stylize sample:scene sample:painting -o demo.png
  impasto stylize photo.jpg starry_night.jpg -o out.png --weights vgg19.h5
  impasto stylize photo.jpg a.jpg b.jpg -o out.png --size 1024 --style-size 512
  impasto stylize photo.jpg style.jpg -o out.png --preset coursera --log run.jsonl
  impasto stylize photo.jpg style.jpg -o again.png --from out.png
  curl URL | impasto stylize - style.jpg -o - | display

Every option can also be set by the environment (IMPASTO_STYLE_WEIGHT=40) or by
a --config file; an option given here comes first, then the environment, then
the file, then the picture of --from, then the preset.)";

std::string memory_in_words(const MemoryEstimate& memory) {
  return fmt::format("{} = {} network + {} picture and targets + {} feature maps + {} workspace",
                     human_bytes(memory.total()), human_bytes(memory.weights),
                     human_bytes(memory.persistent), human_bytes(memory.arena),
                     human_bytes(memory.workspace));
}

void print_plan_in_words(const Settings& settings, std::span<Backend* const> devices,
                         const StylizeInputs& inputs, const RunEstimate& estimate,
                         const std::vector<MemoryEstimate>& of_devices) {
  std::string lines;
  const auto add = [&lines](std::string_view label, const std::string& value) {
    lines += text("{:<20}{}\n", label, value);
  };
  const auto picture = [](const std::string& name, const Image& image) {
    return fmt::format("{} ({}x{})", name, image.width, image.height);
  };
  add("result", picture(settings.output.spoken(), inputs.content));
  add("content", settings.content);
  for (std::size_t i = 0; i < inputs.styles.size(); ++i) {
    add("style", picture(settings.styles[i], inputs.styles[i].image));
  }
  for (const Setting& row : settings_table()) {
    if (row.recorded && row.is_of("stylize")) add(row.name, row.spoken(settings));
  }
  add("network", settings.weights.value_or("built-in"));
  add("machine", machine_in_words(devices));
  const MemoryEstimate& memory = estimate.memory;
  if (of_devices.empty()) add("memory", memory_in_words(memory));
  for (std::size_t r = 0; r < of_devices.size(); ++r) {
    add(device_names(devices)[r],
        strip_in_words(of_devices[r], inputs.content) + ", " + memory_in_words(of_devices[r]));
  }
  if (memory.tiles) add("tiles", tiles_in_words(memory));
  if (memory.filed > 0) {
    add("file",
        fmt::format("{} in {}, while it runs", human_bytes(memory.filed), FiledTensors::folder()));
  }
  if (estimate.process) add("in all", human_bytes(*estimate.process) + ", the program included");
  if (estimate.seconds) add("time", human_time(*estimate.seconds));
  print_result(lines);
}

/// --dry-run: what would be done and what it needs, on stdout.
void print_plan(const Settings& settings, std::span<Backend* const> devices,
                const StylizeInputs& inputs) {
  const Image& content = inputs.content;
  const auto most_memory_so_far = static_cast<std::size_t>(peak_memory_bytes());
  RunEstimate estimate;
  std::vector<MemoryEstimate> of_devices;  // where there are several
  if (devices.size() == 1) {
    estimate = estimate_run(*devices.front(), network_layers(settings), settings.config, content,
                            inputs.styles);
  } else {
    of_devices = estimate_memory(devices, network_layers(settings), settings.config,
                                 pixel_shape(std::span(&content, 1)), shapes_of(inputs.styles));
    const auto needs_less = [](const MemoryEstimate& one, const MemoryEstimate& other) {
      return one.total() < other.total();
    };
    estimate.memory = *std::ranges::max_element(of_devices, needs_less);
  }
  // A small picture's run never needs as much as calibrating the built-in network did.
  if (estimate.process && !settings.weights) {
    const std::size_t before = *estimate.process - estimate.memory.total() - estimate.memory.host;
    *estimate.process =
        std::max(*estimate.process, before + calibration_bytes(devices.front()->activation_type()));
  }
  if (estimate.process && estimate.memory.filed > 0) {
    *estimate.process += FiledTensors::buffer_bytes;
  }
  if (estimate.process && settings.checkpoint) *estimate.process += estimate.memory.state;
  if (estimate.process && (settings.save_every || settings.film)) {
    *estimate.process += content.rgb.size() * sizeof(float);  // of the picture that is shown
  }
  if (estimate.process && settings.film) *estimate.process += Evolution::most_bytes(content);
  // Large pictures that are shrunk take most while they are read.
  if (estimate.process) *estimate.process = std::max(*estimate.process, most_memory_so_far);
  if (settings.json) {
    print_result(dump({{"output", settings.output.string()},
                       {"height", content.height},
                       {"width", content.width},
                       {"config", describe(settings)},
                       {"network", settings.weights.value_or("built-in")},
                       {"backend", describe(devices)},
                       {"memory", describe(estimate.memory)},
                       {"devices", describe(device_names(devices), of_devices)},
                       {"process_bytes", estimate.process ? Json(*estimate.process) : Json()},
                       {"seconds", estimate.seconds ? Json(*estimate.seconds) : Json()}}) +
                 "\n");
  } else {
    print_plan_in_words(settings, devices, inputs, estimate, of_devices);
  }
  refuse_shortage(estimate.memory);
}

/// A format may be unable to hold the result, or the sheet, which is wider.
void check_sizes(const Settings& settings, const StylizeInputs& inputs) {
  const Image& content = inputs.content;
  check_picture_fits(settings.output.picture_name(), content.height, content.width);
  if (!settings.sheet) return;
  const SheetSize size =
      sheet_size(pictures_of_sheet(content, inputs.styles, content), content.height);
  check_picture_fits(settings.sheet.string(), size.height, size.width);
}

/// A result on standard output leaves no place there for anything else.
void check_standard_output(const Settings& settings) {
  if (!settings.output.is_standard_output()) return;
  if (settings.json) {
    fail(ErrorKind::usage, "--json and --output - would both write to standard output");
  }
  if (settings.save_every) {
    fail(ErrorKind::usage,
         "--save-every names its pictures after the result: expected a file for --output, not '-'");
  }
  if (!settings.dry_run && ::isatty(STDOUT_FILENO) != 0) {
    fail(ErrorKind::usage,
         "--output -: standard output is a terminal: expected a file or a program behind it");
  }
}

/// A recipe names the backend that computed it.
std::vector<std::unique_ptr<Backend>> open_backends_of_recipe(const Settings& settings) {
  try {
    return open_backends(settings);
  } catch (const Error& error) {
    if (!settings.from || error.kind() != ErrorKind::backend) throw;
    throw HintedError(
        error.kind(),
        fmt::format("{}: --device {} and --precision {} are given, or from the recipe in '{}'",
                    error.what(), settings.device, settings.precision, *settings.from),
        "another --device and --precision auto make a picture that is much like it");
  }
}

void stylize(const Settings& settings) {
  check_standard_output(settings);
  check(settings.config.objective, network_layers(settings));
  const std::vector<std::unique_ptr<Backend>> backends = open_backends_of_recipe(settings);
  std::vector<Backend*> devices;
  for (const auto& backend : backends) devices.push_back(backend.get());
  say_note(settings, unused_gpu(settings.device));
  say_note(settings, note_of_preset(settings));
  for (const std::string& note : notes_of_idle_options(settings)) say_note(settings, note);
  StylizeInputs inputs = load_inputs(settings);
  say_notes(inputs.content);
  if (settings.keep_profile && inputs.content.profile.empty()) {
    message("note: '{}' has no other profile than sRGB that its result could have\n",
            printable(settings.content));
  }
  if (!inputs.content.alpha.empty() && !holds_alpha(settings.output.picture_name())) {
    say_note(settings,
             fmt::format("'{}' is transparent in parts, which '{}' cannot be: it is put over white",
                         printable(settings.content), settings.output.spoken()));
  }
  for (const Style& style : inputs.styles) say_notes(style.image);
  if (settings.config.init == Init::file) say_notes(inputs.initial);
  check_sizes(settings, inputs);
  const std::vector<Scale> scales = make_scales(
      settings.config, pixel_shape(std::span(&inputs.content, 1)), shapes_of(inputs.styles));
  for (const std::string& note : notes_of_scales(settings, scales.size())) say_note(settings, note);
  if (settings.dry_run) {
    print_plan(settings, devices, inputs);
    return;
  }
  StylizeRun(settings, devices, std::move(inputs)).run();
}

}  // namespace

void add_stylize_command(CLI::App& program) {
  add_command(program,
              {.name = "stylize",
               .summary = "Paint one picture in the style of others",
               .example = "impasto stylize sample:scene sample:painting -o result.png",
               .footer = stylize_examples},
              stylize);
}

}  // namespace impasto::app
