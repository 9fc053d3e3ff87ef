// SPDX-License-Identifier: MIT
#include "host/app/command_batch.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <omp.h>
#include <set>

#include "host/app/batch_existing.hpp"
#include "host/app/batch_items.hpp"
#include "host/app/batch_plan.hpp"
#include "host/app/batch_report.hpp"
#include "host/app/batch_steps.hpp"
#include "host/app/batch_worker.hpp"
#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/frames_run.hpp"
#include "host/app/inputs.hpp"
#include "host/app/signals.hpp"
#include "host/app/terminal.hpp"
#include "host/backend/registry.hpp"
#include "host/batch/packing.hpp"
#include "host/batch/run_directory.hpp"
#include "host/batch/supervisor.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;
using batch::Item;
using batch::ItemFile;
using batch::ItemReader;
using batch::ItemState;
using batch::RunDirectory;
using batch::Shard;

constexpr auto batch_examples = R"(Examples:
  impasto batch photos --styles paintings -o results --size 512
  impasto batch 'in/*.jpg' --styles a.jpg -o results --name '{stem}.png'
  find . -name '*.png' -print0 | impasto batch --list - --styles a.jpg -o results
  impasto batch --manifest items.jsonl -o results

The same command again, or 'impasto resume results', makes what is missing;
'impasto status results' says what that is. Items that fail do not stop the
others; then the command ends with 3.)";

/// The items of a run that are to be made now, in their order.
class Queue {
 public:
  Queue(ItemReader reader, const RunDirectory* directory, fs::path folder, Shard shard,
        bool failed_ones)
      : reader_(std::move(reader)),
        directory_(directory),
        folder_(std::move(folder)),
        shard_(shard),
        failed_ones_(failed_ones) {}

  std::optional<Item> next() {
    while (auto item = reader_.next()) {
      if (!shard_.holds(*item)) continue;
      const ItemState wanted = failed_ones_ ? ItemState::failed : ItemState::missing;
      const ItemState state =
          directory_ ? batch::state_of(*directory_, folder_, *item) : ItemState::missing;
      if (state == wanted) return item;
    }
    return std::nullopt;
  }

 private:
  ItemReader reader_;
  const RunDirectory* directory_;
  fs::path folder_;
  Shard shard_;
  bool failed_ones_;
};

/// Visits the items of a shard, with where each stands in the list.
using VisitState = std::function<void(const Item& item, std::int64_t position, ItemState state)>;

BatchCounts count(const RunDirectory& directory, const fs::path& folder, Shard shard,
                  const VisitState& visit) {
  directory.require_its_items();
  BatchCounts counts;
  ItemReader reader = directory.items();
  std::int64_t position = 0;
  for (std::optional<Item> item = reader.next(); item;
       position = reader.position(), item = reader.next()) {
    if (!shard.holds(*item)) continue;
    ++counts.total;
    const ItemState state = batch::state_of(directory, folder, *item);
    if (state == ItemState::done) ++counts.done;
    if (state == ItemState::failed) ++counts.failed;
    visit(*item, position, state);
  }
  return counts;
}

/// What a run is called by its users.
std::string name_of(const RunDirectory& directory) {
  const fs::path& path = directory.path();
  return (path.filename() == records_folder ? path.parent_path() : path).string();
}

/// Makes the items of a shard and says what became of them.
void make(const Settings& settings, const RunDirectory* directory, ItemReader reader, Shard shard,
          BatchCounts counts, batch::Packing* packing) {
  // They are tried again, and then counted again.
  if (settings.batch.retry_failed) counts.failed = 0;
  const std::vector<std::string> devices = devices_of(settings);
  const int threads = std::max(
      omp_get_max_threads() / static_cast<int>(std::max<std::size_t>(devices.size(), 1)), 1);
  const DeferredSignals deferred;
  BatchReport report(settings, counts, devices);
  Queue queue(std::move(reader), directory, settings.batch.folder.string(), shard,
              settings.batch.retry_failed);
  const auto enough_failures = [&] {
    return settings.batch.most_failures && report.counts().failed >= *settings.batch.most_failures;
  };
  const auto note_done = [&](const Item& item, const Json& record) {
    report.done(record);
    if (packing != nullptr) packing->ended(item);
  };
  const auto note_failure = [&](const Item& item, const Json& record) {
    report.failed(record);
    if (packing != nullptr) packing->ended(item);
  };
  constexpr std::size_t at_once = 64;
  if (!settings.weights) report.note(random_weights_note);
  if (const std::string note = unused_gpu(settings.batch.devices.front()); !note.empty())
    report.note(note);
  std::set<std::string> presets;
  const auto note_preset = [&](const Item& item) {
    if (item.options.empty() && presets.contains(settings.config.preset)) return;
    const Settings own = settings_of_item(settings, item);
    if (!presets.insert(own.config.preset).second) return;
    if (const std::string note = note_of_preset(own); !note.empty()) report.note(note);
  };
  report.prepare("Reading the network");
  try {
    batch::supervise(
        {.devices = devices,
         .at_once = at_once,
         .patience = std::chrono::seconds(settings.batch.patience),
         .next =
             [&] {
               std::optional<Item> item = queue.next();
               if (item) note_preset(*item);
               return item;
             },
         .start =
             [&](const std::string& device, const batch::Link& link, bool one_by_one) {
               return start_worker(settings, directory, device, threads, link, one_by_one);
             },
         .done = note_done,
         .failed = note_failure,
         .finished =
             [&](const Item& item) {
               // Its worker may have been lost between the record and the word of it.
               if (directory == nullptr || directory->state(item) != ItemState::done) return false;
               note_done(item, directory->record(item));
               return true;
             },
         .give_up =
             [&](const Item& item, const std::string& reason) {
               note_failure(item,
                            record_failure(directory, item, Error(ErrorKind::internal, reason)));
             },
         .busy = [&](std::size_t index, double seconds) { report.busy(index, seconds); },
         .note = [&](const std::string& message) { report.note(message); },
         .stopped = [&] { return caught_signal() != 0 || enough_failures(); }});
  } catch (const Error&) {
    report.finish("failed");
    throw;
  }
  const bool stopped = caught_signal() != 0 || enough_failures();
  report.finish(stopped ? "stopped" : "finished");
  if (caught_signal() != 0) throw Interrupted{caught_signal(), false};
  if (report.failure()) throw Error(*report.failure());
  if (const std::int64_t failed = report.counts().failed; failed > 0) {
    throw HintedError(
        ErrorKind::input, fmt::format("{} of {} items failed", failed, report.counts().total),
        directory != nullptr ? fmt::format("'impasto status {0}' says why; 'impasto resume {0} "
                                           "--retry-failed' tries them again",
                                           name_of(*directory))
                             : std::string());
  }
}

/// The number of shards that a run has, if it has begun.
std::optional<std::uint64_t> shards_of(const RunDirectory& directory) {
  if (!directory.begun()) return std::nullopt;
  return directory.configuration().value("shards", std::uint64_t{1});
}

/// Removes what processes left that were killed.
void clean_up(const Settings& settings, const RunDirectory& directory) {
  auto moment = fs::file_time_type::clock::now();
  // Other shards may be at work beside this one.
  if (shards_of(directory).value_or(1) > 1) moment -= std::chrono::hours(24);
  batch::remove_old_temporaries(directory.path(), moment);
  batch::remove_old_temporaries(settings.batch.folder.string(), moment);
}

/// Makes what is missing of a run that has begun.
void go_on(const Settings& settings, const RunDirectory& directory, Shard shard) {
  const FileDescriptor lock = directory.lock(shard);
  clean_up(settings, directory);
  const struct Afterwards {
    std::function<void()> clean_up;
    ~Afterwards() { clean_up(); }
  } afterwards{[&] { clean_up(settings, directory); }};
  batch::Packing packing(directory, settings.batch.folder.string(),
                         [&](const Item& item) { return names_of_item(settings, item); });
  const auto is_awaited = [&](ItemState state) {
    return state == ItemState::missing ||
           (state == ItemState::failed && settings.batch.retry_failed);
  };
  const BatchCounts counts = count(directory, settings.batch.folder.string(), shard,
                                   [&](const Item& item, std::int64_t position, ItemState state) {
                                     packing.add(item, position, is_awaited(state));
                                   });
  packing.start();
  make(settings, &directory, directory.items(), shard, counts, &packing);
}

RunDirectory directory_of(const Settings& settings) {
  const BatchSettings& batch = settings.batch;
  return RunDirectory(batch.directory.empty() ? fs::path(batch.folder.string()) / records_folder
                                              : fs::path(batch.directory));
}

/// Before a run begins: it would keep what was asked for, and refuse to go on in another way.
void require_devices(const Settings& settings) {
  for (const std::string& device : devices_of(settings)) {
    require_backend(device, parse_precision(settings.precision));
  }
}

}  // namespace

void run_batch(const Settings& settings, const ItemFile& items) {
  if (settings.dry_run) return print_batch_plan(settings, items);
  require_devices(settings);
  if (!settings.batch.writes()) {
    return make(settings, nullptr, items.read(), batch::find_shard(settings.batch.shard, {}),
                {.total = items.count()}, nullptr);
  }
  const RunDirectory directory = directory_of(settings);
  const Shard shard = batch::find_shard(settings.batch.shard, shards_of(directory));
  const Json configuration = batch_configuration(settings, items, shard.count);
  directory.begin(items, configuration, [&] {
    check_existing(settings, items);
    record_existing(settings, directory, items);
  });
  require_same_configuration(directory.path().string(), directory.configuration(), configuration);
  go_on(settings, directory, shard);
}

namespace {

/// The directory of a run, by that or by its output folder.
RunDirectory find_run(const std::string& name) {
  for (const fs::path& path : {fs::path(name), fs::path(name) / records_folder}) {
    RunDirectory directory(path);
    if (directory.begun()) return directory;
  }
  if (count_frames(name)) {
    throw HintedError(ErrorKind::usage,
                      fmt::format("{}: a film has begun here, and no batch", name),
                      "the same 'impasto frames' command goes on with it");
  }
  fail(ErrorKind::input, "{}: no batch has begun here: there is no run.json", name);
}

void resume(const Settings& settings) {
  const RunDirectory directory = find_run(settings.batch.directory);
  const Json configuration = directory.configuration();
  const Settings whole = settings_of_run(configuration, settings);
  const Json weights = whole.weights ? Json(sha256_file(*whole.weights)) : Json();
  if (configuration.value("impasto", Json()) != describe_versions()["impasto"] ||
      configuration.value("weights_sha256", Json()) != weights) {
    fail(ErrorKind::usage, "{}: this run began with another impasto or other weights",
         directory.path().string());
  }
  require_files(whole);
  require_initial(whole);
  go_on(whole, directory, batch::find_shard(settings.batch.shard, shards_of(directory)));
}

/// Where a run's results are.
fs::path folder_of(const RunDirectory& directory) {
  return directory.configuration().value("folder", std::string());
}

/// "0-2,5", as sbatch's --array has it.
std::string array_expression(const std::vector<bool>& chosen) {
  std::string text;
  for (std::size_t begin = 0; begin < chosen.size(); ++begin) {
    if (!chosen[begin]) continue;
    std::size_t end = begin;
    while (end + 1 < chosen.size() && chosen[end + 1]) ++end;
    text += fmt::format("{}{}", text.empty() ? "" : ",", begin);
    if (end > begin) text += fmt::format("-{}", end);
    begin = end;
  }
  return text;
}

/// The shards with items that are missing or wait to be packed.
std::string missing_shards(const RunDirectory& directory) {
  const fs::path folder = folder_of(directory);
  std::vector<bool> missing(shards_of(directory).value_or(1));
  ItemReader reader = directory.items();
  while (const auto item = reader.next()) {
    if (batch::state_of(directory, folder, *item) != ItemState::missing &&
        !batch::waits_to_be_packed(folder, *item)) {
      continue;
    }
    missing[batch::shard_of(*item, missing.size())] = true;
  }
  return array_expression(missing);
}

void show_film_status(const Settings& settings, const FilmCounts& film) {
  const std::int64_t missing = std::max<std::int64_t>(film.total - film.done, 0);
  if (settings.json) {
    print_result(
        dump({{"total", film.total}, {"done", film.done}, {"failed", 0}, {"missing", missing}}) +
        "\n");
  } else {
    print_result(fmt::format("{} frames: {} done, {} missing\n", film.total, film.done, missing));
    if (film.video) print_result("their video is not made yet\n");
  }
  if (missing > 0 || film.video) throw Unfinished{};
}

/// Says what became of a run's items, or of a film's frames, and throws Unfinished unless all are done.
void show_status(const Settings& settings) {
  if (const auto film = count_frames(settings.batch.directory)) {
    return show_film_status(settings, *film);
  }
  const RunDirectory directory = find_run(settings.batch.directory);
  const fs::path folder = folder_of(directory);
  std::int64_t unpacked = 0;
  const BatchCounts counts = count(
      directory, folder, {}, [&](const Item& item, std::int64_t /*position*/, ItemState state) {
        const bool done = state == ItemState::done;
        unpacked += done && batch::waits_to_be_packed(folder, item) ? 1 : 0;
      });
  if (settings.batch.array) {
    const std::string shards = missing_shards(directory);
    if (!shards.empty()) print_result(shards + "\n");
  } else if (settings.json) {
    Json said = {{"total", counts.total},
                 {"done", counts.done},
                 {"failed", counts.failed},
                 {"missing", counts.missing()}};
    if (unpacked > 0) said["unpacked"] = unpacked;
    print_result(dump(said) + "\n");
  } else {
    print_result(fmt::format("{} items: {} done, {} failed, {} missing\n", counts.total,
                             counts.done, counts.failed, counts.missing()));
    if (unpacked > 0)
      print_result(fmt::format("{} of those done wait for the rest of their archive\n", unpacked));
    ItemReader reader = directory.items();
    while (const auto item = reader.next()) {
      if (directory.state(*item) != ItemState::failed) continue;
      print_result(text("failed  {}: {}\n", item->output,
                        directory.record(*item).value("reason", std::string())));
    }
  }
  if (counts.done < counts.total || unpacked > 0) throw Unfinished{};
}

}  // namespace

void add_batch_commands(CLI::App& program) {
  add_command(program,
              {.name = "batch",
               .summary = "Paint many pictures, each in each style",
               .example = "impasto batch photos --styles paintings -o results",
               .footer = batch_examples},
              [](const Settings& settings) { run_batch(settings, list_items(settings)); });
  add_command(program,
              {.name = "resume",
               .summary = "Make what is missing of a batch",
               .example = "impasto resume results",
               .footer = "Takes the settings from the run; what is named here may differ from it."},
              resume);
  add_command(program,
              {.name = "status",
               .summary = "Say what a batch or film has done; ends with 3 unless that is all",
               .example = "impasto status results",
               .footer = ""},
              show_status);
}

}  // namespace impasto::app
