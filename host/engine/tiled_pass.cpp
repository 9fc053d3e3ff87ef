// SPDX-License-Identifier: MIT
#include "host/engine/tiled_pass.hpp"

#include <algorithm>
#include <utility>

namespace impasto {
namespace {

/// A rectangle's corner as it is within another.
Corner within(const Area& part, const Area& whole) {
  return {part.top - whole.top, part.left - whole.left};
}

}  // namespace

TiledPass::Tile::Tile(TiledPass& pass, Schedule& schedule, const Area& own)
    : pass_(pass), schedule_(schedule), own_(own), seen_(pass.tiling_.seen(own, pass.deepest_)) {
  shared_.pixels = schedule.external(pass.pixels_);
  if (pass.ids_.losses) shared_.losses = schedule.external(pass.losses_);
  if (pass.ids_.gradient) shared_.gradient = schedule.external(pass.gradient_);
  for (const std::vector<Tensor>& sums : pass.sums_) {
    shared_.sums.emplace_back();
    for (const Tensor& sum : sums) shared_.sums.back().push_back(schedule.external(sum));
  }
  const Shape& picture = pass.pixels_.shape;
  const TensorId from = shared_.pixels;
  const TensorId tile = schedule.temporary(
      {picture.batch, seen_.height, seen_.width, picture.channels}, pass.pixels_.type);
  schedule.add({.name = "tile", .operation = "crop_forward"}, {tile, from},
               [=, corner = &pass.seen_corner_](Backend& backend, const Schedule& s) {
                 backend.crop_forward(s[tile], s[from], *corner);
               });
  pixels_ = tile;
}

TilePart TiledPass::Tile::add_part(Schedule& schedule, std::size_t layer, TensorId x) const {
  const Area part = pass_.tiling_.at(own_, layer);
  const Area map = {seen_.top / pass_.tiling_.stride(layer),
                    seen_.left / pass_.tiling_.stride(layer)};
  const Shape& shape = schedule[x].shape;
  const TensorId own =
      schedule.temporary({shape.batch, part.height, part.width, shape.channels}, schedule[x].type);
  const Corner corner = within(part, map);
  schedule.add({.name = "tile's own part",
                .operation = "crop_forward",
                .layer = &pass_.tiling_.network().layers()[layer]},
               {own, x}, [=](Backend& backend, const Schedule& s) {
                 backend.crop_forward(s[own], s[x], corner);
               });
  Shape whole = pass_.tiling_.network().feature_shape(pass_.pixels_.shape, layer);
  return {own, whole, &pass_.corners_[layer], corner};
}

GradientTerm TiledPass::Tile::gradient_of_part(
    const Term& term, std::size_t layer, TensorId x,
    std::function<void(Schedule&, const TilePart&, TensorId grad)> add) const {
  const auto order = term.before_relu() ? GradientTerm::Order::before_relu
                                        : GradientTerm::Order::after_layer_above;
  return {term.layer(), order,
          [=, tile = *this, add = std::move(add), on = term.layer()](
              Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
            const TilePart part = tile.add_part(backward, layer, x);
            const TensorId grad = backward.temporary(backward[part.x].shape, backward[part.x].type);
            add(backward, part, grad);
            backward.add({.name = "gradient of tile's own part",
                          .operation = "crop_backward",
                          .layer = on,
                          .epilogue = epilogue},
                         {grad_x, grad, x},
                         [=, corner = part.in_tile](Backend& backend, const Schedule& s) {
                           backend.crop_backward(s[grad_x], s[grad], s[x], corner, epilogue);
                         });
          }};
}

void TiledPass::Tile::add_to_gradient(TensorId grad_pixels) const {
  const TensorId to = *shared_.gradient;
  const TensorId picture = shared_.pixels;
  schedule_.add({.name = "tile", .operation = "crop_backward"}, {to, grad_pixels, picture},
                [=, corner = &pass_.seen_corner_](Backend& backend, const Schedule& s) {
                  backend.crop_backward(s[to], s[grad_pixels], s[picture], *corner,
                                        {.accumulate = true});
                });
}

TiledPass::TiledPass(Schedule& schedule, std::string_view name, const Tiling& tiling,
                     std::size_t deepest, const TileShared& shared, const Build& build)
    : tiling_(tiling), deepest_(deepest), ids_(shared), corners_(deepest + 1) {
  take_shared(schedule);
  std::vector<TensorId> touched = {shared.pixels};
  if (shared.losses) touched.push_back(*shared.losses);
  if (shared.gradient) touched.push_back(*shared.gradient);
  for (const TiledTerm::Sums& sums : shared.sums) {
    touched.insert(touched.end(), sums.begin(), sums.end());
  }

  std::vector<Kind*> kinds;
  for (const Area& own : tiling.tiles()) kinds.push_back(&kind_of(own, build));
  arena_ = schedule.temporary({.channels = static_cast<std::int64_t>(arena_bytes_ / sizeof(float))},
                              DataType::f32);
  touched.push_back(arena_);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    schedule.add({.name = name}, touched,
                 [this, &kind = *kinds[i], own = tiling.tiles()[i]](
                     Backend& backend, const Schedule& s) { run_tile(backend, s, kind, own); });
  }
}

/// Brings the shared tensors to where the tiles' schedules look for them.
void TiledPass::take_shared(const Schedule& schedule) {
  pixels_ = schedule[ids_.pixels];
  if (ids_.losses) losses_ = schedule[*ids_.losses];
  if (ids_.gradient) gradient_ = schedule[*ids_.gradient];
  sums_.resize(ids_.sums.size());
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    sums_[i].resize(ids_.sums[i].size());
    for (std::size_t j = 0; j < sums_[i].size(); ++j) sums_[i][j] = schedule[ids_.sums[i][j]];
  }
}

TiledPass::Kind& TiledPass::kind_of(const Area& own, const Build& build) {
  // Tiles whose maps and own parts lie alike are alike; the picture's borders make the others.
  const auto alike = [this](const Area& a, const Area& b) {
    const Area seen_a = tiling_.seen(a, deepest_);
    const Area seen_b = tiling_.seen(b, deepest_);
    const auto same = [](const Area& one, const Area& other) {
      return one.height == other.height && one.width == other.width;
    };
    const Area map_a = tiling_.at(a, deepest_);
    const Area map_b = tiling_.at(b, deepest_);
    return same(a, b) && same(seen_a, seen_b) && same(map_a, map_b) &&
           a.top - seen_a.top == b.top - seen_b.top && a.left - seen_a.left == b.left - seen_b.left;
  };
  for (const auto& kind : kinds_) {
    if (alike(kind->own, own)) return *kind;
  }
  kinds_.push_back(std::make_unique<Kind>());
  Kind& kind = *kinds_.back();
  kind.own = own;
  build(Tile(*this, kind.schedule, own));
  arena_bytes_ = std::max(arena_bytes_, kind.schedule.place());
  return kind;
}

void TiledPass::run_tile(Backend& backend, const Schedule& schedule, Kind& kind, const Area& own) {
  seen_corner_ = tiling_.seen(own, deepest_).corner();
  for (std::size_t layer = 0; layer <= deepest_; ++layer) {
    corners_[layer] = tiling_.at(own, layer).corner();
  }
  take_shared(schedule);
  if (void* arena = schedule[arena_].data; arena != nullptr) kind.schedule.bind(arena);
  kind.schedule.run(backend);
}

}  // namespace impasto
