// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/backend/communicator.hpp"
#include "host/backend/filed_tensors.hpp"
#include "host/backend/strips.hpp"
#include "host/backend/tensor_block.hpp"
#include "host/engine/config.hpp"
#include "host/engine/tiled_pass.hpp"
#include "host/engine/tiling.hpp"
#include "host/image/image.hpp"
#include "host/image/mask.hpp"
#include "host/model/network.hpp"
#include "host/model/schedule.hpp"
#include "host/optimizer/optimizer.hpp"
#include "host/terms/objective.hpp"

namespace impasto {

/// A style picture and its share. The targets of several styles are averaged by weight.
struct Style {
  Image image;
  double weight = 1;
  // With Objective::guided; none: everywhere.
  std::optional<Mask> mask = {};        ///< where on the picture this style goes
  std::optional<Mask> style_mask = {};  ///< the part of the style picture that it is

  [[nodiscard]] bool looks_like(const Style& other) const {
    return weight == other.weight && mask == other.mask && style_mask == other.style_mask &&
           image.looks_like(other.image);
  }
};

/// What a picture is held to by an objective with a temporal loss (host/terms/temporal.hpp): the
/// earlier result of a film, moved along, of the picture's size, and where it counts.
struct Anchor {
  Image picture;
  Mask mask;
};

/// What Plan::targets() gave after these contents, and after these styles. Empty: not known.
struct KnownTargets {
  std::span<const float> contents = {};
  std::span<const float> styles = {};
};

/// Everything that the stylization of N pictures of one size computes and keeps: the schedules of
/// an iteration and of the targets, the tensors that last, and their memory. Its size is known
/// before it is allocated, in one piece.
class Plan {
 public:
  /// `network` must outlive the plan; one without parameters is enough until something is prepared
  /// or runs. `pixels` is (N,H,W,3), `styles` the shapes of the style pictures. Pictures larger than
  /// `tile` are computed in tiles of at most that size; `filed`, what a run of tiles looks at once an
  /// iteration is in a file (FiledTensors). With `ranks`, which must outlive the plan, a
  /// strip of them is computed here and the others on other devices, or all of them on each where there are
  /// too few rows. Losses and gradients are the same but for the rounding of sums. Throws
  /// ErrorKind::usage where the objective does not allow it.
  Plan(const Network& network, const Config& config, const Shape& pixels, DataType master,
       DataType activations, std::vector<Shape> styles = {}, const TileSize& tile = {},
       Communicator* ranks = nullptr, bool filed = false);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  /// Has the backend make what every pass needs, and plans its workspace.
  void prepare(Backend& backend);
  /// Throws ErrorKind::out_of_memory when the backend says that it has less room than bytes().
  void require_room(const Backend& backend) const;
  /// Why the plan does not fit into `room` bytes: how much is missing, the largest size that
  /// would fit, and the --memory by which all of it fits in tiles, if it does. Empty where it fits.
  [[nodiscard]] std::string shortage(std::size_t room) const;
  /// Takes its memory from `memory`, of bytes() bytes or more.
  void bind(const Buffer& memory);
  /// Starts a stylization, for which the backend uses this plan's workspace. Enqueues the targets of these pictures, whose shapes
  /// are the planned ones, the optimiser at zero steps, the initial pixels. Waits.
  /// The passes of pictures whose targets are `known` are left out. `anchors` are one for each picture,
  /// or none.
  void reset(Backend& backend, std::span<const Image> contents, std::span<const Style> styles,
             std::span<const Image> initials, const KnownTargets& known = {},
             std::span<const Anchor> anchors = {});
  /// After reset(): the targets of the contents or of the styles, bit for bit in floats. Waits.
  [[nodiscard]] std::vector<float> targets(Backend& backend, TargetSource source) const;
  [[nodiscard]] std::size_t target_bytes(TargetSource source) const;

  /// All that iterations change of the n-th picture, bit for bit in floats: its pixels, those that run() keeps
  /// aside, the optimiser's state, of the whole picture on each of several devices. Uses up gradient(). Waits.
  [[nodiscard]] std::vector<float> state(Backend& backend, std::int64_t n) const;
  [[nodiscard]] std::size_t state_bytes(std::int64_t n) const;
  /// After reset(): gives the n-th picture such a state of the same plan, or of one for another
  /// number of pictures or devices. Throws ErrorKind::input where it has another size. Uses up gradient(). Waits.
  void resume(Backend& backend, std::int64_t n, std::span<const float> state) const;

  /// Losses and gradient of pixels(), and a step of the optimiser.
  [[nodiscard]] const Schedule& iteration() const { return iteration_; }
  /// The losses alone.
  [[nodiscard]] const Schedule& evaluation() const { return evaluation_; }
  /// The losses computed last, by either of these: a row of N losses for each term, in the order of
  /// make_terms().
  [[nodiscard]] const Tensor& losses() const { return tensors_[losses_]; }
  /// The values of losses() by name, one Losses for each picture.
  [[nodiscard]] std::vector<Losses> named(std::span<const float> losses) const;
  /// Whether a style picture is compared with.
  [[nodiscard]] bool needs_style() const {
    return deepest_of(octaves_.front(), TargetSource::style).has_value();
  }

  /// The gradient of the pixels that the last iteration computed first, multiplied by
  /// gradient_scale(): of the rows that the optimiser reads. Any other pass overwrites it.
  [[nodiscard]] const Tensor& gradient() const { return iteration_[gradient_]; }
  [[nodiscard]] double gradient_scale() const { return gradient_scale_; }
  [[nodiscard]] const Tensor& pixels() const { return tensors_[pixels_]; }
  /// How the pictures are cut; none: they are not.
  [[nodiscard]] const std::optional<Tiling>& tiling() const { return tiling_; }
  /// The multiply-adds of an iteration's convolutions, on all devices, as a multiple of those of the
  /// picture as a whole.
  [[nodiscard]] double recomputation() const;
  /// The rows of the picture whose steps are this device's own.
  [[nodiscard]] const Strips& strips() const { return strips_; }
  /// The optimiser's state for a finer picture. Uses up gradient(). Waits.
  [[nodiscard]] OptimizerState optimizer_state(Backend& backend) const {
    return optimizer_->state(backend, gradient());
  }
  /// Enqueues what makes the pixels the pictures to show after so many iterations, where that is the mean
  /// of the iterates.
  void show(Backend& backend, std::int64_t iterations) const;
  /// Whether that mean would still change after the optimiser has ended.
  [[nodiscard]] bool mean_goes_on() const { return average_ && optimizer_->ended() != nullptr; }
  [[nodiscard]] const Optimizer& optimizer() const { return *optimizer_; }

  // Copies of the pixels. The first, and the best pictures, are part of state().

  /// Room for as many as run() keeps aside.
  static constexpr std::size_t kept_count = 3;
  /// And for each picture as it was when the loss that run() reported was smallest.
  static constexpr std::size_t best = kept_count;
  /// Enqueues the copy of what show() shows, and of a copy to the pixels. Uses up gradient().
  void put_aside(Backend& backend, std::size_t place, std::int64_t iterations) const;
  void bring_back(Backend& backend, std::size_t place) const;
  /// Copies the n-th picture from one place to another.
  void copy_aside(Backend& backend, std::size_t to, std::size_t from, std::int64_t n) const;
  /// The n-th picture there. Waits.
  [[nodiscard]] Image aside(Backend& backend, std::size_t place, std::int64_t n) const;

  /// Pixels, targets, losses and the optimiser's state, which last.
  [[nodiscard]] std::size_t persistent_bytes() const;
  /// Feature maps and gradients, overlaid by lifetime.
  [[nodiscard]] std::size_t arena_bytes() const { return arena_bytes_; }
  /// What operations need between their stages.
  [[nodiscard]] std::size_t workspace_bytes() const { return workspace_bytes_; }
  /// All of these, which bind() takes.
  [[nodiscard]] std::size_t bytes() const;
  /// What is in a file besides, which makes an iteration wait for it; 0: nothing.
  [[nodiscard]] std::size_t filed_bytes() const { return files_ ? files_->bytes() : 0; }

 private:
  /// A pass whose pixels somebody else fills in before it runs.
  struct Pass {
    Schedule schedule;
    TensorId pixels;
    /// What each guided term sees the style picture through.
    struct Guide {
      const Term* term;
      TensorId tensor;
    };
    std::vector<Guide> guides = {};
  };
  using Visit = std::function<void(const Term&, std::int64_t row, TensorId x)>;
  /// By their rows of losses; null where none is compared.
  using Terms = std::vector<std::unique_ptr<Term>>;

  [[nodiscard]] std::optional<std::size_t> deepest_of(const Terms& terms,
                                                      std::optional<TargetSource> source) const;
  [[nodiscard]] std::vector<const Term*> all_terms() const;
  ForwardPass add_forward(Schedule& schedule, const Terms& terms, TensorId pixels,
                          std::optional<TargetSource> source, const Visit& visit,
                          bool follows = false, const Tiling* strip = nullptr,
                          const Visit& join = nullptr) const;
  void add_tiled_losses(Schedule& schedule, TensorId pixels, TensorId losses,
                        std::optional<TensorId> grad_pixels);
  void add_part_of_losses(const TiledPass::Tile& tile, const Term& term, std::int64_t row,
                          TensorId x) const;
  [[nodiscard]] GradientTerm gradient_of_part(const TiledPass::Tile& tile, const Term& term,
                                              std::int64_t row, TensorId x) const;
  void add_tile_gradient(const TiledPass::Tile& tile) const;
  void add_strip(const TiledPass::Tile& tile, bool with_gradient) const;
  void add_tile_passes(Schedule& schedule, const TileShared& shared);
  void add_strip_pass(Schedule& schedule, const TileShared& shared);
  void add_losses_of_sums(Schedule& schedule, const TileShared& shared) const;
  std::vector<TiledTerm::Sums> add_zero_sums(Schedule& schedule, std::int64_t batch,
                                             TargetSource source) const;
  void add_tiles(Schedule& schedule, std::string_view name, const Tiling& tiling,
                 std::optional<TargetSource> source, const TileShared& shared,
                 const std::function<void(const TiledPass::Tile&)>& build);
  void add_tiled_targets(Pass& pass, const Tiling& tiling, TargetSource source,
                         const TargetShare& share);
  [[nodiscard]] std::optional<Tiling> tiling_of(const Shape& pixels,
                                                std::optional<TargetSource> source,
                                                const TileSize& tile) const;
  std::vector<TensorId> add_octaves(Schedule& schedule, TensorId pixels) const;
  void add_losses(Schedule& schedule, TensorId pixels, TensorId losses,
                  std::optional<TensorId> grad_pixels);
  void add_losses_at(Schedule& schedule, const Terms& terms, TensorId pixels, TensorId losses,
                     TensorId style_losses, std::optional<TensorId> grad_pixels) const;
  void add_targets(Schedule& schedule, TensorId pixels, TargetSource source,
                   const Visit& visit) const;
  void write_mean(Backend& backend, const Tensor& to, std::int64_t iterations) const;
  TensorId add_total(Schedule& schedule, TensorId losses) const;
  void build_iteration();
  void build_evaluation();
  [[nodiscard]] Pass build_target_pass(TargetSource source, const Shape& pixels,
                                       const TargetShare& share,
                                       const std::optional<Tiling>& tiling);
  [[nodiscard]] Pass build_guided_pass(std::size_t style) const;
  /// A part of the state: a tensor, or the n-th image of one in the file, like that of the pixels.
  struct StatePart {
    Tensor tensor = {};
    bool is_strip = false;  ///< the own rows of an image like that of the pixels
    std::optional<std::size_t> filed = {};
  };
  [[nodiscard]] StatePart copy_in_state(std::size_t place, std::int64_t n) const;
  [[nodiscard]] std::vector<StatePart> state_parts(std::int64_t n) const;
  [[nodiscard]] std::vector<Tensor> target_tensors(TargetSource source) const;
  void compute_style_targets(Backend& backend, std::span<const Style> styles);
  void read_spreads(Backend& backend);
  void set_guides(Backend& backend, std::size_t style, const Style& given, double weight) const;
  void set_anchors(Backend& backend, std::span<const Anchor> anchors) const;
  void run_target_pass(Backend& backend, const Pass& pass, std::span<const Image> pictures) const;
  [[nodiscard]] std::vector<Schedule*> schedules();
  [[nodiscard]] std::int64_t longest_side_within(std::size_t room) const;
  [[nodiscard]] std::optional<std::size_t> least_in_tiles() const;
  [[nodiscard]] std::string in_tiles(std::size_t room) const;

  const Network& network_;
  Config config_;
  std::vector<Shape> style_shapes_;
  DataType master_;
  DataType activations_;
  double gradient_scale_;  ///< every gradient is this many times the true one

  TensorBlock tensors_;
  std::unique_ptr<FiledTensors> files_;  ///< null: everything is in memory
  std::size_t pixels_;
  std::array<std::size_t, kept_count + 1>
      aside_;                           ///< the last is the best; in the file, if there is one
  std::optional<std::size_t> average_;  ///< Σ_k (1 − a)·aᵗ⁻ᵏ·x_k after t iterations, a = average
  std::vector<Terms> octaves_;  ///< all terms, and those of style on the picture halved, …
  std::size_t losses_;
  Communicator* ranks_;
  TileSize tile_;
  std::optional<Tiling> tiling_;
  Strips strips_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<std::optional<Tiling>> style_tilings_;
  std::vector<std::unique_ptr<TiledPass>> tiled_passes_;

  Schedule iteration_;
  TensorId gradient_;
  Schedule evaluation_;
  std::optional<Pass> content_pass_;
  std::vector<Pass> style_passes_;
  std::vector<double> style_shares_;
  std::vector<double> shares_before_;  ///< those of the styles before each
  std::vector<float> spreads_;         ///< what named() adds to each row of losses

  std::size_t arena_bytes_ = 0;
  std::size_t workspace_bytes_ = 0;
  Buffer memory_;  ///< workspace, tensors, targets, the optimiser's state, arena
};

/// Brings pictures to the device as one batch; and the n-th of a batch back. Both wait.
void write_pictures(Backend& backend, const Tensor& to, std::span<const Image> pictures);
Image read_picture(Backend& backend, const Tensor& batch, std::int64_t n);

/// The shape of pictures as one batch.
Shape pixel_shape(std::span<const Image> pictures);

/// A shape of the form of `pixels` whose longer side is `longer`.
Shape scaled_to(const Shape& pixels, std::int64_t longer);

/// The MiB that so many bytes fit into.
std::size_t mebibytes_up(std::size_t bytes);

}  // namespace impasto
