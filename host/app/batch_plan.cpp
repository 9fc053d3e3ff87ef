// SPDX-License-Identifier: MIT
#include "host/app/batch_plan.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "host/app/batch_items.hpp"
#include "host/app/batch_steps.hpp"
#include "host/app/batch_worker.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/terminal.hpp"
#include "host/engine/stylization.hpp"

namespace impasto::app {
namespace {

/// How long the iterations of a work will take: two are measured at its full size, after one that
/// warms up, and those of smaller scales take as much less as they have fewer pixels.
double estimated_seconds(batch::Stream& stream, const batch::Work& work) {
  batch::Work few = work;
  few.config.scales.count = 1;
  few.config.iterations = 3;
  double warm = 0;
  double end = 0;
  static_cast<void>(stream.compute(std::span(&few, 1), [&](const Progress& progress) {
    (progress.iteration <= 1 ? warm : end) = progress.seconds;
    return true;
  }));
  stream.forget_plan();
  const double iteration = (end - warm) / 2;
  const Shape full = pixel_shape(std::span(&work.content, 1));
  double seconds = 0;
  for (const Scale& scale : make_scales(work.config, full, shapes_of(work.styles))) {
    const double share =
        static_cast<double>(scale.pixels.count()) / static_cast<double>(full.count());
    seconds += iteration * static_cast<double>(scale.iterations) * share;
  }
  return seconds;
}

}  // namespace

void print_batch_plan(const Settings& asked, const batch::ItemFile& items) {
  const std::vector<std::string> devices = devices_of(asked);
  Settings settings = asked;
  settings.device = devices.front();
  const batch::Item first = *items.read().next();
  const auto nothing = [](const auto&...) {};
  batch::BusyTime busy;
  BatchSteps steps(settings, nullptr,
                   {.next = [] { return std::optional<batch::Item>(); },
                    .begun = nothing,
                    .iterated = [] {},
                    .done = nothing,
                    .failed = nothing,
                    .stopped = [] { return false; },
                    .busy = busy});
  const std::size_t at_once = steps.sizes().streams * devices.size();
  const std::unique_ptr<batch::Stream> stream = steps.open_stream();
  const batch::Work work = steps.load(first);
  const MemoryEstimate memory =
      estimate_memory(stream->backend(), network_layers(settings), work.config,
                      pixel_shape(std::span(&work.content, 1)), shapes_of(work.styles));
  // What does not fit cannot be measured.
  std::optional<double> seconds;
  std::optional<double> all;
  if (memory.shortage.empty()) {
    seconds = estimated_seconds(*stream, work);
    all = *seconds * static_cast<double>(items.count()) / static_cast<double>(at_once);
  }
  const auto json_of = [](std::optional<double> value) { return value ? Json(*value) : Json(); };
  if (settings.json) {
    print_result(dump({{"items", items.count()},
                       {"folder", settings.batch.folder.string()},
                       {"backend", describe(stream->backend())},
                       {"at_once", at_once},
                       {"first",
                        {{"output", first.output},
                         {"content", first.content},
                         {"styles", first.styles},
                         {"height", work.content.height},
                         {"width", work.content.width},
                         {"config", describe(settings_of_item(settings, first))},
                         {"memory", describe(memory)},
                         {"seconds", json_of(seconds)}}},
                       {"seconds", json_of(all)}}) +
                 "\n");
    return refuse_shortage(memory);
  }
  std::string lines;
  const auto add = [&lines](std::string_view label, const std::string& value) {
    lines += text("{:<16}{}\n", label, value);
  };
  add("items", fmt::format("{}", items.count()));
  add("folder", settings.batch.folder.string());
  add("machine",
      fmt::format("{}, {}, {}", stream->backend().name(), to_string(stream->backend().precision()),
                  stream->backend().description()));
  add("at once", fmt::format("{}", at_once));
  add("first", fmt::format("{} ({}x{})", first.output, work.content.width, work.content.height));
  add("its memory", human_bytes(memory.total()));
  if (seconds) {
    add("its time", human_time(*seconds));
    add("all like it", human_time(*all));
  }
  print_result(lines);
  refuse_shortage(memory);
}

}  // namespace impasto::app
