// SPDX-License-Identifier: MIT
#include "host/app/batch_steps.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <omp.h>

#include "host/app/batch_items.hpp"
#include "host/app/checkpoints.hpp"
#include "host/app/describe.hpp"
#include "host/app/inputs.hpp"
#include "host/app/recipe.hpp"
#include "host/app/sheet.hpp"
#include "host/batch/archives.hpp"
#include "host/core/atomic_file.hpp"
#include "host/core/paths.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;

/// A name that its folder cannot hold is one item's failure, and known before the work.
void check_output_name(const fs::path& output) {
  constexpr std::size_t longest_name = 255;
  const std::string name = output.filename().string();
  if (name.size() > longest_name) {
    fail(ErrorKind::usage, "the name of its result would have {} bytes, {} are possible",
         name.size(), longest_name);
  }
}

/// The settings of an item with the words that `stylize` would be given. The folder that a result is made in goes
/// when it is in its archive.
Settings as_stylize_takes_them(Settings own, const batch::Item& item) {
  const fs::path output = own.output.string();
  own.given["CONTENT"] = {own.content};
  own.given["STYLE"] = own.styles;
  own.given["output"] = {(batch::is_part(item.output) ? output.filename() : output).string()};
  own.given["device"] = {own.device};
  return own;
}

void make_folder_of(const fs::path& file) { make_folder(file.parent_path()); }

}  // namespace

batch::PipelineSizes BatchSteps::sizes() {
  first_backend_ = open_backend(settings_);
  computes_on_cpu_ = first_backend_->name() == "cpu";
  arithmetic_ =
      fmt::format("{} {}", first_backend_->name(), to_string(first_backend_->precision()));
  const int cores = std::max(omp_get_max_threads(), 1);
  // One thread for each of several pictures needs no thread to wait for another. A device computes
  // by itself, and the cores are free for files.
  if (computes_on_cpu_) {
    return {.streams = static_cast<std::size_t>(cores), .threads = 1};
  }
  const auto helpers = static_cast<std::size_t>(std::clamp(cores / 2, 1, 8));
  return {.loaders = helpers, .streams = 1, .threads = cores, .savers = helpers, .waiting = 64};
}

batch::Work BatchSteps::load(const batch::Item& item) {
  told_.begun(item);
  const Settings own = settings_of_item(settings_, item);
  if (own.output) {
    for (const std::string& file : files_of_item(settings_, item)) check_output_name(file);
  }
  StylizeInputs inputs = load_inputs(own);
  if (own.output)
    check_picture_fits(own.output.string(), inputs.content.height, inputs.content.width);
  std::string configuration = dump(describe(own));
  for (const Style& style : inputs.styles) {
    configuration += fmt::format(" {}x{}", style.image.height, style.image.width);
  }
  std::string style_names;
  for (const auto* names : {&item.styles, &own.masks, &own.style_masks}) {
    for (const std::string& name : *names) style_names += '\0' + name;
  }
  // These styles have their content's colours.
  const bool own_styles = own.colours == Colours::histogram || own.colours == Colours::linear;
  if (own_styles) style_names += '\0' + item.content;
  batch::Work work = {.item = item,
                      .config = own.config,
                      .content = std::move(inputs.content),
                      .styles = std::move(inputs.styles),
                      .initial = std::move(inputs.initial),
                      .configuration = std::move(configuration),
                      .style_names = std::move(style_names)};
  if (directory_ != nullptr && own.output) {
    work.from = checkpoint_of(work);
  }
  return work;
}

/// Where an earlier run left the item. A file that is damaged, or of other pictures, costs no more
/// than the time that it would have saved.
std::optional<Checkpoint> BatchSteps::checkpoint_of(const batch::Work& work) const {
  const fs::path path = directory_->checkpoint_path(work.item);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    return load_checkpoint(path.string(), work.config.objective, identity_of(work));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    return std::nullopt;
  }
}

/// The run directory has fixed the version and the network.
std::string BatchSteps::identity_of(const batch::Work& work) const {
  return app::identity_of(arithmetic_ + " " + work.configuration + work.style_names, work.content,
                          work.styles, work.initial);
}

Checkpoints BatchSteps::checkpoints(std::span<const batch::Work> works) {
  if (directory_ == nullptr || !settings_.batch.writes()) return {};
  return {.every = settings_.checkpoint_every.value_or(0),
          .keep = [this, works](const std::vector<Checkpoint>& made) {
            for (std::size_t n = 0; n < works.size(); ++n) {
              const batch::Work& work = works[n];
              if (work.item.output.empty()) continue;
              const fs::path path = directory_->checkpoint_path(work.item);
              make_folder_of(path);
              save_checkpoint(path.string(), made[n], identity_of(work));
            }
          }};
}

/// Pictures are computed one by one with --stop-below, and where the mean of iterates is taken and the
/// optimiser may end, since each ends at an iteration of its own; and with --memory, which is for one.
/// On the CPU a picture fills a thread. A GPU is full with about a megapixel, which small pictures
/// reach together; where its memory is too small for that, the pipeline halves.
std::size_t BatchSteps::side_by_side(const batch::Work& work) {
  if (work.config.stop.below > 0 || work.config.memory > 0) return 1;
  if (work.config.average > 0 && may_end(work.config.optimizer)) return 1;
  if (settings_.batch.side_by_side) return static_cast<std::size_t>(*settings_.batch.side_by_side);
  if (computes_on_cpu_) return 1;
  constexpr std::int64_t full = 1 << 20;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(full / work.content.pixels(), 1, 16));
}

std::unique_ptr<batch::Stream> BatchSteps::open_stream() {
  std::unique_ptr<Backend> backend = std::exchange(first_backend_, nullptr);
  if (backend == nullptr) backend = open_backend(settings_);
  return std::make_unique<batch::Stream>(
      std::move(backend),
      [this](Backend& of_stream, const Objective& objective) {
        return network(of_stream, objective);
      },
      told_.busy);
}

/// One for all streams: where there are several, they are on the CPU and can share it. Pictures that
/// pool or pad differently share its parameters.
std::shared_ptr<const Network> BatchSteps::network(Backend& backend, const Objective& objective) {
  const std::lock_guard lock(mutex_);
  const VggLayers& layers = network_layers(settings_);
  const std::size_t deepest = deepest_layer(objective, layers);
  const bool lacks_parameters =
      network_ == nullptr || deepest > deepest_ || seen_.input_scale != objective.input_scale;
  if (lacks_parameters) {
    network_.reset();  // before the next one takes memory
    network_ = std::make_shared<const Network>(
        backend, open_weights(settings_, backend, layers[deepest].name), objective.pool, deepest,
        objective.padding, objective.input_scale);
    deepest_ = deepest;
  } else if (!see_alike(seen_, objective)) {
    network_ = std::make_shared<const Network>(*network_, objective.pool, objective.padding);
  }
  seen_ = objective;
  return network_;
}

/// Notes what --reports and --films show. Pictures that failed side by side begin again by themselves,
/// and so do their accounts.
void BatchSteps::follow(std::span<const batch::Work> works, const Progress& progress) {
  for (std::size_t n = 0; n < works.size(); ++n) {
    const batch::Work& work = works[n];
    Account* account = nullptr;
    {
      const std::lock_guard lock(mutex_);
      account = &accounts_.try_emplace(work.item.output, work.config.iterations).first->second;
    }
    if (progress.iteration <= account->iteration) *account = Account(work.config.iterations);
    account->iteration = progress.iteration;
    account->curves.add(progress, n);
    if (settings_.batch.films && account->evolution.has_frame_of(progress.iteration)) {
      account->evolution.add(finished(progress.picture(static_cast<std::int64_t>(n)), work.content,
                                      settings_of_item(settings_, work.item)));
    }
  }
}

/// Keeps snapshots of --save-every.
void BatchSteps::reached(batch::Stream& stream, std::span<const batch::Work> works,
                         const Progress& progress) {
  told_.iterated();
  const bool accounts = settings_.batch.reports || settings_.batch.films;
  if (accounts && directory_ != nullptr) follow(works, progress);
  const std::int64_t iterations = works.front().config.iterations;
  if (!settings_.saves_after(progress.iteration, iterations)) return;
  for (std::size_t n = 0; n < works.size(); ++n) {
    const Settings own = settings_of_item(settings_, works[n].item);
    if (directory_ == nullptr || !own.output) continue;
    make_folder_of(own.output.string());
    save_image(finished(progress.picture(static_cast<std::int64_t>(n)), works[n].content, own),
               own.output.snapshot(progress.iteration, iterations).string(),
               recipe(own, stream.backend(), stream.network()));
  }
}

void BatchSteps::save(batch::Stream& stream, const batch::Work& work, batch::Outcome outcome) {
  Json record = {{"output", work.item.output},
                 {"content", work.item.content},
                 {"styles", work.item.styles},
                 {"height", work.content.height},
                 {"width", work.content.width},
                 {"iterations", outcome.iterations},
                 {"first_loss", outcome.course.first.losses.total},
                 {"losses", describe(outcome.course.result().losses)},
                 {"loss_rose", outcome.course.rose},
                 {"result_iteration", outcome.course.result().iteration},
                 {"resumed", work.from.has_value()},
                 {"seconds", outcome.seconds},
                 {"side_by_side", outcome.side_by_side},
                 {"backend", describe(stream.backend())}};
  const Settings own = settings_of_item(settings_, work.item);
  record["profile_missing"] = own.keep_profile && work.content.profile.empty();
  record["alpha_missing"] =
      own.output && !work.content.alpha.empty() && !holds_alpha(own.output.string());
  if (directory_ != nullptr && own.output) {
    make_folder_of(own.output.string());
    const std::string comment = recipe(own, stream.backend(), outcome.session->network());
    const Image picture = finished(std::move(outcome.picture), work.content, own);
    record["sha256"] = save_image(picture, own.output.string(), comment);
    if (settings_.batch.sheets) {
      save_image(make_sheet(pictures_of_sheet(work.content, work.styles, picture), picture.height),
                 own.output.sheet().string(), comment);
    }
    save_account(stream, work, outcome, own, picture, record["sha256"]);
    record["attempts"] = directory_->failures(work.item) + 1;
    record["time"] = utc_now();
    directory_->record_done(work.item, record);
  }
  told_.done(work.item, record);
}

/// The report and the film.
void BatchSteps::save_account(batch::Stream& stream, const batch::Work& work,
                              const batch::Outcome& outcome, const Settings& own,
                              const Image& picture, const std::string& sha256) {
  std::unique_lock lock(mutex_);
  auto node = accounts_.extract(work.item.output);
  lock.unlock();
  if (node.empty()) return;
  Account& account = node.mapped();
  const Network& network = outcome.session->network();
  if (settings_.batch.films) {
    account.evolution.save(picture, own.output.film(), recipe(own, stream.backend(), network));
  }
  if (!settings_.batch.reports) return;
  const Json start = {{"time", account.begun},
                      {"versions", describe_versions()},
                      {"backend", describe(stream.backend())},
                      {"network", describe(network.traits())},
                      {"config", describe(own)}};
  const Json end = {{"ending", word_for(outcome.ending)},
                    {"ended_early", describe(outcome.early)},
                    {"iterations", outcome.iterations},
                    {"seconds", outcome.seconds},
                    {"iterations_per_second", rate(outcome.iterations, outcome.seconds)},
                    {"peak_memory_bytes", peak_memory_bytes()},
                    {"sha256", sha256}};
  std::vector<const Image*> styles;
  for (const Style& style : work.styles) styles.push_back(&style.image);
  write_atomically(own.output.report().string(),
                   page({as_stylize_takes_them(own, work.item), account.curves, start, end,
                         work.content, std::move(styles), picture}));
}

void BatchSteps::failed(const batch::Item& item, const Error& reason) {
  {
    const std::lock_guard lock(mutex_);
    accounts_.erase(item.output);
  }
  told_.failed(item, record_failure(item.output.empty() ? nullptr : directory_, item, reason));
}

Json record_failure(const batch::RunDirectory* directory, const batch::Item& item,
                    const Error& reason) {
  Json record = {{"output", item.output},
                 {"content", item.content},
                 {"styles", item.styles},
                 {"reason", reason.what()},
                 {"exit_code", static_cast<int>(reason.kind())}};
  if (directory != nullptr) {
    record["attempts"] = directory->failures(item) + 1;
    record["time"] = utc_now();
    directory->record_failure(item, record);
  }
  return record;
}

}  // namespace impasto::app
