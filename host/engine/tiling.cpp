// SPDX-License-Identifier: MIT
#include "host/engine/tiling.hpp"

#include <algorithm>

namespace impasto {
namespace {

std::int64_t divided_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }
std::int64_t rounded_up(std::int64_t value, std::int64_t to) { return divided_up(value, to) * to; }

/// Where the tiles along one side begin, and its end: pieces of one length, a multiple of `stride`,
/// and a last one that is not less than a stride.
std::vector<std::int64_t> cuts(std::int64_t side, std::int64_t largest, std::int64_t stride) {
  if (largest == 0 || rounded_up(largest, stride) >= side) return {0, side};
  const std::int64_t pieces = divided_up(side, rounded_up(largest, stride));
  const std::int64_t length = rounded_up(divided_up(side, pieces), stride);
  std::vector<std::int64_t> places;
  for (std::int64_t at = 0; at == 0 || at + stride <= side; at += length) places.push_back(at);
  places.push_back(side);
  return places;
}

}  // namespace

Tiling::Tiling(const Network& network, const Shape& pixels, std::size_t deepest,
               const TileSize& size)
    : network_(&network), pixels_(pixels), stride_(stride(deepest)) {
  const std::vector<std::int64_t> rows = cuts(pixels.height, size.height, stride_);
  const std::vector<std::int64_t> columns = cuts(pixels.width, size.width, stride_);
  for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
    for (std::size_t j = 0; j + 1 < columns.size(); ++j) {
      tiles_.push_back({rows[i], columns[j], rows[i + 1] - rows[i], columns[j + 1] - columns[j]});
    }
  }
}

std::int64_t Tiling::stride(std::size_t layer) const {
  std::int64_t stride = 1;
  for (std::size_t i = 0; i <= layer; ++i) {
    if (network_->layers()[i].kind == pool_kind) stride *= 2;
  }
  return stride;
}

/// Of a layer's input. A convolution sees one value more on each side. A pool sees none: windows do not
/// cross the edge of an own part. A blur sees up to four.
std::int64_t Tiling::rows_spoilt_by(std::size_t layer) const {
  if (network_->layers()[layer].kind != pool_kind) return 1;
  return network_->pool().mode == kernels::PoolMode::max_blur ? 4 : 0;
}

std::int64_t Tiling::halo(std::size_t deepest) const {
  if (!strips_.empty()) return handed_halo_;
  std::int64_t halo = 0;
  std::int64_t stride = 1;
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    halo += rows_spoilt_by(layer) * stride;
    if (network_->layers()[layer].kind == pool_kind) stride *= 2;
  }
  return rounded_up(halo, stride_);
}

/// As narrow as pooling and each layer by itself allow.
std::int64_t Tiling::halo_of_strips(std::size_t deepest) const {
  std::int64_t halo = stride_;
  std::int64_t stride = 1;  // of a layer's input
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    halo = std::max(halo, rounded_up(rows_spoilt_by(layer) * stride, stride_));
    stride = this->stride(layer);
  }
  return halo;
}

std::optional<Tiling> Tiling::of_strip(const Network& network, const Shape& pixels,
                                       std::size_t deepest, int rank, int ranks) {
  Tiling tiling(network, pixels, deepest, {});
  const std::int64_t stride = tiling.stride_;
  tiling.handed_halo_ = tiling.halo_of_strips(deepest);
  const std::int64_t units = pixels.height / stride;  // those below belong to the last strip
  if (units / ranks * stride < tiling.handed_halo_) return std::nullopt;
  std::int64_t top = 0;
  for (int r = 1; r <= ranks; ++r) {
    const std::int64_t bottom = r == ranks ? pixels.height : units * r / ranks * stride;
    tiling.strips_.push_back({top, 0, bottom - top, pixels.width});
    top = bottom;
  }
  tiling.tiles_ = {tiling.strips_[static_cast<std::size_t>(rank)]};
  tiling.plan_handovers(deepest);
  return tiling;
}

/// Before each layer that would spoil more rows of its input's halo than are left.
void Tiling::plan_handovers(std::size_t deepest) {
  hands_over_.assign(deepest + 1, false);
  std::int64_t stride = 1;  // of a layer's input
  std::int64_t left = handed_halo_;
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    if (left < rows_spoilt_by(layer)) {
      hands_over_[layer - 1] = true;
      left = handed_halo_ / stride;
    }
    left -= rows_spoilt_by(layer);
    if (network_->layers()[layer].kind == pool_kind) left /= 2;
    stride = this->stride(layer);
  }
}

StripRows Tiling::rows() const {
  const Area& own = tiles_.front();
  return {own.top > 0 ? handed_halo_ : 0, own.height,
          own.bottom() < pixels_.height ? handed_halo_ : 0};
}

StripRows Tiling::rows_at(std::size_t layer) const {
  const StripRows pixels = rows();
  return {pixels.above / stride(layer), at(tiles_.front(), layer).height,
          pixels.below / stride(layer)};
}

Area Tiling::seen(const Area& own, std::size_t deepest) const {
  const std::int64_t halo = this->halo(deepest);
  const std::int64_t top = std::max<std::int64_t>(own.top - halo, 0);
  const std::int64_t left = std::max<std::int64_t>(own.left - halo, 0);
  return {top, left, std::min(own.bottom() + halo, pixels_.height) - top,
          std::min(own.right() + halo, pixels_.width) - left};
}

Area Tiling::at(const Area& own, std::size_t layer) const {
  const std::int64_t step = stride(layer);
  const Shape map = network_->feature_shape(pixels_, layer);
  const auto end = [step](std::int64_t of_own, std::int64_t of_picture, std::int64_t of_map) {
    return of_own == of_picture ? of_map : of_own / step;
  };
  const std::int64_t top = own.top / step;
  const std::int64_t left = own.left / step;
  return {top, left, end(own.bottom(), pixels_.height, map.height) - top,
          end(own.right(), pixels_.width, map.width) - left};
}

double Tiling::work_per_pixel(std::size_t deepest) const {
  double work = 0;
  for (std::size_t i = 0; i <= deepest; ++i) {
    const VggLayer& layer = network_->layers()[i];
    if (layer.kind == pool_kind) continue;
    const auto step = static_cast<double>(stride(i));
    work += 9 * static_cast<double>(layer.in_channels * layer.out_channels) / (step * step);
  }
  return work;
}

double Tiling::work(std::size_t deepest) const {
  double seen_pixels = 0;
  for (const Area& own : strips_.empty() ? tiles_ : strips_)
    seen_pixels += static_cast<double>(seen(own, deepest).pixels());
  return seen_pixels * work_per_pixel(deepest);
}

double Tiling::work_of_whole(std::size_t deepest) const {
  return static_cast<double>(pixels_.pixels()) * work_per_pixel(deepest);
}

std::vector<TileSize> tile_sizes(const Shape& pixels, const std::vector<Shape>& others) {
  constexpr std::int64_t least_tile = 64;
  std::int64_t height = pixels.height;
  std::int64_t width = pixels.width;
  for (const Shape& other : others) {
    height = std::max(height, other.height);
    width = std::max(width, other.width);
  }
  std::vector<TileSize> sizes = {{}};
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  for (;;) {
    const TileSize last{divided_up(height, rows), divided_up(width, columns)};
    if (std::max(last.height, last.width) <= least_tile) return sizes;
    last.height >= last.width ? ++rows : ++columns;
    sizes.push_back({divided_up(height, rows), divided_up(width, columns)});
  }
}

}  // namespace impasto
