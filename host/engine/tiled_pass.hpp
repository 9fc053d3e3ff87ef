// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "host/engine/tiling.hpp"
#include "host/model/schedule.hpp"
#include "host/terms/term.hpp"

namespace impasto {

/// Tensors of a picture's schedule that the schedules of its tiles have in common.
struct TileShared {
  TensorId pixels;                         ///< (N,H,W,3)
  std::optional<TensorId> losses = {};     ///< rows of losses
  std::vector<TiledTerm::Sums> sums = {};  ///< of each term, by its row
  std::optional<TensorId> gradient = {};   ///< of the pixels
};

/// A pass over all tiles of a picture, a step for each in the picture's schedule. What a tile computes is
/// a schedule of its own, built once for all tiles that have one shape; they take turns in one
/// piece of the picture's arena. It must outlive the schedule that it was added to.
class TiledPass {
 public:
  /// The schedule of one shape of tile while it is built.
  class Tile {
   public:
    [[nodiscard]] Schedule& schedule() const { return schedule_; }
    /// The tile's pixels, its halo included.
    [[nodiscard]] TensorId pixels() const { return pixels_; }
    /// The same tensors in this schedule.
    [[nodiscard]] const TileShared& shared() const { return shared_; }

    /// Appends the tile's own part of a layer's map `x` to `schedule`.
    TilePart add_part(Schedule& schedule, std::size_t layer, TensorId x) const;
    /// A gradient at that map, which `add` appends for its own part.
    GradientTerm gradient_of_part(
        const Term& term, std::size_t layer, TensorId x,
        std::function<void(Schedule&, const TilePart&, TensorId grad)> add) const;
    /// Appends what adds the gradient of the tile's pixels to the picture's.
    void add_to_gradient(TensorId grad_pixels) const;

   private:
    friend TiledPass;
    Tile(TiledPass& pass, Schedule& schedule, const Area& own);

    TiledPass& pass_;
    Schedule& schedule_;
    Area own_;
    Area seen_;
    TensorId pixels_{};
    TileShared shared_;
  };
  using Build = std::function<void(const Tile&)>;

  /// Appends the pass, which ends at layer `deepest`, to `schedule`.
  TiledPass(Schedule& schedule, std::string_view name, const Tiling& tiling, std::size_t deepest,
            const TileShared& shared, const Build& build);
  TiledPass(const TiledPass&) = delete;
  TiledPass& operator=(const TiledPass&) = delete;

 private:
  /// Tiles that differ by their place alone.
  struct Kind {
    Area own;  ///< of the first of them
    Schedule schedule;
  };
  void take_shared(const Schedule& schedule);
  Kind& kind_of(const Area& own, const Build& build);
  void run_tile(Backend& backend, const Schedule& schedule, Kind& kind, const Area& own);

  const Tiling& tiling_;
  std::size_t deepest_;
  TileShared ids_;  ///< in the picture's schedule
  TensorId arena_{};
  std::size_t arena_bytes_ = 0;

  std::vector<std::unique_ptr<Kind>> kinds_;

  // Of the tile that runs.
  Corner seen_corner_;
  std::vector<Corner> corners_;  ///< of the own part, in each layer's map
  Tensor pixels_;
  Tensor losses_;
  Tensor gradient_;
  std::vector<std::vector<Tensor>> sums_;
};

}  // namespace impasto
