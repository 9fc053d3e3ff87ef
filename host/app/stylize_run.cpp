// SPDX-License-Identifier: MIT
#include "host/app/stylize_run.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <new>
#include <span>
#include <string_view>

#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/recipe.hpp"
#include "host/app/sheet.hpp"
#include "host/app/signals.hpp"
#include "host/app/terminal.hpp"
#include "host/core/atomic_file.hpp"
#include "host/core/digest.hpp"
#include "host/core/printable.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

Json describe_picture(const std::string& path, const Image& image) {
  return {{"path", path}, {"height", image.height}, {"width", image.width}};
}

}  // namespace

StylizeRun::StylizeRun(const Settings& settings, std::span<Backend* const> devices,
                       StylizeInputs inputs)
    : settings_(settings),
      devices_(devices),
      backend_(*devices.front()),
      inputs_(std::move(inputs)),
      evolution_(settings.config.iterations),
      progress_(settings.config, settings.quiet) {}

void StylizeRun::run() {
  progress_.prepare(settings_.weights ? "Reading the network"
                                      : "Making and calibrating the built-in network");
  Weights weights = open_weights(settings_, backend_);
  progress_.prepare("Looking at the pictures");
  SharedStylization stylization(devices_, std::move(weights), settings_.config,
                                pixel_shape(std::span(&inputs_.content, 1)),
                                shapes_of(inputs_.styles));
  const Network& network = stylization.network();
  begin_checkpoints(network);
  // Not earlier: a run that is refused leaves the log of the last one alone.
  const DeferredSignals deferred;
  log_.open(settings_.log);
  const auto note = [this](const Error& error) {
    log_.write({{"event", "error"},
                {"exit_code", static_cast<int>(error.kind())},
                {"message", error.what()}});
  };
  try {
    start_record_ = start_record(network);
    log_.write(start_record_);
    optimise(stylization);
  } catch (const Error& error) {
    note(error);
    throw;
  } catch (const std::bad_alloc&) {
    note(out_of_memory());
    throw;
  }
  if (has_result()) say_result(stylization);
  end();
}

void StylizeRun::optimise(SharedStylization& stylization) {
  const Network& network = stylization.network();
  stylized_ = stylization.run(
      std::span(&inputs_.content, 1), inputs_.styles, std::span(&inputs_.initial, 1), 1,
      [&](const Progress& progress) { return report(network, progress); }, checkpoints_);
  stylization.release();
  progress_.clear();
  Image picture;
  std::string sha256;
  if (has_result()) {
    picture = finished(std::move(stylized_.pictures.front()), inputs_.content, settings_);
    sha256 = save(network, picture);
  }
  end_checkpoints();
  end_record_ = end_record(sha256);
  if (has_result() && settings_.film) evolution_.save(picture, settings_.film, comment(network));
  if (has_result() && settings_.report) save_report(picture);
  log_.write(end_record_);
}

bool StylizeRun::report(const Network& network, const Progress& progress) {
  const bool finest = progress.size == std::max(inputs_.content.height, inputs_.content.width);
  if (finest) inputs_.initial = {};  // nobody looks at it any more
  log_.write(progress);
  if (settings_.report) curves_.add(progress);
  if (settings_.film && evolution_.has_frame_of(progress.iteration)) {
    evolution_.add(finished(progress.picture(0), inputs_.content, settings_));
  }
  progress_.update(progress);
  if (settings_.saves_after(progress.iteration, settings_.config.iterations)) {
    save_snapshot(network, progress);
  }
  return caught_signal() == 0;
}

void StylizeRun::begin_checkpoints(const Network& network) {
  if (!settings_.checkpoint) return;
  checkpoint_file_.emplace(
      settings_.checkpoint.string(),
      identity_of(comment(network), inputs_.content, inputs_.styles, inputs_.initial));
  checkpoints_.every = settings_.checkpoint_every.value_or(0);
  checkpoints_.keep = [this](std::vector<Checkpoint> made) { keep(std::move(made.front())); };
  if (!settings_.resume) return;
  if (auto from = checkpoint_file_->load(settings_.config.objective)) {
    checkpoints_.from.push_back(std::move(*from));
  } else if (!settings_.quiet) {
    progress_.clear();
    message("note: there is no {}; beginning at the start\n", settings_.checkpoint.string());
  }
}

void StylizeRun::keep(Checkpoint checkpoint) {
  try {
    checkpoint_file_->write(std::move(checkpoint));
  } catch (const Error& error) {
    go_on_without(error);
  }
}

/// A finished run needs no checkpoint.
void StylizeRun::end_checkpoints() {
  if (!checkpoint_file_) return;
  try {
    checkpoint_file_->finish();
  } catch (const Error& error) {
    go_on_without(error);
  }
  const bool done = stylized_.ending == Ending::finished || stylized_.ending == Ending::converged;
  if (done) checkpoint_file_->remove();
}

/// A snapshot or checkpoint that cannot be written does not cost the result.
void StylizeRun::go_on_without(const Error& error) {
  if (error.kind() != ErrorKind::output) throw Error(error);
  if (failed_write_) return;
  failed_write_ = error;
  progress_.clear();
  message("impasto: {}; going on without it\n", error.what());
}

void StylizeRun::save_snapshot(const Network& network, const Progress& progress) {
  const OutputPath path =
      settings_.output.snapshot(progress.iteration, settings_.config.iterations);
  try {
    save_image(finished(progress.picture(0), inputs_.content, settings_), path.string(),
               comment(network));
  } catch (const Error& error) {
    go_on_without(error);
  }
}

bool StylizeRun::has_result() const {
  if (!stylized_.courses.empty() && stylized_.ending == Ending::diverged) return true;
  return stylized_.iterations > 0 || stylized_.ending == Ending::converged;
}

/// Writes the result; its SHA-256.
std::string StylizeRun::save_result(const Network& network, const Image& picture) const {
  const OutputPath& output = settings_.output;
  if (!output.is_standard_output()) return save_image(picture, output.string(), comment(network));
  const std::vector<std::byte> bytes =
      encode_image(picture, output.picture_name(), comment(network));
  print_result({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return sha256(bytes);
}

/// Writes the result and the sheet; the SHA-256 of the result.
std::string StylizeRun::save(const Network& network, const Image& picture) {
  const std::string sha256 = save_result(network, picture);
  if (settings_.sheet) {
    save_image(
        make_sheet(pictures_of_sheet(inputs_.content, inputs_.styles, picture), picture.height),
        settings_.sheet.string(), comment(network));
  }
  return sha256;
}

void StylizeRun::save_report(const Image& picture) const {
  std::vector<const Image*> styles;
  for (const Style& style : inputs_.styles) styles.push_back(&style.image);
  write_atomically(settings_.report.string(), page({settings_, curves_, start_record_, end_record_,
                                                    inputs_.content, std::move(styles), picture}));
}

Json StylizeRun::start_record(const Network& network) const {
  Json styles = Json::array();
  for (std::size_t i = 0; i < inputs_.styles.size(); ++i) {
    styles.push_back(describe_picture(settings_.styles[i], inputs_.styles[i].image));
  }
  return {{"event", "start"},
          {"time", utc_now()},
          {"versions", describe_versions()},
          {"backend", describe(devices_)},
          {"network", describe(network.traits())},
          {"content", describe_picture(settings_.content, inputs_.content)},
          {"styles", styles},
          {"output", settings_.output.string()},
          {"height", inputs_.content.height},
          {"width", inputs_.content.width},
          {"config", describe(settings_)}};
}

Json StylizeRun::end_record(const std::string& sha256) const {
  const bool saved = !sha256.empty();
  return {{"event", "end"},
          {"ending", word_for(stylized_.ending)},
          {"ended_early", describe(stylized_.early)},
          {"output", saved ? Json(settings_.output.string()) : Json()},
          {"sha256", saved ? Json(sha256) : Json()},
          {"iterations", stylized_.iterations},
          {"result_iteration", saved ? Json(course().result().iteration) : Json()},
          {"seconds", stylized_.seconds},
          {"iterations_per_second", rate(stylized_.iterations, stylized_.seconds)},
          {"peak_memory_bytes", peak_memory_bytes()}};
}

std::string StylizeRun::comment(const Network& network) const {
  return recipe(settings_, devices_, network);
}

void StylizeRun::say_result(const SharedStylization& stylization) const {
  if (settings_.json) {
    Json result = end_record_;
    result.erase("event");
    result["losses"] = describe(course().result().losses);
    print_result(dump(result) + "\n");
  }
  if (settings_.quiet) return;
  const std::string_view verb =
      stylized_.ending == Ending::stopped ? "Stopped by a signal:" : "Wrote";
  message("{} {} ({}x{})\n", verb, settings_.output.spoken(), inputs_.content.width,
          inputs_.content.height);
  message("Run      {} iterations in {:.1f} s, {:.2f} it/s, loss {:.3g} to {:.3g}\n",
          stylized_.iterations, stylized_.seconds, rate(stylized_.iterations, stylized_.seconds),
          course().first.losses.total, course().last.losses.total);
  for (const EarlyEnd& early : stylized_.early) {
    message("Ended    early, with iteration {} at {} pixels: {}\n", early.iteration, early.size,
            in_words(early.reason, settings_.config));
  }
  if (settings_.styles.size() > 1) {
    const bool guided = settings_.config.objective.guided;
    message("Styles   {} styles {}; for many pictures see 'impasto batch'\n",
            settings_.styles.size(), guided ? "by their masks" : "were averaged");
  }
  if (settings_.sheet) message("Sheet    {}\n", settings_.sheet.string());
  if (settings_.film) message("Film     {}\n", settings_.film.string());
  if (settings_.report) message("Report   {}\n", settings_.report.string());
  if (settings_.checkpoint && stylized_.ending == Ending::stopped) {
    message("Kept     {}; --resume goes on from it\n", settings_.checkpoint.string());
  }
  if (settings_.log) message("Log      {}\n", settings_.log.string());
  message("Network  {}\n", stylization.network().traits().description);
  message("Machine  {}\n", machine_in_words(devices_));
  if (devices_.size() > 1) message("Strips   handed over {}\n", stylization.communication());
}

void StylizeRun::end() const {
  if (stylized_.ending == Ending::diverged) {
    if (!has_result()) refuse_infinite_losses("the initial picture");
    throw HintedError(
        ErrorKind::diverged,
        fmt::format("the loss is not finite after iteration {}; {} holds the picture of "
                    "iteration {}, the last whose loss was finite",
                    stylized_.iterations + 1, settings_.output.spoken(), stylized_.iterations),
        "a smaller --learning-rate usually helps");
  }
  if (!stylized_.courses.empty() && course().rose) {
    const std::array<double, 3> losses = {course().first.losses.total, course().last.losses.total,
                                          course().best.losses.total};
    const std::vector<std::string> words = told_apart(losses);
    throw HintedError(ErrorKind::diverged,
                      fmt::format("the loss rose from {} to {}; {} holds the best picture, of "
                                  "iteration {} with {}",
                                  words[0], words[1], settings_.output.spoken(),
                                  course().best.iteration, words[2]),
                      "a smaller --learning-rate usually helps");
  }
  if (failed_write_) throw Error(*failed_write_);
  if (log_.failure()) throw Error(*log_.failure());
  if (stylized_.ending == Ending::stopped) throw Interrupted{caught_signal(), !has_result()};
}

}  // namespace impasto::app
