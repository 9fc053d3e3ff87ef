// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
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

/// A picture cut into tiles, each with a part of its own, which begins at a multiple of the deepest
/// layer's stride, and a halo around it as wide as that layer sees. In a tile that is computed by itself
/// the maps are then right in its own part, and so is all that they were made of; in the halo the tile's
/// zero padding spoils them. At the picture's border there is no halo, and the padding is the picture's.
class Tiling {
 public:
  /// For a network, which must outlive the object, that looks at pictures of the shape `pixels` as deep as `deepest`.
  Tiling(const Network& network, const Shape& pixels, std::size_t deepest, const TileSize& size);

  [[nodiscard]] const Network& network() const { return *network_; }
  /// The tiles' own parts, row by row: each pixel is in one.
  [[nodiscard]] const std::vector<Area>& tiles() const { return tiles_; }
  /// What a pass that ends at layer `deepest` needs to see for the own part.
  [[nodiscard]] Area seen(const Area& own, std::size_t deepest) const;
  /// The own part of a layer's map. The parts of all tiles make up the map.
  [[nodiscard]] Area at(const Area& own, std::size_t layer) const;
  /// The pixels from one value of a layer's map to the next.
  [[nodiscard]] std::int64_t stride(std::size_t layer) const;
  /// The halo of a pass that ends at layer `deepest`.
  [[nodiscard]] std::int64_t halo(std::size_t deepest) const;

  /// The multiply-adds of forward passes over all tiles as deep as `deepest`, and of one over the whole
  /// picture.
  [[nodiscard]] double work(std::size_t deepest) const;
  [[nodiscard]] double work_of_whole(std::size_t deepest) const;

 private:
  [[nodiscard]] double work_per_pixel(std::size_t deepest) const;

  const Network* network_;
  Shape pixels_;
  std::int64_t stride_;
  std::vector<Area> tiles_;
};

/// Sizes of tiles for a picture and others beside it, each with one more row or column of them than the
/// one before; the first is no tiling at all.
std::vector<TileSize> tile_sizes(const Shape& pixels, const std::vector<Shape>& others);

}  // namespace impasto
