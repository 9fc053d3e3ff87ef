// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/core/tensor.hpp"
#include "host/model/network.hpp"

namespace impasto {

/// The largest own part of a tile, in pixels: rounded up to what pooling needs. 0: no limit.
struct TileSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
  friend bool operator==(const TileSize&, const TileSize&) = default;
};

/// A rectangle of a picture or of a map.
struct Area {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  [[nodiscard]] std::int64_t bottom() const { return top + height; }
  [[nodiscard]] std::int64_t right() const { return left + width; }
  [[nodiscard]] std::int64_t pixels() const { return height * width; }
  [[nodiscard]] Corner corner() const { return {top, left}; }
};

/// The rows of a strip's map: its own, and the halo's on both sides of them.
struct StripRows {
  std::int64_t above = 0;
  std::int64_t own = 0;
  std::int64_t below = 0;
};

/// A picture cut into tiles, each with a part of its own, which begins at a multiple of the deepest
/// layer's stride, and a halo around it as wide as that layer sees. In a tile that is computed by itself
/// the maps are then right in its own part, and so is all that they were made of; in the halo the tile's
/// zero padding spoils them. At the picture's border there is no halo, and the padding is the picture's.
///
/// Or cut into strips of rows that several devices compute at the same time, one tile each. Their halo is
/// narrow, one row of the deepest map: each convolution spoils a row of it, and where none is left, the
/// neighbours hand over their own rows of that map.
class Tiling {
 public:
  /// For a network, which must outlive the object, that looks at pictures of the shape `pixels` as deep as `deepest`.
  Tiling(const Network& network, const Shape& pixels, std::size_t deepest, const TileSize& size);

  /// The strip of a device, the rank-th of so many. None where the picture has too few rows for them.
  static std::optional<Tiling> of_strip(const Network& network, const Shape& pixels,
                                        std::size_t deepest, int rank, int ranks);

  [[nodiscard]] const Network& network() const { return *network_; }
  /// The own parts of the tiles that are computed here, row by row: each pixel is in one, or in
  /// another device's strip.
  [[nodiscard]] const std::vector<Area>& tiles() const { return tiles_; }
  /// The own parts of all devices' strips, which have rows in full; none where a picture is cut into tiles.
  [[nodiscard]] const std::vector<Area>& strips() const { return strips_; }
  /// The rows of this device's strip at a layer.
  [[nodiscard]] StripRows rows_at(std::size_t layer) const;
  /// The same of the pixels.
  [[nodiscard]] StripRows rows() const;
  /// Whether the halo of a layer's map is handed over before the next layer.
  [[nodiscard]] bool hands_over(std::size_t layer) const { return hands_over_[layer]; }
  /// What a pass that ends at layer `deepest` needs to see for the own part.
  [[nodiscard]] Area seen(const Area& own, std::size_t deepest) const;
  /// The own part of a layer's map. The parts of all tiles make up the map.
  [[nodiscard]] Area at(const Area& own, std::size_t layer) const;
  /// The pixels from one value of a layer's map to the next.
  [[nodiscard]] std::int64_t stride(std::size_t layer) const;
  /// The halo of a pass that ends at layer `deepest`.
  [[nodiscard]] std::int64_t halo(std::size_t deepest) const;

  /// The multiply-adds of forward passes over all tiles, or all strips, as deep as `deepest`, and of one
  /// over the whole picture.
  [[nodiscard]] double work(std::size_t deepest) const;
  [[nodiscard]] double work_of_whole(std::size_t deepest) const;

 private:
  [[nodiscard]] double work_per_pixel(std::size_t deepest) const;
  [[nodiscard]] std::int64_t rows_spoilt_by(std::size_t layer) const;
  [[nodiscard]] std::int64_t halo_of_strips(std::size_t deepest) const;
  void plan_handovers(std::size_t deepest);

  const Network* network_;
  Shape pixels_;
  std::int64_t stride_;
  std::vector<Area> tiles_;
  std::vector<Area> strips_;
  std::int64_t handed_halo_ = 0;  ///< of strips
  std::vector<bool> hands_over_;
};

/// Sizes of tiles for a picture and others beside it, each with one more row or column of them than the
/// one before; the first is no tiling at all.
std::vector<TileSize> tile_sizes(const Shape& pixels, const std::vector<Shape>& others);

}  // namespace impasto
