// SPDX-License-Identifier: MIT
// A plan's passes over pictures in parts: in tiles, or in the strips of several devices.
#include <algorithm>
#include <utility>

#include "host/core/error.hpp"
#include "host/engine/plan.hpp"
#include "host/engine/strip_steps.hpp"

namespace impasto {
namespace {

/// Throws where a loss needs to see the whole picture at once.
void require_parts(const Objective& objective, std::span<const std::unique_ptr<Term>> terms,
                   bool on_several_devices) {
  const auto refuse = [&](const std::string& what) {
    fail(ErrorKind::usage, "{} cannot be computed {}", what,
         on_several_devices ? "on several devices"
                            : "in tiles, and the memory does not suffice for the whole picture");
  };
  if (objective.octaves > 1) refuse(fmt::format("style-octaves {}", objective.octaves));
  if (objective.normalize_gradients) refuse("normalize-gradients");
  auto term = terms.begin();
  for (const AnyLoss& loss : objective.losses) {
    if (of_pixels(loss)) ++term;
    for (std::size_t i = 0; i < common(loss).layers.size(); ++i, ++term) {
      if ((*term)->tiled() == nullptr)
        refuse(fmt::format("the {} loss on {}", common(loss).name, common(loss).layers[i].layer));
    }
  }
}

/// The sums of all terms.
std::vector<Summand> summands(const std::vector<TiledTerm::Sums>& sums) {
  std::vector<Summand> all;
  for (const TiledTerm::Sums& of_term : sums) {
    for (const TensorId sum : of_term) all.push_back({sum});
  }
  return all;
}

}  // namespace

/// How pictures of the shape `pixels` are cut, for passes as deep as terms of `source` look.
std::optional<Tiling> Plan::tiling_of(const Shape& pixels, std::optional<TargetSource> source,
                                      const TileSize& tile) const {
  const auto deepest = deepest_of(octaves_.front(), source);
  if (!deepest) return std::nullopt;
  std::optional<Tiling> tiling;
  if (ranks_ != nullptr) {
    require_parts(config_.objective, octaves_.front(), true);
    tiling = Tiling::of_strip(network_, pixels, *deepest, ranks_->rank(), ranks_->size());
  } else if (tile != TileSize{}) {
    tiling.emplace(network_, pixels, *deepest, tile);
    if (tiling->tiles().size() == 1) return std::nullopt;
    require_parts(config_.objective, octaves_.front(), false);
  }
  return tiling;
}

/// Appends a pass over all tiles, as deep as terms of `source` look.
void Plan::add_tiles(Schedule& schedule, std::string_view name, const Tiling& tiling,
                     std::optional<TargetSource> source, const TileShared& shared,
                     const std::function<void(const TiledPass::Tile&)>& build) {
  const auto deepest = deepest_of(octaves_.front(), source);
  if (!deepest) return;
  tiled_passes_.push_back(
      std::make_unique<TiledPass>(schedule, name, tiling, *deepest, shared, build));
}

/// Appends the sums of all terms of `source` that have some, at 0.
std::vector<TiledTerm::Sums> Plan::add_zero_sums(Schedule& schedule, std::int64_t batch,
                                                 TargetSource source) const {
  std::vector<TiledTerm::Sums> all;
  for (const auto& term : octaves_.front()) {
    all.emplace_back();
    if (term->target_source() != source) continue;
    for (const Shape& shape : term->tiled()->sums(batch)) {
      all.back().push_back(schedule.temporary(shape, master_));
      add_zeros(schedule, "tiles", all.back().back());
    }
  }
  return all;
}

/// add_losses() in tiles, or in strips: from sums over parts of the picture.
void Plan::add_tiled_losses(Schedule& schedule, TensorId pixels, TensorId losses,
                            std::optional<TensorId> grad_pixels) {
  const TileShared shared{
      .pixels = pixels,
      .losses = losses,
      .sums = add_zero_sums(schedule, schedule[pixels].shape.batch, TargetSource::style),
      .gradient = grad_pixels};
  add_zeros(schedule, "tiles", losses);
  if (grad_pixels) add_zeros(schedule, "tiles", *grad_pixels);
  ranks_ == nullptr ? add_tile_passes(schedule, shared) : add_strip_pass(schedule, shared);
  const bool chooses_products = std::ranges::any_of(
      config_.objective.losses,
      [](const AnyLoss& loss) { return std::holds_alternative<WassersteinLoss>(loss); });
  // Each device may have chosen other products of matrices, and all must read the same losses.
  if (ranks_ != nullptr && chooses_products) add_broadcast(schedule, *ranks_, {losses});
  const Terms& terms = octaves_.front();
  for (std::size_t row = 0; row < terms.size(); ++row) {
    if (terms[row]->layer() != nullptr) continue;
    const auto gradient = terms[row]->add_loss(
        schedule, pixels, {losses, static_cast<std::int64_t>(row)}, grad_pixels.has_value());
    if (gradient) gradient->add(schedule, *grad_pixels, {.accumulate = true});
  }
}

/// Appends what the losses of a term depend on, of a tile's own part: sums, or the loss itself.
void Plan::add_part_of_losses(const TiledPass::Tile& tile, const Term& term, std::int64_t row,
                              TensorId x) const {
  const TilePart part = tile.add_part(tile.schedule(), network_.layers().index(*term.layer()), x);
  const auto& sums = tile.shared().sums[static_cast<std::size_t>(row)];
  if (!sums.empty()) {
    term.tiled()->add_sums(tile.schedule(), part, sums);
  } else {
    term.tiled()->add_loss_of_part(tile.schedule(), part, {*tile.shared().losses, row},
                                   std::nullopt);
  }
}

/// The gradient at a tile's own part, from what the sums have become.
GradientTerm Plan::gradient_of_part(const TiledPass::Tile& tile, const Term& term, std::int64_t row,
                                    TensorId x) const {
  const auto& sums = tile.shared().sums[static_cast<std::size_t>(row)];
  const LossSlot loss{*tile.shared().losses, row};
  return tile.gradient_of_part(
      term, network_.layers().index(*term.layer()), x,
      [&term, sums, loss](Schedule& backward, const TilePart& part, TensorId grad) {
        if (!sums.empty()) {
          term.tiled()->add_gradient_of_sums(backward, grad, part, sums);
        } else {
          term.tiled()->add_loss_of_part(backward, part, loss, grad);
        }
      });
}

void Plan::add_losses_of_sums(Schedule& schedule, const TileShared& shared) const {
  for (std::size_t row = 0; row < shared.sums.size(); ++row) {
    if (shared.sums[row].empty()) continue;
    octaves_.front()[row]->tiled()->add_loss_of_sums(
        schedule, shared.sums[row], {*shared.losses, static_cast<std::int64_t>(row)});
  }
}

/// A first pass adds up what the losses depend on, a second computes each tile again and its gradient
/// (docs/decisions/0030-exact-tiles.md).
void Plan::add_tile_passes(Schedule& schedule, const TileShared& shared) {
  // Without a gradient, losses that are sums themselves come with the first pass.
  const std::optional<TargetSource> first =
      shared.gradient ? std::optional(TargetSource::style) : std::nullopt;
  add_tiles(schedule, "tile's sums", *tiling_, first, shared, [&](const TiledPass::Tile& tile) {
    add_forward(tile.schedule(), octaves_.front(), tile.pixels(), first,
                [&](const Term& term, std::int64_t row, TensorId x) {
                  if (term.layer() != nullptr) add_part_of_losses(tile, term, row, x);
                });
  });
  add_losses_of_sums(schedule, shared);
  if (!shared.gradient) return;
  add_tiles(schedule, "tile's gradient", *tiling_, std::nullopt, shared,
            [&](const TiledPass::Tile& tile) { add_tile_gradient(tile); });
}

/// Appends a tile's forward pass once more, and from there its part of the pixels' gradient.
void Plan::add_tile_gradient(const TiledPass::Tile& tile) const {
  Schedule& schedule = tile.schedule();
  std::vector<GradientTerm> gradients;
  const ForwardPass pass = add_forward(
      schedule, octaves_.front(), tile.pixels(), std::nullopt,
      [&](const Term& term, std::int64_t row, TensorId x) {
        if (term.layer() == nullptr) return;
        gradients.push_back(gradient_of_part(tile, term, row, x));
      },
      true);
  const TensorId grad = schedule.temporary(schedule[tile.pixels()].shape, master_);
  network_.backward(schedule, pass, gradients, grad);
  tile.add_to_gradient(grad);
}

/// This device's strip, with the others at the same time (docs/decisions/0033-strips-on-devices.md).
void Plan::add_strip_pass(Schedule& schedule, const TileShared& shared) {
  add_tiles(schedule, "strip", *tiling_, std::nullopt, shared,
            [&](const TiledPass::Tile& tile) { add_strip(tile, shared.gradient.has_value()); });
  std::vector<Summand> own_losses;  // of parts, that are sums themselves
  for (std::size_t row = 0; row < shared.sums.size(); ++row) {
    if (octaves_.front()[row]->layer() == nullptr || !shared.sums[row].empty()) continue;
    own_losses.push_back({*shared.losses, static_cast<std::int64_t>(row)});
  }
  add_sums_over_ranks(schedule, *ranks_, own_losses);
  if (shared.gradient && optimizer_->reads_whole_gradient()) {
    add_gathering(schedule, strips_, *shared.gradient);
  }
}

/// Appends the forward pass of a strip, the sums over all strips and, from there, its part of the pixels'
/// gradient.
void Plan::add_strip(const TiledPass::Tile& tile, bool with_gradient) const {
  Schedule& schedule = tile.schedule();
  std::vector<GradientTerm> gradients;
  const ForwardPass pass = add_forward(
      schedule, octaves_.front(), tile.pixels(), std::nullopt,
      [&](const Term& term, std::int64_t row, TensorId x) {
        if (term.layer() == nullptr) return;
        const bool sums = !tile.shared().sums[static_cast<std::size_t>(row)].empty();
        if (sums || !with_gradient) add_part_of_losses(tile, term, row, x);
        if (with_gradient) gradients.push_back(gradient_of_part(tile, term, row, x));
      },
      with_gradient, &*tiling_);
  add_sums_over_ranks(schedule, *ranks_, summands(tile.shared().sums));
  add_losses_of_sums(schedule, tile.shared());
  if (!with_gradient) return;
  // Behind the ReLU's mask and all losses at the layer.
  for (std::size_t layer = 0; layer + 1 < pass.features.size(); ++layer) {
    if (!tiling_->hands_over(layer)) continue;
    const VggLayer* const of = &network_.layers()[layer];
    gradients.push_back({of, GradientTerm::Order::before_relu,
                         [=, this, rows = tiling_->rows_at(layer)](
                             Schedule& backward, TensorId grad, const GradientEpilogue&) {
                           add_handover_backward(backward, *ranks_, of, grad, rows);
                         }});
  }
  const TensorId grad = schedule.temporary(schedule[tile.pixels()].shape, master_);
  network_.backward(schedule, pass, gradients, grad);
  add_handover_backward(schedule, *ranks_, nullptr, grad, tiling_->rows());
  tile.add_to_gradient(grad);
}

/// add_targets() in tiles, or in strips: of sums, or of the parts of a map.
void Plan::add_tiled_targets(Pass& pass, const Tiling& tiling, TargetSource source,
                             const TargetShare& share) {
  Schedule& schedule = pass.schedule;
  const Shape pixels = schedule[pass.pixels].shape;
  const TileShared shared{.pixels = pass.pixels,
                          .sums = add_zero_sums(schedule, pixels.batch, source)};
  const Terms& terms = octaves_.front();
  for (const auto& term : terms) {
    if (term->target_source() == source) term->tiled()->clear_target(schedule);
  }
  const auto layer_of = [&](const Term& term) { return network_.layers().index(*term.layer()); };
  add_tiles(schedule, "tile's targets", tiling, source, shared, [&](const TiledPass::Tile& tile) {
    add_forward(
        tile.schedule(), terms, tile.pixels(), source,
        [&](const Term& term, std::int64_t row, TensorId x) {
          const TilePart part = tile.add_part(tile.schedule(), layer_of(term), x);
          const auto& sums = tile.shared().sums[static_cast<std::size_t>(row)];
          if (!sums.empty()) {
            term.tiled()->add_sums(tile.schedule(), part, sums);
          } else {
            term.tiled()->add_target_of_part(tile.schedule(), part);
          }
        },
        false, ranks_ == nullptr ? nullptr : &tiling);
  });
  if (ranks_ != nullptr) add_sums_over_ranks(schedule, *ranks_, summands(shared.sums));
  for (std::size_t row = 0; row < terms.size(); ++row) {
    if (shared.sums[row].empty()) continue;
    const Shape map = network_.feature_shape(pixels, layer_of(*terms[row]));
    terms[row]->tiled()->add_target_of_sums(schedule, shared.sums[row], map, share);
  }
}

}  // namespace impasto
