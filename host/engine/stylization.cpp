// SPDX-License-Identifier: MIT
#include "host/engine/stylization.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "host/core/error.hpp"
#include "host/engine/fitting_tiles.hpp"
#include "host/image/resize.hpp"

namespace impasto {
namespace {

constexpr std::int64_t least_side = 64;
/// Of the pictures that are remembered with their targets, contents and styles each.
constexpr std::size_t most_bytes = std::size_t{32} << 20U;

std::int64_t longer_side(const Shape& shape) { return std::max(shape.height, shape.width); }
std::int64_t shorter_side(const Shape& shape) { return std::min(shape.height, shape.width); }

Shape shrunk(const Shape& shape, double factor) {
  const auto longer = static_cast<double>(longer_side(shape));
  return scaled_to(shape, std::llround(longer * factor));
}

bool too_small(const Scale& scale) {
  const auto small = [](const Shape& shape) { return shorter_side(shape) < least_side; };
  return small(scale.pixels) || std::ranges::any_of(scale.styles, small);
}

/// Shares `total` iterations among the scales: each takes `ratio` times as many as the coarser one
/// before it, but at least one. There are as many iterations as scales, or more.
void share_iterations(std::vector<Scale>& scales, std::int64_t total, double ratio) {
  double sum = 1;  // of all scales, in the finest one's iterations
  for (std::size_t i = 1; i < scales.size(); ++i) sum = sum / ratio + 1;
  double wanted = static_cast<double>(total) / sum;
  std::int64_t left = total;
  for (std::size_t i = scales.size() - 1; i > 0; --i, wanted /= ratio) {
    const auto coarser = static_cast<std::int64_t>(i);
    scales[i].iterations =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(wanted), 1, left - coarser);
    left -= scales[i].iterations;
  }
  scales.front().iterations = left;
}

using Clock = std::chrono::steady_clock;

/// Brings a picture to another size without clamping it: one that is optimised may leave [0,255].
Image resampled(const Image& picture, const Shape& to) {
  Image result{to.height, to.width, {}, {}, picture.bits};
  result.rgb = resample(picture.rgb, {picture.height, picture.width}, {to.height, to.width});
  return result;
}

bool has_size(const Image& picture, const Shape& shape) {
  return picture.height == shape.height && picture.width == shape.width;
}

/// What a scale starts from: the coarser scale's result x, enlarged, and `detail` times what the coarser
/// size loses of the run's first picture x₀: up(x) + detail · (x₀ − up(down(x₀))).
Image enlarged(const Image& coarser, const Image& initial, const Shape& to, double detail) {
  Image result = resampled(coarser, to);
  if (detail == 0) return result;
  const auto share = static_cast<float>(detail);
  const auto add_detail = [&](const Image& whole) {
    const Image blurred = resampled(resampled(whole, {1, coarser.height, coarser.width, 3}), to);
    for (std::size_t i = 0; i < result.rgb.size(); ++i) {
      result.rgb[i] += share * (whole.rgb[i] - blurred.rgb[i]);
    }
  };
  if (has_size(initial, to)) {
    add_detail(initial);
  } else {
    add_detail(resampled(initial, to));
  }
  return result;
}

/// Targets of one scale that are remembered for later runs.
bool keeps_targets(const Plan& plan, TargetSource source) {
  return plan.target_bytes(source) <= most_bytes && plan.filed_bytes() == 0;
}

/// Losses that are finite belong to pixels that are. Others came of a device that fails.
void require_numbers(std::span<const Image> pictures) {
  for (const Image& picture : pictures) {
    if (std::ranges::all_of(picture.rgb, [](float value) { return std::isfinite(value); }))
      continue;
    fail(ErrorKind::backend, "the device gave pixels that are no numbers");
  }
}

std::vector<Course> courses_from(const Progress& progress) {
  std::vector<Course> courses;
  for (const Losses& losses : progress.losses) {
    const Course::Point point{progress.iteration, losses};
    courses.push_back({.first = point, .best = point, .last = point});
  }
  return courses;
}

const Image& image_of(const Image& content) { return content; }
const Image& image_of(const Style& style) { return style.image; }

/// The last losses of each picture at one scale, and whether they still fall.
class Convergence {
 public:
  Convergence(const EarlyStop& stop, std::size_t pictures) : stop_(stop), recent_(pictures) {}

  void add(const std::vector<Losses>& losses) {
    if (stop_.below <= 0) return;
    for (std::size_t n = 0; n < recent_.size(); ++n) {
      recent_[n].push_back(losses[n].total);
      if (recent_[n].size() > static_cast<std::size_t>(stop_.window) + 1) {
        recent_[n].erase(recent_[n].begin());
      }
    }
  }
  /// Whether no picture's loss has fallen enough.
  [[nodiscard]] bool reached() const {
    return std::ranges::all_of(recent_, [this](const std::vector<double>& losses) {
      return losses.size() == static_cast<std::size_t>(stop_.window) + 1 &&
             losses.front() - losses.back() < stop_.below * std::abs(losses.front());
    });
  }
  [[nodiscard]] const std::vector<double>& recent(std::size_t n) const { return recent_[n]; }
  void resume(std::size_t n, const std::vector<double>& recent) { recent_[n] = recent; }

 private:
  EarlyStop stop_;
  std::vector<std::vector<double>> recent_;
};

bool done(Ending ending) { return ending == Ending::finished || ending == Ending::converged; }

void follow(std::vector<Course>& courses, const Progress& progress) {
  for (std::size_t n = 0; n < courses.size(); ++n) {
    Course& course = courses[n];
    course.last = {progress.iteration, progress.losses[n]};
    if (course.last.losses.total < course.best.losses.total) course.best = course.last;
  }
}

}  // namespace

std::vector<Scale> make_scales(const Config& config, const Shape& pixels,
                               std::span<const Shape> styles) {
  std::vector<Scale> scales = {{pixels, {styles.begin(), styles.end()}, 0}};
  const Scales& wanted = config.scales;
  for (double factor = 1 / wanted.ratio;
       static_cast<std::int64_t>(scales.size()) < std::min(wanted.count, config.iterations);
       factor /= wanted.ratio) {
    Scale scale{shrunk(pixels, factor), {}, 0};
    for (const Shape& style : styles) scale.styles.push_back(shrunk(style, factor));
    if (too_small(scale)) break;
    scales.insert(scales.begin(), std::move(scale));
  }
  share_iterations(scales, config.iterations, wanted.iteration_ratio);
  return scales;
}

Stylization::Stylization(Session& session, const Config& config, const Shape& pixels,
                         std::span<const Shape> styles)
    : scales_(make_scales(config, pixels, styles)),
      detail_(config.scales.detail),
      stop_(config.stop) {
  const Stylizer* largest = nullptr;
  Config own = config;  // of a scale
  for (const Scale& scale : scales_) {
    stylizers_.push_back(std::make_unique<Stylizer>(session, own, scale.pixels, scale.styles,
                                                    Stylizer::WithoutMemory{}));
    const Stylizer& stylizer = *stylizers_.back();
    if (largest == nullptr || stylizer.plan().bytes() > largest->plan().bytes()) {
      largest = &stylizer;
    }
    std::visit([&](auto& optimizer) { optimizer.learning_rate *= config.scales.step_ratio; },
               own.optimizer);
  }
  largest->plan().require_room(session.backend());
  const Buffer memory = session.backend().allocate(largest->plan().bytes());
  for (const auto& stylizer : stylizers_) stylizer->bind(memory);
}

template <class Picture>
std::size_t Stylization::Seen<Picture>::bytes() const {
  std::size_t values = 0;
  for (const Picture& picture : pictures) values += image_of(picture).rgb.size();
  for (const std::vector<float>& one : targets) values += one.size();
  return values * sizeof(float);
}

/// Brings these pictures to the front of those that were seen. Forgets the oldest of too many.
template <class Picture>
void Stylization::look_up(std::list<Seen<Picture>>& seen, std::span<const Picture> pictures,
                          TargetSource source) {
  const auto same = [](const Picture& a, const Picture& b) { return a.looks_like(b); };
  const auto known = std::ranges::find_if(seen, [&](const Seen<Picture>& one) {
    return std::ranges::equal(one.pictures, pictures, same);
  });
  if (known != seen.end()) {
    seen.splice(seen.begin(), seen, known);
    return;
  }
  seen.emplace_front();
  if (keeps_targets(stylizers_.front()->plan(), source)) {
    seen.front().pictures.assign(pictures.begin(), pictures.end());
  }
  seen.front().targets.resize(scales_.size());
  std::size_t bytes = 0;
  const auto too_many = std::ranges::find_if(seen, [&](const Seen<Picture>& one) {
    bytes += one.bytes();
    return bytes > most_bytes && &one != &seen.front();
  });
  seen.erase(too_many, seen.end());
}

/// Starts a scale. What is known of the contents and styles is in front.
void Stylization::reset(std::size_t scale, std::span<const Image> contents,
                        std::span<const Style> styles, std::span<const Image> initials,
                        std::span<const Anchor> anchors) {
  Stylizer& stylizer = *stylizers_[scale];
  std::vector<float>& content_targets = contents_.front().targets[scale];
  std::vector<float>& style_targets = styles_.front().targets[scale];
  const KnownTargets known = {content_targets, style_targets};
  if (scale + 1 == scales_.size()) {
    stylizer.reset(contents, styles, initials, known, anchors);
  } else {
    const Shape& shape = scales_[scale].pixels;
    std::vector<Image> small_contents(contents.size());
    for (std::size_t i = 0; i < contents.size() && known.contents.empty(); ++i) {
      small_contents[i] = resize(contents[i], shape.height, shape.width);
    }
    std::vector<Style> small_styles(styles.size());
    for (std::size_t i = 0; i < styles.size() && known.styles.empty(); ++i) {
      const Shape& own = scales_[scale].styles[i];
      small_styles[i] = {resize(styles[i].image, own.height, own.width), styles[i].weight,
                         styles[i].mask, styles[i].style_mask};
    }
    std::vector<Anchor> small_anchors;
    for (const Anchor& anchor : anchors) {
      small_anchors.push_back(
          {resampled(anchor.picture, shape), averaged(anchor.mask, shape.height, shape.width)});
    }
    stylizer.reset(small_contents, small_styles, initials, known, small_anchors);
  }
  const Plan& plan = stylizer.plan();
  Backend& backend = stylizer.session().backend();
  const auto remember = [&](std::vector<float>& targets, TargetSource source) {
    if (!targets.empty() || !keeps_targets(plan, source)) return;
    targets = plan.targets(backend, source);
  };
  remember(content_targets, TargetSource::content);
  remember(style_targets, TargetSource::style);
}

/// Brings the pictures to where they stood. Their scale has been reset.
void Stylization::resume(const std::vector<Checkpoint>& from) {
  const Checkpoint& first = from.front();
  const Shape& pixels = scales_.back().pixels;
  std::vector<std::span<const float>> states;
  for (const Checkpoint& one : from) {
    require(one.scale == first.scale && one.iteration == first.iteration,
            "checkpoints of several places");
    states.emplace_back(one.state);
  }
  require(static_cast<std::int64_t>(from.size()) == pixels.batch, "{} checkpoints for {} pictures",
          from.size(), pixels.batch);
  const auto scale = static_cast<std::size_t>(first.scale);
  if (first.iteration < 1 || first.iteration > scales_[scale].iterations) {
    fail(ErrorKind::input, "there is no iteration {} of {} to go on from", first.iteration,
         scales_[scale].iterations);
  }
  stylizers_[scale]->resume(first.iteration, states);
}

Stylized Stylization::run(std::span<const Image> contents, std::span<const Style> styles,
                          std::span<const Image> initials, std::int64_t report_every,
                          const Report& report, const Checkpoints& checkpoints,
                          std::span<const Anchor> anchors) {
  const Shape& full = scales_.back().pixels;
  const auto work_of = [](const Scale& scale) {
    return static_cast<double>(scale.pixels.count() * scale.iterations);
  };
  double work = 0;
  for (const Scale& scale : scales_) work += work_of(scale);

  Backend& backend = stylizers_.front()->session().backend();
  look_up(contents_, contents, TargetSource::content);
  look_up(styles_, styles, TargetSource::style);
  Stylized result;
  std::int64_t iterations_before = 0;
  double work_before = 0;
  double seconds_before = 0;
  std::size_t begin = 0;
  if (!checkpoints.from.empty()) {
    const Checkpoint& first = checkpoints.from.front();
    if (first.scale < 0 || first.scale >= static_cast<std::int64_t>(scales_.size())) {
      fail(ErrorKind::input, "there is no scale {}", first.scale);
    }
    begin = static_cast<std::size_t>(first.scale);
    iterations_before = first.before;
    for (std::size_t s = 0; s < begin; ++s) work_before += work_of(scales_[s]);
    seconds_before = result.seconds = first.seconds;
    for (const Checkpoint& one : checkpoints.from) result.courses.push_back(one.course);
    result.iterations = first.course.last.iteration;
    result.early = first.early;
  }
  result.pictures.resize(initials.size());
  std::optional<Clock::time_point> start;
  const auto seconds = [&] {
    return seconds_before + std::chrono::duration<double>(Clock::now() - *start).count();
  };
  for (std::size_t s = begin; s < scales_.size() && done(result.ending); ++s) {
    const Scale& scale = scales_[s];
    const bool finest = s + 1 == scales_.size();
    OptimizerState state =
        s == begin ? OptimizerState{} : stylizers_[s - 1]->plan().optimizer_state(backend);
    const bool as_given = s == begin && finest;
    for (std::size_t n = 0; n < initials.size() && !as_given; ++n) {
      result.pictures[n] = s == begin
                               ? resampled(initials[n], scale.pixels)
                               : enlarged(result.pictures[n], initials[n], scale.pixels, detail_);
    }
    reset(s, contents, styles, as_given ? initials : std::span<const Image>(result.pictures),
          anchors);
    stylizers_[s]->plan().optimizer().resume(backend, state);
    // Both are on the device now.
    state = {};
    for (Image& picture : result.pictures) picture = {};
    Convergence convergence(stop_, result.pictures.size());
    Keeping keeping;
    if (s == begin && !checkpoints.from.empty()) {
      resume(checkpoints.from);
      for (const Course& course : result.courses) {
        keeping.smallest.push_back(course.best.losses.total);
      }
      for (std::size_t n = 0; n < checkpoints.from.size(); ++n) {
        convergence.resume(n, checkpoints.from[n].recent);
      }
    }
    if (checkpoints.keep) {
      keeping.wanted = [&](std::int64_t iteration) {
        return checkpoints.every > 0 && (iterations_before + iteration) % checkpoints.every == 0;
      };
      keeping.keep = [&](std::int64_t iteration) {
        std::vector<Checkpoint> made;
        for (std::size_t n = 0; n < result.courses.size(); ++n) {
          made.push_back(
              {.scale = static_cast<std::int64_t>(s),
               .iteration = iteration,
               .seconds = seconds(),
               .course = result.courses[n],
               .state = stylizers_[s]->plan().state(backend, static_cast<std::int64_t>(n)),
               .before = iterations_before,
               .recent = convergence.recent(n),
               .early = result.early});
        }
        checkpoints.keep(std::move(made));
      };
    }
    if (!start) start = Clock::now();
    const auto report_here = [&](const Progress& here) {
      // The next scale reports this iteration, with the losses that it has there.
      if (!finest && here.last) return true;
      Progress progress = here;
      progress.iteration += iterations_before;
      progress.seconds = seconds();
      progress.picture = [&](std::int64_t n) {
        Image picture = here.picture(n);
        if (!has_size(picture, full)) picture = resampled(picture, full);
        return picture;
      };
      progress.work = (work_before + here.work * work_of(scale)) / work;
      convergence.add(here.losses);
      if (here.iteration == 0) result.courses = courses_from(progress);
      follow(result.courses, progress);
      result.iterations = progress.iteration;
      result.seconds = progress.seconds;
      return report(progress);
    };
    const std::function<bool()> converged = [&] { return convergence.reached(); };
    const RunEnd end = impasto::run(*stylizers_[s], scale.iterations, report_every, report_here,
                                    keeping, stop_.below > 0 ? converged : nullptr);
    result.ending = end.ending;
    if (end.ending == Ending::converged) {
      result.early.push_back(
          {longer_side(scale.pixels), iterations_before + end.iterations, end.reason});
    }
    for (std::size_t n = 0; n < result.pictures.size(); ++n) {
      const auto index = static_cast<std::int64_t>(n);
      if (finest && done(result.ending)) {
        Course& course = result.courses[n];
        course.rose = course.last.losses.total > course.first.losses.total;
      }
      const bool rose = !result.courses.empty() && result.courses[n].rose;
      result.pictures[n] = rose ? stylizers_[s]->best_image(index) : stylizers_[s]->image(index);
    }
    iterations_before += end.iterations;
    work_before += work_of(scale);
  }
  require_numbers(result.pictures);
  for (Image& picture : result.pictures) {
    if (!has_size(picture, full)) picture = resampled(picture, full);
  }
  return result;
}

namespace {

std::size_t float_bytes(const Shape& shape) {
  return static_cast<std::size_t>(shape.count()) * sizeof(float);
}

/// What the host has at most while it brings a coarser result and its optimiser's two moments to a scale, beyond
/// what the plan has by then: no copies of the picture yet, which the others do not use.
std::size_t bytes_between(const Scale& coarser, const Scale& scale, const Plan& plan) {
  const std::size_t picture = float_bytes(scale.pixels);
  const Shape narrow = {scale.pixels.batch, coarser.pixels.height, scale.pixels.width, 3};
  const std::size_t most = 2 * picture + float_bytes(narrow) + 2 * float_bytes(coarser.pixels);
  const std::size_t copies = plan.filed_bytes() > 0 ? 0 : (Plan::kept_count + 1) * picture;
  return most - std::min(most, copies);
}

}  // namespace

MemoryEstimate estimate_memory(Backend& backend, const VggLayers& layers, const Config& config,
                               const Shape& pixels, std::span<const Shape> styles,
                               Communicator* ranks) {
  const std::size_t deepest = deepest_layer(config.objective, layers);
  const Network network(backend, layers, config.objective.pool, deepest, config.objective.padding);
  MemoryEstimate largest;
  largest.weights = parameter_bytes(layers, deepest, backend.activation_type());
  std::size_t remembered = 0;  // contents and styles, and their targets
  std::size_t between_scales = 0;
  const Scale* coarser = nullptr;
  std::optional<std::size_t> room = backend.free_memory();
  if (room) *room -= std::min(*room, largest.weights);
  const std::vector<Scale> scales = make_scales(config, pixels, styles);
  for (const Scale& scale : scales) {
    const FittingTiles tiles =
        ranks != nullptr ? FittingTiles()
                         : fitting_tiles(backend, network, config, scale.pixels, scale.styles);
    Plan plan(network, config, scale.pixels, backend.master_type(), backend.activation_type(),
              scale.styles, tiles.size, ranks, tiles.filed);
    plan.prepare(backend);
    largest.recomputation.push_back(plan.recomputation());
    for (const TargetSource source : {TargetSource::content, TargetSource::style}) {
      if (!keeps_targets(plan, source)) continue;
      remembered += plan.target_bytes(source);
      if (coarser != nullptr) continue;
      const bool of_content = source == TargetSource::content;
      if (of_content) remembered += float_bytes(pixels);
      for (std::size_t i = 0; !of_content && i < styles.size(); ++i) {
        remembered += float_bytes(styles[i]);
      }
    }
    if (coarser != nullptr) {
      between_scales = std::max(between_scales, bytes_between(*coarser, scale, plan));
    }
    coarser = &scale;
    // Those of the last scale, even if another one, as a whole, takes more.
    largest.tiles.reset();
    largest.strip.reset();
    const auto& tiling = plan.tiling();
    if (tiling && ranks != nullptr) {
      const StripRows rows = tiling->rows();
      largest.strip = StripEstimate{
          .top = tiling->tiles().front().top,
          .height = rows.own,
          .above = rows.above,
          .below = rows.below,
      };
    } else if (tiling) {
      const Area& first = tiling->tiles().front();
      largest.tiles = TileEstimate{
          .count = tiling->tiles().size(),
          .height = first.height,
          .width = first.width,
          .halo = tiling->halo(deepest),
      };
    }
    if (largest.weights + plan.bytes() <= largest.total()) continue;
    largest = {.weights = largest.weights,
               .persistent = plan.persistent_bytes(),
               .arena = plan.arena_bytes(),
               .workspace = plan.workspace_bytes(),
               .filed = plan.filed_bytes(),
               .state = plan.state_bytes(0),
               .shortage = tiles.shortage,
               .tiles = largest.tiles,
               .strip = largest.strip,
               .recomputation = std::move(largest.recomputation)};
    if (largest.shortage.empty() && room) largest.shortage = plan.shortage(*room);
  }
  largest.host = remembered + between_scales;
  return largest;
}

}  // namespace impasto
