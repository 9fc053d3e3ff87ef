// SPDX-License-Identifier: MIT
#include "host/engine/plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "host/core/error.hpp"
#include "host/engine/guides.hpp"
#include "host/engine/strip_steps.hpp"
#include "host/model/activation_scale.hpp"

namespace impasto {
namespace {

/// A float16 holds 6e-5 to 65504 at full precision. The largest gradient of a feature map was seen
/// to fall with the picture's side, from 12 at 64² to 3 at 256² (preset coursera; impasto 0.9 and
/// 0.1), and to lose two thirds of that in a run: times the side it stays far from both ends. The
/// gradient of a map that holds a part of the activations is the larger by that. An L2 pool doubles
/// activations, and the gradient of a Gram loss grows with their cube. So the scale is a quarter
/// for each such pool: the deepest maps stay below the end, and those before any pool above 6e-5.
double gradient_scale_for(const Shape& pixels, DataType activations, const Network& network,
                          const Objective& objective) {
  if (activations != DataType::fp16) return 1;
  const double side = std::sqrt(static_cast<double>(pixels.pixels()));
  double scale = std::exp2(std::round(std::log2(side))) * activation_scale(activations);
  if (network.pool().mode != kernels::PoolMode::l2) return scale;
  const VggLayers& layers = network.layers();
  for (std::size_t layer = 0; layer <= deepest_layer(objective, layers); ++layer) {
    if (layers[layer].kind == pool_kind) scale /= 4;
  }
  return scale;
}

std::size_t bytes_of(std::span<const Tensor> tensors) {
  std::size_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += tensor.bytes();
  return bytes;
}

/// A picture at half the size: the mean of 2×2 pixels, at an odd side of those that there are.
constexpr PoolKind halving{kernels::PoolMode::average, kernels::PoolRounding::up};

Shape half_of(const Shape& pixels) { return kernels::pooled(pixels, halving.rounding); }

/// The shapes of pictures at up to `count` octaves, the full size first, as many as leave all of
/// them, and the style pictures, a side of 16 or more.
std::vector<Shape> octave_shapes(const Shape& pixels, std::vector<Shape> styles,
                                 std::int64_t count) {
  constexpr std::int64_t least_side = 16;
  std::vector<Shape> shapes = {pixels};
  const auto small = [](const Shape& shape) {
    return std::min(shape.height, shape.width) < least_side;
  };
  while (static_cast<std::int64_t>(shapes.size()) < count) {
    const Shape next = half_of(shapes.back());
    std::ranges::transform(styles, styles.begin(), half_of);
    if (small(next) || std::ranges::any_of(styles, small)) break;
    shapes.push_back(next);
  }
  return shapes;
}

/// Whether tiles of this size cut a picture.
bool is_cut(const Network& network, const Objective& objective, const Shape& pixels,
            const TileSize& tile) {
  if (tile == TileSize{}) return false;
  const Tiling tiling(network, pixels, deepest_layer(objective, network.layers()), tile);
  return tiling.tiles().size() > 1;
}

/// The rows of each layer's map that a rank's strip has; none: all of them.
std::function<Rows(std::size_t)> rows_of_strip(const Network& network, const Objective& objective,
                                               const Shape& pixels, const Communicator* ranks) {
  if (ranks == nullptr) return {};
  const std::size_t deepest = deepest_layer(objective, network.layers());
  auto strip = Tiling::of_strip(network, pixels, deepest, ranks->rank(), ranks->size());
  if (!strip) return {};
  return [strip = *std::move(strip)](std::size_t layer) {
    const Area part = strip.at(strip.tiles().front(), layer);
    return Rows{part.top, part.height};
  };
}

Strips strips_of(Communicator& ranks, const Tiling& tiling) {
  std::vector<std::int64_t> borders = {0};
  for (const Area& strip : tiling.strips()) borders.push_back(strip.bottom());
  return {ranks, std::move(borders)};
}

/// Reads a tensor into the first of `values`, bit for bit, and returns the others.
std::span<float> read_first(Backend& backend, std::span<float> values, const Tensor& from) {
  const Tensor floats = as_floats(from);
  const auto count = static_cast<std::size_t>(floats.shape.count());
  backend.read(values.first(count), floats);
  return values.subspan(count);
}

/// And back.
std::span<const float> write_first(Backend& backend, const Tensor& to,
                                   std::span<const float> values) {
  const Tensor floats = as_floats(to);
  const auto count = static_cast<std::size_t>(floats.shape.count());
  backend.write(floats, values.first(count));
  return values.subspan(count);
}

std::vector<float> read_tensors(Backend& backend, std::span<const Tensor> tensors) {
  std::vector<float> values(bytes_of(tensors) / sizeof(float));
  std::span<float> rest = values;
  for (const Tensor& tensor : tensors) rest = read_first(backend, rest, tensor);
  return values;
}

void write_tensors(Backend& backend, std::span<const Tensor> tensors,
                   std::span<const float> values) {
  require(values.size_bytes() == bytes_of(tensors), "{} bytes for tensors of {}",
          values.size_bytes(), bytes_of(tensors));
  for (const Tensor& tensor : tensors) values = write_first(backend, tensor, values);
}

}  // namespace

Plan::Plan(const Network& network, const Config& config, const Shape& pixels, DataType master,
           DataType activations, std::vector<Shape> styles, const TileSize& tile,
           Communicator* ranks, bool filed)
    : network_(network),
      config_(config),
      style_shapes_(std::move(styles)),
      master_(master),
      activations_(activations),
      gradient_scale_(gradient_scale_for(pixels, activations, network, config.objective)),
      files_(filed && is_cut(network, config.objective, pixels, tile)
                 ? std::make_unique<FiledTensors>()
                 : nullptr),
      pixels_(tensors_.reserve(pixels, master)),
      ranks_(ranks),
      tile_(tile),
      style_shares_(style_shapes_.size()),
      shares_before_(style_shapes_.size()) {
  const std::vector<Shape> shapes = octave_shapes(pixels, style_shapes_, config.objective.octaves);
  const auto rows = rows_of_strip(network, config.objective, pixels, ranks);
  for (const Shape& shape : shapes) {
    octaves_.push_back(make_terms(config.objective, network, shape,
                                  {.activations = activations,
                                   .master = master,
                                   .gradient_scale = gradient_scale_,
                                   .style_share = 1 / static_cast<double>(shapes.size()),
                                   .styles = style_shapes_.size(),
                                   .rows = rows,
                                   .files = files_.get()}));
    if (octaves_.size() == 1) continue;
    for (auto& term : octaves_.back()) {
      if (term->target_source() != TargetSource::style) term = nullptr;
    }
  }
  for (std::size_t& place : aside_) {
    place = files_ ? files_->reserve(pixels, master) : tensors_.reserve(pixels, master);
  }
  if (config.average > 0) average_ = tensors_.reserve(pixels, master);
  losses_ = tensors_.reserve(
      {static_cast<std::int64_t>(octaves_.front().size()), 1, 1, pixels.batch}, master);
  tiling_ = tiling_of(pixels, std::nullopt, tile);
  if (ranks_ != nullptr && tiling_) strips_ = strips_of(*ranks_, *tiling_);
  optimizer_ = make_optimizer(config.optimizer, tensors_[pixels_],
                              {.gradient_scale = gradient_scale_,
                               .pyramid_levels = config.pyramid_levels,
                               .decorrelated = config.decorrelated,
                               .bounded = config.box == Box::step,
                               .strips = strips_,
                               .files = files_.get()});

  for (const Shape& style : style_shapes_) {
    // One with a mask of its own is seen as a whole.
    style_tilings_.push_back(config.objective.guided ? std::nullopt
                                                     : tiling_of(style, TargetSource::style, tile));
  }
  build_iteration();
  build_evaluation();
  if (deepest_of(octaves_.front(), TargetSource::content)) {
    content_pass_ = build_target_pass(TargetSource::content, pixels, {nullptr, true}, tiling_);
  }
  for (std::size_t i = 0; needs_style() && i < style_shapes_.size(); ++i) {
    style_passes_.push_back(
        config.objective.guided
            ? build_guided_pass(i)
            : build_target_pass(
                  TargetSource::style, style_shapes_[i],
                  {.share = &style_shares_[i], .first = i == 0, .before = &shares_before_[i]},
                  style_tilings_[i]));
  }
  for (Schedule* schedule : schedules()) {
    arena_bytes_ = std::max(arena_bytes_, schedule->place());
  }
}

// One iteration: forward with the losses, backward, the optimiser's step.

void Plan::build_iteration() {
  const TensorId pixels = iteration_.external(tensors_[pixels_]);
  std::optional<TensorId> losses;  // of the last evaluation
  const auto gradient = [&] {
    const bool first = !losses;
    losses = first ? iteration_.external(tensors_[losses_])
                   : iteration_.temporary(tensors_[losses_].shape, master_);
    const TensorId grad = iteration_.temporary(tensors_[pixels_].shape, master_);
    add_losses(iteration_, pixels, *losses, grad);
    if (first) gradient_ = grad;
    return grad;
  };
  optimizer_->add_step(iteration_, pixels, {.gradient = gradient, .loss = [&] {
                                              return add_total(iteration_, *losses);
                                            }});
  if (strips_.ranks() != nullptr) add_gathering(iteration_, strips_, pixels);
  if (!average_) return;
  iteration_.add({.name = "average", .operation = "axpby"}, {pixels},
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.axpby(tensors_[*average_], 1 - config_.average, s[pixels],
                                 config_.average);
                 });
}

/// Appends the sum of the losses that count.
TensorId Plan::add_total(Schedule& schedule, TensorId losses) const {
  const TensorId total = schedule.temporary({.batch = pixels().shape.batch}, master_);
  add_zeros(schedule, "total loss", total);
  schedule.add(
      {.name = "total loss", .operation = "axpby"}, {losses, total},
      [=, weights = weights_in_total(config_.objective)](Backend& backend, const Schedule& s) {
        for (std::size_t row = 0; row < weights.size(); ++row) {
          if (weights[row] == 0) continue;
          backend.axpby(s[total], weights[row], image_of(s[losses], static_cast<std::int64_t>(row)),
                        1);
        }
      });
  return total;
}

/// The mean starts at 0, so it is too small at first, as Adam's moments are.
void Plan::write_mean(Backend& backend, const Tensor& to, std::int64_t iterations) const {
  const double sum = 1 - std::pow(config_.average, static_cast<double>(iterations));
  backend.axpby(to, 1 / sum, tensors_[*average_], 0);
}

void Plan::show(Backend& backend, std::int64_t iterations) const {
  if (average_ && iterations > 0) write_mean(backend, pixels(), iterations);
}

void Plan::put_aside(Backend& backend, std::size_t place, std::int64_t iterations) const {
  const bool mean = average_ && iterations > 0;
  if (!files_) {
    const Tensor& to = tensors_[aside_[place]];
    mean ? write_mean(backend, to, iterations) : backend.copy(to, pixels());
    return;
  }
  if (mean) write_mean(backend, gradient(), iterations);
  files_->write(backend, {aside_[place]}, mean ? gradient() : pixels());
}

void Plan::bring_back(Backend& backend, std::size_t place) const {
  if (files_) {
    files_->read(backend, pixels(), {aside_[place]});
  } else {
    backend.copy(pixels(), tensors_[aside_[place]]);
  }
}

void Plan::copy_aside(Backend& backend, std::size_t to, std::size_t from, std::int64_t n) const {
  if (files_) {
    files_->copy(aside_[to], aside_[from], n);
  } else {
    backend.copy(image_of(tensors_[aside_[to]], n), image_of(tensors_[aside_[from]], n));
  }
}

Image Plan::aside(Backend& backend, std::size_t place, std::int64_t n) const {
  if (!files_) return read_picture(backend, tensors_[aside_[place]], n);
  Image image;
  image.height = pixels().shape.height;
  image.width = pixels().shape.width;
  image.rgb.resize(static_cast<std::size_t>(pixels().shape.per_image()));
  files_->read(image.rgb, aside_[place], n);
  return image;
}

void Plan::build_evaluation() {
  const TensorId pixels = evaluation_.external(tensors_[pixels_]);
  add_losses(evaluation_, pixels, evaluation_.external(tensors_[losses_]), std::nullopt);
}

/// Appends the losses of `pixels` and, where `grad_pixels` is to hold it, their gradient. With several
/// octaves each is done with before the next larger one begins, to which its gradient is brought.
void Plan::add_losses(Schedule& schedule, TensorId pixels, TensorId losses,
                      std::optional<TensorId> grad_pixels) {
  if (config_.box == Box::evaluation) add_box(schedule, pixels);
  if (tiling_) {
    add_tiled_losses(schedule, pixels, losses, grad_pixels);
    return;
  }
  if (octaves_.size() == 1) {
    add_losses_at(schedule, octaves_.front(), pixels, losses, losses, grad_pixels);
    if (ranks_ == nullptr) return;
    // Each device may have chosen other convolutions.
    std::vector<TensorId> shared = {losses};
    if (grad_pixels) shared.push_back(*grad_pixels);
    add_broadcast(schedule, *ranks_, shared);
    return;
  }
  add_zeros(schedule, "octave", losses);
  const double share = 1 / static_cast<double>(octaves_.size());
  const std::vector<TensorId> pictures = add_octaves(schedule, pixels);
  std::optional<TensorId> coarser;
  for (std::size_t octave = octaves_.size(); octave-- > 0;) {
    const TensorId picture = pictures[octave];
    const TensorId own = schedule.temporary(schedule[losses].shape, master_);
    add_zeros(schedule, "octave", own);
    std::optional<TensorId> grad = grad_pixels;
    if (grad && octave > 0) grad = schedule.temporary(schedule[picture].shape, master_);
    add_losses_at(schedule, octaves_[octave], picture, losses, own, grad);
    schedule.add(
        {.name = "octave", .operation = "axpby"}, {losses, own},
        [=](Backend& backend, const Schedule& s) { backend.axpby(s[losses], share, s[own], 1); });
    if (coarser) {
      schedule.add({.name = "octave", .operation = "pool_backward"}, {*grad, *coarser, picture},
                   [=](Backend& backend, const Schedule& s) {
                     backend.pool_backward(s[*grad], s[*coarser], s[picture], halving,
                                           {.accumulate = true, .relu_mask = false});
                   });
    }
    coarser = grad;
  }
}

/// The same at one octave, with the losses of style kept apart.
void Plan::add_losses_at(Schedule& schedule, const Terms& terms, TensorId pixels, TensorId losses,
                         TensorId style_losses, std::optional<TensorId> grad_pixels) const {
  std::vector<GradientTerm> gradients;
  const bool follows = grad_pixels.has_value();
  const auto add = [&](const Term& term, TensorId x, std::optional<GradientTerm> gradient) {
    if (!gradient) return;
    if (term.norm()) gradient = normalized(std::move(*gradient), *term.norm(), x);
    gradients.push_back(std::move(*gradient));
  };
  const auto slot = [&](const Term& term, std::int64_t row) {
    return LossSlot{term.target_source() == TargetSource::style ? style_losses : losses, row};
  };
  const ForwardPass pass = add_forward(
      schedule, terms, pixels, std::nullopt,
      [&](const Term& term, std::int64_t row, TensorId x) {
        add(term, x, term.add_loss(schedule, x, slot(term, row), follows));
      },
      follows, nullptr,
      [&](const Term& term, std::int64_t row, TensorId x) {
        add(term, x,
            term.add_first_conv_and_loss(schedule, pixels, x, network_, slot(term, row), follows));
      });
  if (grad_pixels) network_.backward(schedule, pass, gradients, *grad_pixels);
}

/// Appends the picture at every octave, and returns them, the full size first.
std::vector<TensorId> Plan::add_octaves(Schedule& schedule, TensorId pixels) const {
  std::vector<TensorId> pictures = {pixels};
  while (pictures.size() < octaves_.size()) {
    const TensorId fine = pictures.back();
    const TensorId coarse = schedule.temporary(half_of(schedule[fine].shape), master_);
    schedule.add({.name = "octave", .operation = "pool_forward"}, {fine, coarse},
                 [=](Backend& backend, const Schedule& s) {
                   backend.pool_forward(s[coarse], s[fine], halving);
                 });
    pictures.push_back(coarse);
  }
  return pictures;
}

/// Appends the forward pass as deep as terms of `source` look, or all of `terms` without one, and has
/// each visited where what it looks at is complete, with the number of its row of losses. The pixels may be
/// those of this device's strip. A term that joins the first convolution is visited by `join` instead, if
/// there is one.
ForwardPass Plan::add_forward(Schedule& schedule, const Terms& terms, TensorId pixels,
                              std::optional<TargetSource> source, const Visit& visit, bool follows,
                              const Tiling* strip, const Visit& join) const {
  const auto looks = [&](const std::unique_ptr<Term>& term, const VggLayer* layer,
                         bool before_relu) {
    return term != nullptr && term->layer() == layer && term->before_relu() == before_relu &&
           (!source || term->target_source() == *source);
  };
  const Term* joined = nullptr;
  const auto join_first = [&](TensorId x) {
    for (std::size_t row = 0; join && joined == nullptr && row < terms.size(); ++row) {
      if (!looks(terms[row], &network_.layers()[0], false)) continue;
      if (!terms[row]->joins_first_conv()) continue;
      joined = terms[row].get();
      join(*joined, static_cast<std::int64_t>(row), x);
    }
    return joined != nullptr;
  };
  const auto visit_terms = [&](const VggLayer* layer, bool before_relu, TensorId x) {
    for (std::size_t row = 0; row < terms.size(); ++row) {
      if (!looks(terms[row], layer, before_relu) || terms[row].get() == joined) continue;
      visit(*terms[row], static_cast<std::int64_t>(row), x);
    }
  };
  const std::size_t deepest = deepest_of(terms, source).value_or(0);
  ForwardPass pass = network_.forward(
      schedule, pixels, deepest, activations_,
      [&](const VggLayer& layer, bool before_relu, TensorId x) {
        visit_terms(&layer, before_relu, x);
        const std::size_t index = network_.layers().index(layer);
        if (strip == nullptr || before_relu || index == deepest) return;
        if (strip->hands_over(index)) {
          add_handover(schedule, *ranks_, &layer, x, strip->rows_at(index));
        }
      },
      [&](const VggLayer& layer) {
        return std::ranges::any_of(terms,
                                   [&](const auto& term) { return looks(term, &layer, true); });
      },
      follows, join_first);
  visit_terms(nullptr, false, pixels);
  return pass;
}

std::optional<std::size_t> Plan::deepest_of(const Terms& terms,
                                            std::optional<TargetSource> source) const {
  std::optional<std::size_t> deepest;
  for (const auto& term : terms) {
    if (term == nullptr || term->layer() == nullptr) continue;
    if (source && term->target_source() != *source) continue;
    const std::size_t layer = network_.layers().index(*term->layer());
    deepest = std::max(deepest.value_or(0), layer);
  }
  return deepest;
}

std::vector<const Term*> Plan::all_terms() const {
  std::vector<const Term*> all;
  for (const Terms& terms : octaves_) {
    for (const auto& term : terms) {
      if (term != nullptr) all.push_back(term.get());
    }
  }
  return all;
}

std::vector<Losses> Plan::named(std::span<const float> losses) const {
  const auto N = static_cast<std::size_t>(pixels().shape.batch);
  std::vector<Losses> pictures;
  for (std::size_t n = 0; n < N; ++n) {
    std::vector<float> terms;
    for (std::size_t i = n; i < losses.size(); i += N) {
      const float spread = spreads_.empty() ? 0 : spreads_[i / N];
      terms.push_back(losses[i] + spread);
    }
    pictures.push_back(name_losses(config_.objective, terms));
  }
  return pictures;
}

// The targets, and the start of a stylization.

/// Appends the passes in which terms of `source` are visited: of a style picture at each octave.
void Plan::add_targets(Schedule& schedule, TensorId pixels, TargetSource source,
                       const Visit& visit) const {
  if (source != TargetSource::style) {
    add_forward(schedule, octaves_.front(), pixels, source, visit);
    return;
  }
  const std::vector<TensorId> pictures = add_octaves(schedule, pixels);
  for (std::size_t octave = 0; octave < octaves_.size(); ++octave) {
    add_forward(schedule, octaves_[octave], pictures[octave], source, visit);
  }
}

Plan::Pass Plan::build_target_pass(TargetSource source, const Shape& pixels,
                                   const TargetShare& share, const std::optional<Tiling>& tiling) {
  Pass pass;
  pass.pixels = pass.schedule.input(pixels, master_);
  if (tiling) {
    add_tiled_targets(pass, *tiling, source, share);
    return pass;
  }
  add_targets(pass.schedule, pass.pixels, source,
              [&](const Term& term, std::int64_t /*row*/, TensorId x) {
                term.add_target(pass.schedule, x, share);
              });
  return pass;
}

Plan::Pass Plan::build_guided_pass(std::size_t style) const {
  Pass pass;
  pass.pixels = pass.schedule.input(style_shapes_[style], master_);
  add_targets(pass.schedule, pass.pixels, TargetSource::style,
              [&](const Term& term, std::int64_t /*row*/, TensorId x) {
                const Shape map = pass.schedule[x].shape;
                const TensorId guide = pass.schedule.input({1, map.height, map.width, 1}, master_);
                pass.guides.push_back({&term, guide});
                term.add_guided_target(pass.schedule, x, {style, guide});
              });
  return pass;
}

/// Brings a style's guides to the terms, and to its pass, which must run next.
void Plan::set_guides(Backend& backend, std::size_t style, const Style& given,
                      double weight) const {
  const Pass& pass = style_passes_[style];
  for (const auto& [term, tensor] : pass.guides) {
    const Tensor& own = pass.schedule[tensor];
    const Guides guides = make_guides(given, weight, term->shape(), own.shape);
    term->set_guide(backend, style, guides.picture, guides.strength);
    backend.write(own, term->guide_of(guides.style, guides.strength));
  }
}

void Plan::run_target_pass(Backend& backend, const Pass& pass,
                           std::span<const Image> pictures) const {
  const Tensor& pixels = pass.schedule[pass.pixels];
  require(pixel_shape(pictures) == pixels.shape, "planned for pictures of {}, found {}",
          to_string(pixels.shape), to_string(pixel_shape(pictures)));
  write_pictures(backend, pixels, pictures);
  pass.schedule.run(backend);
}

void Plan::compute_style_targets(Backend& backend, std::span<const Style> styles) {
  const double weights = std::accumulate(styles.begin(), styles.end(), 0.0,
                                         [](double sum, const Style& s) { return sum + s.weight; });
  double before = 0;
  for (std::size_t i = 0; i < style_passes_.size(); ++i) {
    style_shares_[i] = styles[i].weight / weights;
    shares_before_[i] = before;
    before += style_shares_[i];
    set_guides(backend, i, styles[i], style_shares_[i] * static_cast<double>(styles.size()));
    run_target_pass(backend, style_passes_[i], std::span(&styles[i].image, 1));
  }
}

/// Losses of style are means over the octaves, and so are these.
void Plan::read_spreads(Backend& backend) {
  spreads_.assign(octaves_.front().size(), 0);
  for (const Terms& terms : octaves_) {
    for (std::size_t row = 0; row < terms.size(); ++row) {
      const Tensor* spread = terms[row] == nullptr ? nullptr : terms[row]->loss_spread();
      if (spread == nullptr) continue;
      float value = 0;
      backend.read(std::span(&value, 1), *spread);
      spreads_[row] += value / static_cast<float>(octaves_.size());
    }
  }
}

void Plan::set_anchors(Backend& backend, std::span<const Anchor> anchors) const {
  const Shape& shape = pixels().shape;
  require(anchors.empty() || static_cast<std::int64_t>(anchors.size()) == shape.batch,
          "{} anchors for {} pictures", anchors.size(), shape.batch);
  for (std::int64_t n = 0; n < shape.batch; ++n) {
    const Anchor* anchor = anchors.empty() ? nullptr : &anchors[static_cast<std::size_t>(n)];
    for (const auto& term : octaves_.front()) {
      if (anchor == nullptr) {
        term->set_anchor(backend, n, {}, {});
      } else {
        term->set_anchor(backend, n, anchor->picture.rgb, anchor->mask.values);
      }
    }
  }
}

void Plan::reset(Backend& backend, std::span<const Image> contents, std::span<const Style> styles,
                 std::span<const Image> initials, const KnownTargets& known,
                 std::span<const Anchor> anchors) {
  require(styles.size() == style_shapes_.size() && pixel_shape(initials) == pixels().shape,
          "planned for {} styles and pictures of {}, found {} and {}", style_shapes_.size(),
          to_string(pixels().shape), styles.size(), to_string(pixel_shape(initials)));
  backend.use_workspace(memory_, workspace_bytes_);
  if (files_) files_->open();
  if (!known.contents.empty()) {
    write_tensors(backend, target_tensors(TargetSource::content), known.contents);
  } else if (content_pass_) {
    run_target_pass(backend, *content_pass_, contents);
  }
  if (!known.styles.empty()) {
    write_tensors(backend, target_tensors(TargetSource::style), known.styles);
  } else {
    compute_style_targets(backend, styles);
  }
  if (ranks_ != nullptr) {
    // Which a device may have computed by itself.
    for (const Tensor& target : target_tensors(TargetSource::style)) ranks_->broadcast(target);
  }
  read_spreads(backend);
  set_anchors(backend, anchors);
  optimizer_->reset(backend);
  if (average_) backend.fill_zero(tensors_[*average_]);
  backend.fill_zero(losses());
  write_pictures(backend, pixels(), initials);
  backend.synchronize();
}

std::vector<Tensor> Plan::target_tensors(TargetSource source) const {
  std::vector<Tensor> tensors;
  for (const Term* term : all_terms()) {
    if (term->target_source() != source) continue;
    for (std::size_t i = 0; i < term->targets().size(); ++i) tensors.push_back(term->targets()[i]);
  }
  return tensors;
}

std::vector<float> Plan::targets(Backend& backend, TargetSource source) const {
  return read_tensors(backend, target_tensors(source));
}

std::size_t Plan::target_bytes(TargetSource source) const {
  return bytes_of(target_tensors(source));
}

// What iterations change.

Plan::StatePart Plan::copy_in_state(std::size_t place, std::int64_t n) const {
  if (files_) return {.filed = aside_[place]};
  return {.tensor = image_of(tensors_[aside_[place]], n)};
}

std::vector<Plan::StatePart> Plan::state_parts(std::int64_t n) const {
  const std::int64_t N = pixels().shape.batch;
  std::vector<StatePart> parts = {
      {image_of(pixels(), n)}, copy_in_state(0, n), copy_in_state(best, n)};
  if (average_) parts.push_back({image_of(tensors_[*average_], n)});
  for (const auto& [tensor, is_strip] : optimizer_->state_of(n, N)) {
    for (std::int64_t i = 0; i < tensor.shape.batch; ++i) {
      parts.push_back({image_of(tensor, i), is_strip});
    }
  }
  for (const std::size_t filed : optimizer_->filed()) parts.push_back({.filed = filed});
  return parts;
}

std::size_t Plan::state_bytes(std::int64_t n) const {
  const Tensor room = image_of(gradient(), 0);
  std::size_t bytes = 0;
  for (const auto& [own, is_strip, filed] : state_parts(n)) {
    bytes += (filed || is_strip ? room : own).bytes();
  }
  return bytes;
}

std::vector<float> Plan::state(Backend& backend, std::int64_t n) const {
  const Tensor room = image_of(gradient(), 0);
  std::vector<float> state(state_bytes(n) / sizeof(float));
  std::span<float> rest = state;
  for (const auto& [own, is_strip, filed] : state_parts(n)) {
    if (filed) files_->read(backend, room, {*filed, n});
    const Tensor all = is_strip ? strips_.whole(backend, own, room) : own;
    rest = read_first(backend, rest, filed ? room : all);
  }
  return state;
}

void Plan::resume(Backend& backend, std::int64_t n, std::span<const float> state) const {
  if (const std::size_t expected = state_bytes(n); state.size_bytes() != expected) {
    fail(ErrorKind::input, "expected a state of {} bytes, found {}", expected, state.size_bytes());
  }
  const Tensor room = image_of(gradient(), 0);
  for (const auto& [own, is_strip, filed] : state_parts(n)) {
    state = write_first(backend, filed || is_strip ? room : own, state);
    if (filed) files_->write(backend, {*filed, n}, room);
    if (is_strip) backend.copy(own, strips_.own(room).front());
  }
}

void write_pictures(Backend& backend, const Tensor& to, std::span<const Image> pictures) {
  for (std::size_t n = 0; n < pictures.size(); ++n) {
    backend.write(image_of(to, static_cast<std::int64_t>(n)), pictures[n].rgb);
  }
}

Image read_picture(Backend& backend, const Tensor& batch, std::int64_t n) {
  const Tensor pixels = image_of(batch, n);
  Image image;
  image.height = pixels.shape.height;
  image.width = pixels.shape.width;
  image.rgb.resize(static_cast<std::size_t>(pixels.shape.count()));
  backend.read(image.rgb, pixels);
  return image;
}

Shape pixel_shape(std::span<const Image> pictures) {
  require(!pictures.empty(), "there is no picture");
  const Image& first = pictures.front();
  require(std::all_of(pictures.begin(), pictures.end(),
                      [&](const Image& picture) {
                        return picture.height == first.height && picture.width == first.width;
                      }),
          "pictures of one batch must have one size");
  return {static_cast<std::int64_t>(pictures.size()), first.height, first.width, 3};
}

Shape scaled_to(const Shape& pixels, std::int64_t longer) {
  const double scale =
      static_cast<double>(longer) / static_cast<double>(std::max(pixels.height, pixels.width));
  const auto side = [scale](std::int64_t full) {
    return std::max<std::int64_t>(1, std::llround(scale * static_cast<double>(full)));
  };
  return {pixels.batch, side(pixels.height), side(pixels.width), pixels.channels};
}

double Plan::recomputation() const {
  if (!tiling_) return ranks_ == nullptr ? 1 : ranks_->size();
  const std::size_t deepest = *deepest_of(octaves_.front(), std::nullopt);
  if (ranks_ != nullptr) return tiling_->work(deepest) / tiling_->work_of_whole(deepest);
  const auto style = deepest_of(octaves_.front(), TargetSource::style);
  const double sums = style ? tiling_->work(*style) : 0;
  return (sums + 2 * tiling_->work(deepest)) / (2 * tiling_->work_of_whole(deepest));
}

// Memory.

std::vector<Schedule*> Plan::schedules() {
  std::vector<Schedule*> all = {&iteration_, &evaluation_};
  if (content_pass_) all.push_back(&content_pass_->schedule);
  for (Pass& pass : style_passes_) all.push_back(&pass.schedule);
  return all;
}

void Plan::prepare(Backend& backend) {
  const std::size_t bytes = backend.prepare([&] {
    for (const Schedule* schedule : schedules()) schedule->run(backend);
  });
  workspace_bytes_ = aligned_bytes(bytes);
}

std::size_t Plan::persistent_bytes() const {
  std::size_t bytes = tensors_.bytes() + optimizer_->bytes();
  for (const Term* term : all_terms()) bytes += term->bytes();
  return bytes;
}

std::size_t Plan::bytes() const { return persistent_bytes() + arena_bytes_ + workspace_bytes_; }

/// The workspace comes first, so that plans which share memory have it at one place.
void Plan::bind(const Buffer& memory) {
  memory_ = memory;
  auto* next = static_cast<std::byte*>(memory_.get()) + workspace_bytes_;
  const auto take = [&next](std::size_t bytes) { return std::exchange(next, next + bytes); };
  tensors_.bind(take(tensors_.bytes()));
  for (const Terms& terms : octaves_) {
    for (const auto& term : terms) {
      if (term != nullptr) term->bind(take(term->bytes()));
    }
  }
  optimizer_->bind(take(optimizer_->bytes()));
  void* arena = take(arena_bytes_);
  for (Schedule* schedule : schedules()) schedule->bind(arena);
}

}  // namespace impasto
