// SPDX-License-Identifier: MIT
#include "host/app/frames_run.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "host/app/failure.hpp"
#include "host/app/recipe.hpp"
#include "host/app/signals.hpp"
#include "host/app/terminal.hpp"
#include "host/core/digest.hpp"
#include "host/core/paths.hpp"
#include "host/engine/initial.hpp"
#include "host/film/estimate_flow.hpp"
#include "host/film/flo_file.hpp"
#include "host/film/video.hpp"
#include "host/film/video_formats.hpp"
#include "host/image/encode.hpp"
#include "host/image/resize.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> size_of(const Settings& settings) {
  const std::int64_t size = settings.config.size;
  return size == 0 ? std::nullopt : std::optional(size);
}

std::string folder_of_frames(const Settings& settings) {
  const FramesSettings& frames = settings.frames;
  return frames.makes_video() ? frames.video.frames() : frames.folder.string();
}

std::string absolute(const std::string& path) {
  return path.empty() ? path : fs::absolute(path).lexically_normal().string();
}

}  // namespace

Config config_of_later_frames(const Settings& settings, std::size_t scales, double loss) {
  Config config = settings.config;
  config.iterations =
      settings.frames.iterations.value_or(std::max<std::int64_t>(config.iterations / 4, 1));
  config.scales.count = 1;
  const double step = std::pow(config.scales.step_ratio, static_cast<double>(scales) - 1);
  std::visit([step](auto& optimizer) { optimizer.learning_rate *= step; }, config.optimizer);
  constexpr double grey_levels = 10;  // that cost as much as all of the loss, with a weight of 1
  const double weight =
      settings.frames.temporal_weight.value_or(1) * loss / (grey_levels * grey_levels);
  config.objective.losses.emplace_back(TemporalLoss{
      {.name = "temporal", .weight = weight}, {.factor = 1, .channel_power = 1, .pixel_power = 1}});
  return config;
}

void check_video_fits(const Settings& settings, const Image& frame) {
  if (!settings.frames.makes_video() || std::min(frame.height, frame.width) >= 2) return;
  fail(ErrorKind::input, "{}: expected frames of 2x2 or more for a video, found {}x{}",
       settings.frames.in, frame.width, frame.height);
}

std::optional<FilmCounts> count_frames(const std::string& out) {
  for (const std::string& folder : {out, out + OutputPath::frames_suffix}) {
    const std::optional<Json> configuration = FramesRecord(folder).configuration();
    if (!configuration) continue;
    const fs::path path = fs::path(folder).lexically_normal();
    const bool video = path.extension() == OutputPath::frames_suffix &&
                       film::format_of(path.stem().string()) != nullptr;
    const auto source = open_frames(configuration->value("in", std::string()));
    FilmCounts counts{.total = source->count(), .video = video};
    for (std::int64_t frame = 0; frame < counts.total; ++frame) {
      const std::string name = video ? film::frame_name(frame + 1) : source->result_name(frame);
      counts.done += is_there((fs::path(folder) / name).string()) ? 1 : 0;
    }
    return counts;
  }
  return std::nullopt;
}

FramesRun::FramesRun(const Settings& settings, Backend& backend)
    : settings_(settings),
      backend_(backend),
      source_(open_frames(settings.frames.in)),
      folder_(folder_of_frames(settings)),
      distances_(settings.frames.distances),
      record_(folder_),
      progress_(settings.quiet) {
  if (distances_.empty()) distances_ = {1};
}

std::int64_t FramesRun::furthest() const { return distances_.back(); }

std::string FramesRun::path_of(std::int64_t frame) const {
  const std::string name =
      settings_.frames.makes_video() ? film::frame_name(frame + 1) : source_->result_name(frame);
  return (fs::path(folder_) / name).string();
}

void FramesRun::run() {
  record_.begin(configuration(), [this] {
    refuse_existing();
    require_flows();
  });
  const std::int64_t missing = first_missing();
  require_same_film(missing);
  const std::int64_t begin = recall(missing);
  progress_.prepare("Reading the network");
  session_ = std::make_unique<Session>(backend_, open_weights(settings_, backend_),
                                       settings_.config.objective);
  const DeferredSignals deferred;
  log_.open(settings_.log);
  log_.write(
      {{"event", "start"},
       {"time", utc_now()},
       {"versions", describe_versions()},
       {"backend", describe(backend_)},
       {"network", describe(session_->network().traits())},
       {"in", settings_.frames.in},
       {"styles", settings_.styles},
       {"output", settings_.frames.makes_video() ? settings_.frames.video.string() : folder_},
       {"config", describe(settings_)}});
  try {
    make_frames(begin);
    finish(caught_signal() != 0);
  } catch (const Error& error) {
    // A signal from the terminal ends ffmpeg as well, in the middle of what it does.
    if (caught_signal() != 0 && !log_.failure()) finish(/*stopped=*/true);
    log_.write({{"event", "error"},
                {"exit_code", static_cast<int>(error.kind())},
                {"message", error.what()}});
    throw;
  }
}

/// What the frames depend on. Two runs with equal configurations make the same of the same film.
Json FramesRun::configuration() const {
  Json styles = Json::array();
  for (const std::string& style : settings_.styles) styles.push_back(absolute(style));
  Json masks = Json::array();
  for (const auto* names : {&settings_.masks, &settings_.style_masks}) {
    for (const std::string& name : *names) masks.push_back(absolute(name));
  }
  return {{"impasto", describe_versions()["impasto"]},
          {"backend", backend_.name()},
          {"precision", to_string(backend_.precision())},
          {"weights_sha256", settings_.weights ? Json(sha256_file(*settings_.weights)) : Json()},
          {"in", absolute(settings_.frames.in)},
          {"video_sha256", source_->rate() ? Json(sha256_file(settings_.frames.in)) : Json()},
          {"styles", styles},
          {"masks", masks},
          {"init_file", absolute(settings_.init_file)},
          {"flow", absolute(settings_.frames.flow)},
          {"config", describe(settings_)}};
}

/// A film that begins replaces no file. How many frames a video has is not known: nothing in the folder
/// may have the name of any. A folder that is removed in the end holds nothing else in the beginning.
void FramesRun::refuse_existing() const {
  const FramesSettings& frames = settings_.frames;
  const bool makes_video = frames.makes_video();
  std::error_code ignored;
  if (!makes_video && fs::equivalent(frames.in, folder_, ignored)) {
    fail(ErrorKind::usage, "{}: the results would replace the film: expected another folder",
         folder_);
  }
  if (makes_video && is_there(frames.video.string())) {
    fail(ErrorKind::usage, "{}: is there already: expected another name, or remove it",
         frames.video.string());
  }
  std::set<std::string> results;
  if (!source_->rate()) {
    for (std::int64_t frame = 0; frame < source_->count(); ++frame) {
      results.insert(source_->result_name(frame));
    }
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool in_the_way = makes_video       ? name != records_folder
                            : source_->rate() ? film::is_frame_name(name)
                                              : results.contains(name);
    if (!in_the_way) continue;
    fail(ErrorKind::usage, "{}: is there already: expected another {}, or remove it",
         entry.path().string(), makes_video ? "name of the video" : "folder");
  }
}

/// Flows that are missing are missed before hours of work, as far as it is known how many there should be.
void FramesRun::require_flows() const {
  const std::string& folder = settings_.frames.flow;
  if (folder.empty()) return;
  const std::int64_t count =
      source_->rate() ? std::min<std::int64_t>(source_->count(), 2) : source_->count();
  for (std::int64_t frame = 1; frame < count; ++frame) {
    for (const std::string& path : {flow_file(frame, frame - 1), flow_file(frame - 1, frame)}) {
      std::error_code error;
      if (fs::exists(path, error)) continue;
      fail(ErrorKind::input, "cannot read the flow '{}': {}", path,
           std::generic_category().message(error ? error.value() : ENOENT));
    }
  }
}

std::int64_t FramesRun::first_missing() {
  std::int64_t frame = 0;
  const bool counted = !source_->rate();
  while ((!counted || frame < source_->count()) && is_there(path_of(frame))) ++frame;
  return frame;
}

/// The frames that are there have to be those of the film as it is now.
void FramesRun::require_same_film(std::int64_t missing) const {
  if (source_->rate()) return;  // of a video the configuration has the SHA-256
  const std::map<std::string, std::string> sources = record_.sources();
  for (std::int64_t frame = 0; frame < missing; ++frame) {
    const auto known = sources.find(source_->result_name(frame));
    if (known == sources.end() || known->second == source_->sha256(frame)) continue;
    throw HintedError(ErrorKind::usage,
                      fmt::format("{}: was made of another picture than frame {} of {} is now",
                                  path_of(frame), frame + 1, settings_.frames.in),
                      "another OUT begins a new film");
  }
}

/// Where to begin so that frame `missing` is made next: there, with what it goes on from; where that is
/// not kept any more, at the first frame.
std::int64_t FramesRun::recall(std::int64_t missing) {
  if (missing == 0) return 0;
  const auto last = record_.find(missing - 1);
  bool whole = last.has_value();
  for (auto d = distances_.begin(); whole && d != distances_.end(); ++d) {
    if (missing - *d < last->scene) break;
    auto kept = record_.find(missing - *d);
    whole = kept.has_value();
    if (whole) past_[missing - *d].result = std::move(kept->result);
  }
  if (!whole) {
    past_.clear();
    if (!settings_.quiet) {
      message("note: what frame {} goes on from is not kept; beginning at the first frame\n",
              missing + 1);
    }
    return 0;
  }
  scene_ = last->scene;
  scene_loss_ = last->loss;
  frames_ = missing;
  return missing;
}

void FramesRun::make_frames(std::int64_t begin) {
  for (std::int64_t frame = 0; caught_signal() == 0; ++frame) {
    const bool done = frame < begin;
    if (done && frame != scene_ && !past_.contains(frame)) {
      if (!source_->skip()) return;
      continue;
    }
    std::optional<Image> content = source_->next(size_of(settings_));
    if (!content || caught_signal() != 0) return;
    require_shape(*content);
    if (!done) {
      if (!make(frame, std::move(*content))) return;
      continue;
    }
    if (frame == scene_) styles_ = inputs_of(settings_, *content).styles;
    if (past_.contains(frame)) past_[frame].content = std::move(*content);
  }
}

void FramesRun::require_shape(const Image& content) {
  const Shape shape = pixel_shape(std::span(&content, 1));
  if (!shape_) {
    shape_ = shape;
    check_picture_fits(path_of(0), content.height, content.width);
    check_video_fits(settings_, content);
  }
  if (shape == *shape_) return;
  fail(ErrorKind::input, "{}: expected a frame of {}x{} as the ones before, found {}x{}",
       source_->spoken(), shape_->width, shape_->height, shape.width, shape.height);
}

/// Where --flow has the flow from one frame to another.
std::string FramesRun::flow_file(std::int64_t from, std::int64_t to) const {
  const std::string name =
      fmt::format("{}_{}_{}.flo", from < to ? "forward" : "backward", from + 1, to + 1);
  return (fs::path(settings_.frames.flow) / name).string();
}

/// The flow from one frame to another, estimated or from a file.
film::Flow FramesRun::flow(std::int64_t from, const Image& from_content, std::int64_t to,
                           const Image& to_content) const {
  if (settings_.frames.flow.empty()) return film::estimate_flow(from_content, to_content);
  const std::string path = flow_file(from, to);
  const film::Flow found = film::load_flow(path);
  const PictureSize size =
      fit({found.height, found.width}, std::max(from_content.height, from_content.width));
  if (std::abs(size.height - from_content.height) > 1 ||
      std::abs(size.width - from_content.width) > 1) {
    fail(ErrorKind::input, "{}: expected the shape of the frames, {}x{}, found {}x{}", path,
         from_content.width, from_content.height, found.width, found.height);
  }
  return film::resized(found, from_content.height, from_content.width);
}

/// What a frame is held to by those before it in its scene; nothing where it begins a scene. The picture
/// is what it starts from.
std::optional<Anchor> FramesRun::anchor(std::int64_t frame, const Image& content) const {
  film::LongTerm held;
  Mask seen_in_last;
  for (const std::int64_t distance : distances_) {
    const std::int64_t earlier = frame - distance;
    const auto past = past_.find(earlier);
    if (earlier < scene_ || past == past_.end()) break;
    const film::Flow backward = flow(frame, content, earlier, past->second.content);
    const film::Flow forward = flow(earlier, past->second.content, frame, content);
    const Mask seen = film::seen_before(backward, forward);
    const Mask mask = film::reliable(backward, seen);
    if (distance == 1 &&
        film::likeness(content, film::warped(past->second.content, backward), mask).is_cut()) {
      return std::nullopt;
    }
    if (distance == 1) seen_in_last = seen;
    held.add(film::warped(past->second.result, backward), mask);
  }
  if (held.mask().values.empty()) return std::nullopt;
  Anchor anchor{held.picture(), held.mask()};
  // What comes into sight begins as in a scene's first frame: what covered it would leave a trail.
  const Image anew = start_of_new_parts(content);
  for (std::size_t p = 0; p < seen_in_last.values.size(); ++p) {
    if (anchor.mask.values[p] > 0 || seen_in_last.values[p] > 0) continue;
    std::copy_n(&anew.rgb[3 * p], 3, &anchor.picture.rgb[3 * p]);
  }
  return anchor;
}

/// The picture that the frame would start from in a new scene. A picture of --init shows the first frame alone.
Image FramesRun::start_of_new_parts(const Image& content) const {
  Config config = settings_.config;
  if (config.init == Init::file) config.init = Init::content;
  return make_initial(config, content, styles_);
}

/// False where a signal has stopped it.
bool FramesRun::make(std::int64_t frame, Image content) {
  const std::optional<Anchor> held = anchor(frame, content);
  if (caught_signal() != 0) return false;
  Stylized stylized = held ? go_on(frame, content, *held) : begin_scene(frame, content);
  if (stylized.ending == Ending::stopped) return false;
  if (stylized.ending == Ending::diverged || stylized.courses.empty()) {
    progress_.clear();
    throw HintedError(ErrorKind::diverged,
                      fmt::format("{}: the loss of frame {} is not finite after iteration {}",
                                  path_of(frame), frame + 1, stylized.iterations),
                      "a smaller --learning-rate usually helps");
  }
  if (!held) scene_loss_ = stylized.courses.front().result().losses.total;
  double share = 0;
  if (held) {
    for (const float value : held->mask.values) share += static_cast<double>(value);
    share /= static_cast<double>(held->mask.values.size());
  }
  save(frame, std::move(content), std::move(stylized), share);
  return true;
}

/// As `stylize` makes a picture. What was planned for the frames of the last scene makes room.
Stylized FramesRun::begin_scene(std::int64_t frame, const Image& content) {
  if (frame > 0 && !settings_.quiet) {
    progress_.clear();
    message("note: frame {} begins a new scene\n", frame + 1);
  }
  later_.reset();
  past_.clear();
  scene_ = frame;
  StylizeInputs inputs = inputs_of(settings_, content);
  styles_ = std::move(inputs.styles);
  Stylization first(*session_, settings_.config, *shape_, shapes_of(styles_));
  return first.run(std::span(&content, 1), styles_, std::span(&inputs.initial, 1), 1,
                   report_of(frame));
}

Stylized FramesRun::go_on(std::int64_t frame, const Image& content, const Anchor& anchor) {
  if (!later_) {
    const std::vector<Shape> shapes = shapes_of(styles_);
    const std::size_t scales = make_scales(settings_.config, *shape_, shapes).size();
    later_.emplace(*session_, config_of_later_frames(settings_, scales, scene_loss_), *shape_,
                   shapes);
  }
  return later_->run(std::span(&content, 1), styles_, std::span(&anchor.picture, 1), 1,
                     report_of(frame), {}, std::span(&anchor, 1));
}

Stylization::Report FramesRun::report_of(std::int64_t frame) {
  return [this, frame](const Progress& progress) {
    const std::int64_t count = std::max(source_->count(), frame + 1);
    const double done = (static_cast<double>(frame) + progress.work) / static_cast<double>(count);
    progress_.show(std::min(done, 0.999), [&] {
      return fmt::format("frame {}/{}  iteration {}  loss {:.3g}", frame + 1, count,
                         progress.iteration, progress.losses.front().total);
    });
    return caught_signal() == 0;
  };
}

void FramesRun::save(std::int64_t frame, Image content, Stylized stylized, double held) {
  const bool begins = frame == scene_;
  if (!source_->rate()) record_.note_source(source_->result_name(frame), source_->sha256(frame));
  KeptFrame kept = record_.keep(frame, {stylized.pictures.front(), scene_, scene_loss_});
  // A scene's first frame stands by itself: its recipe is that of a picture.
  Settings own = settings_;
  if (begins) own.frames = {};
  if (!begins) own.frames.frame = frame + 1;
  const std::string sha256 =
      save_image(finished(std::move(stylized.pictures.front()), content, settings_), path_of(frame),
                 recipe(own, backend_, session_->network()));
  record_.forget(frame - furthest() - 1);  // one more than needed: the last frame can be made again
  ++frames_;
  ++made_;
  seconds_ += stylized.seconds;
  Json record = {{"event", "frame"},
                 {"frame", frame + 1},
                 {"output", path_of(frame)},
                 {"sha256", sha256},
                 {"begins_scene", begins},
                 {"held", held},
                 {"iterations", stylized.iterations},
                 {"ended_early", describe(stylized.early)},
                 {"seconds", stylized.seconds}};
  record.update(describe(stylized.courses.front().result().losses));
  log_.write(record);
  past_[frame] = {std::move(content), std::move(kept.result)};
  past_.erase(past_.begin(), past_.lower_bound(frame + 1 - furthest()));
}

/// The folder of a video's frames, unless somebody has put something else there.
void FramesRun::remove_frames() const {
  std::error_code ignored;
  for (std::int64_t frame = 0; frame < frames_; ++frame) fs::remove(path_of(frame), ignored);
  fs::remove_all(fs::path(folder_) / records_folder, ignored);
  fs::remove(folder_, ignored);
}

void FramesRun::finish(bool stopped) {
  const FramesSettings& frames = settings_.frames;
  progress_.clear();
  if (!stopped && frames_ == 0) {
    fail(ErrorKind::input, "{}: there is no frame in it", frames.in);
  }
  if (!stopped && frames.makes_video()) {
    progress_.prepare("Making the video");
    const bool from_video = source_->rate().has_value();
    film::write_video(frames.video.string(), folder_,
                      source_->rate().value_or(fmt::format("{}", frames.rate)),
                      from_video ? std::optional(frames.in) : std::nullopt);
    remove_frames();
    progress_.clear();
  }
  const std::string output = frames.makes_video() ? frames.video.string() : folder_;
  const Json end = {{"event", "end"},
                    {"ending", stopped ? "stopped" : "finished"},
                    {"output", output},
                    {"frames", frames_},
                    {"made", made_},
                    {"seconds", seconds_},
                    {"peak_memory_bytes", peak_memory_bytes()}};
  log_.write(end);
  if (settings_.json) {
    Json result = end;
    result.erase("event");
    print_result(dump(result) + "\n");
  }
  if (!settings_.quiet && stopped) {
    message("Stopped by a signal after {} frames; the same command goes on\n", frames_);
  } else if (!settings_.quiet) {
    message("Wrote {} ({} frames, {} of them now, in {:.1f} s)\n", output, frames_, made_,
            seconds_);
    message("Network  {}\n", session_->network().traits().description);
    message("Machine  {}, {}, {}\n", backend_.name(), to_string(backend_.precision()),
            backend_.description());
  }
  if (log_.failure()) throw Error(*log_.failure());
  if (stopped) throw Interrupted{caught_signal(), false};
}

}  // namespace impasto::app
