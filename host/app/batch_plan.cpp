// SPDX-License-Identifier: MIT
#include "host/app/batch_plan.hpp"

#include <nlohmann/json.hpp>
#include <omp.h>
#include <optional>

#include "host/app/batch_items.hpp"
#include "host/app/batch_steps.hpp"
#include "host/app/batch_worker.hpp"
#include "host/app/describe.hpp"
#include "host/app/estimate.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/terminal.hpp"

namespace impasto::app {

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
  const batch::PipelineSizes sizes = steps.sizes();
  const std::size_t at_once = sizes.streams * devices.size();
  omp_set_num_threads(sizes.threads);  // as the streams have them
  const std::unique_ptr<batch::Stream> stream = steps.open_stream();
  const batch::Work work = steps.load(first);
  const RunEstimate estimate = estimate_run(stream->backend(), network_layers(settings),
                                            work.config, work.content, work.styles);
  const MemoryEstimate& memory = estimate.memory;
  const std::optional<double> seconds = estimate.seconds;
  std::optional<double> all;
  if (seconds) {
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
  if (memory.tiles) add("its tiles", tiles_in_words(memory));
  if (seconds) {
    add("its time", human_time(*seconds));
    add("all like it", human_time(*all));
  }
  print_result(lines);
  refuse_shortage(memory);
}

}  // namespace impasto::app
