// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/engine/run.hpp"
#include "host/engine/stylizer.hpp"

namespace impasto {

/// A size at which pictures are optimised for some iterations.
struct Scale {
  Shape pixels;  ///< (N,H,W,3)
  std::vector<Shape> styles;
  std::int64_t iterations = 0;
};

/// The scales by which `config` reaches results of the shape `pixels`, coarse to fine. All have its
/// form, and the style pictures shrink with them. Scales are left out whose shortest side would be
/// under 64 pixels, and those for which no iteration is left: each takes at least one.
std::vector<Scale> make_scales(const Config& config, const Shape& pixels,
                               std::span<const Shape> styles);

/// How the loss of one picture went. Losses of different scales are not comparable, so all three are
/// of the finest scale that was reached.
struct Course {
  struct Point {
    std::int64_t iteration = 0;
    Losses losses;
  };
  Point first;
  Point best;  ///< the smallest loss
  Point last;
  /// Whether the run came to its end with a greater loss than it had at first.
  bool rose = false;

  /// What the result is: the last picture, or the best where the loss rose.
  [[nodiscard]] const Point& result() const { return rose ? best : last; }
};

/// A scale that ended before all of its iterations.
struct EarlyEnd {
  std::int64_t size = 0;               ///< its longer side
  std::int64_t iteration = 0;          ///< after so many, over all scales
  EndReason reason = EndReason::none;  ///< the optimiser's; none: EarlyStop

  bool operator==(const EarlyEnd&) const = default;
};

/// Where one picture of a stylization stands between two iterations: enough to end in the same bits
/// as if it had never been interrupted.
struct Checkpoint {
  std::int64_t scale = 0;      ///< as make_scales() counts them
  std::int64_t iteration = 0;  ///< steps done at this scale
  double seconds = 0;          ///< spent on them and on coarser scales
  Course course;
  std::vector<float> state;         ///< Plan::state()
  std::int64_t before = 0;          ///< steps done at coarser scales
  std::vector<double> recent = {};  ///< the last losses at this scale, as far as Config::stop looks
  std::vector<EarlyEnd> early = {};  ///< of coarser scales
};

/// How a stylization goes on from checkpoints, and keeps new ones.
struct Checkpoints {
  /// One for each picture, all of one scale and iteration; empty: from the start.
  std::vector<Checkpoint> from = {};
  /// Iterations from one to the next; 0: only where the run is asked to stop.
  std::int64_t every = 0;
  /// Takes one for each picture, in their order, while the device waits.
  std::function<void(std::vector<Checkpoint>)> keep = {};
};

/// What a stylization of N pictures ends with.
struct Stylized {
  Ending ending = Ending::finished;  ///< of the last scale that was reached
  std::vector<EarlyEnd> early;
  std::int64_t iterations = 0;  ///< done, over all scales
  double seconds = 0;           ///< since the start of the first iteration
  std::vector<Image> pictures;
  std::vector<Course> courses;  ///< of each picture; empty where not even the first loss was finite
};

/// The stylization of N pictures side by side, in one style, through all of its scales. A scale
/// starts from the result of the one before it, with the detail that Scales says, and from its
/// optimiser's state, resampled. Planned once for shapes; run() may be called again with other pictures
/// of the same shapes, and then plans and records nothing; nor does it look again at contents or styles
/// of earlier runs, as far as it remembers them.
///
/// The scales take turns in one allocation, as large as the largest of them needs.
class Stylization {
 public:
  /// For results of the shape `pixels` (N,H,W,3) from style pictures of the shapes `styles`. The
  /// session must outlive the object. Throws as Stylizer does.
  Stylization(Session& session, const Config& config, const Shape& pixels,
              std::span<const Shape> styles);

  using Report = std::function<bool(const Progress&)>;
  /// Stylizes `contents` from `initials`, which have the size of the results, and so have `anchors`: one
  /// for each picture, or none. Calls `report` as
  /// impasto::run() does; iterations count on from scale to scale, and pictures have the size of the
  /// results whatever the scale. `initials` are not looked at once the finest scale reports. Returning
  /// false asks to stop. Throws ErrorKind::input for a checkpoint of another stylization.
  Stylized run(std::span<const Image> contents, std::span<const Style> styles,
               std::span<const Image> initials, std::int64_t report_every, const Report& report,
               const Checkpoints& checkpoints = {}, std::span<const Anchor> anchors = {});

  [[nodiscard]] const std::vector<Scale>& scales() const { return scales_; }

 private:
  void resume(const std::vector<Checkpoint>& from);
  /// What pictures of earlier runs, which are contents or styles together, gave as targets.
  template <class Picture>
  struct Seen {
    std::vector<Picture> pictures;  ///< none where none of their targets are kept
    std::vector<std::vector<float>>
        targets;  ///< at each scale; empty where not known, or too large to keep
    [[nodiscard]] std::size_t bytes() const;
  };
  template <class Picture>
  void look_up(std::list<Seen<Picture>>& seen, std::span<const Picture> pictures,
               TargetSource source);
  void reset(std::size_t scale, std::span<const Image> contents, std::span<const Style> styles,
             std::span<const Image> initials, std::span<const Anchor> anchors);

  std::vector<Scale> scales_;
  double detail_;  // as Scales says it
  EarlyStop stop_;
  std::vector<std::unique_ptr<Stylizer>> stylizers_;  ///< one for each scale
  std::list<Seen<Image>> contents_;                   ///< those of the last run first
  std::list<Seen<Style>> styles_;
};

/// The tiles in which a picture is computed (tiling.hpp), in pixels.
struct TileEstimate {
  std::size_t count = 0;
  std::int64_t height = 0;  ///< of a tile without its halo
  std::int64_t width = 0;
  std::int64_t halo = 0;
};

/// The strip of a picture that a device computes, in rows of pixels.
struct StripEstimate {
  std::int64_t top = 0;
  std::int64_t height = 0;  ///< without its halo
  std::int64_t above = 0;   ///< of the halo
  std::int64_t below = 0;
};

/// What a run will need, known before anything is allocated. All but the weights is one allocation.
struct MemoryEstimate {
  std::size_t weights = 0;     ///< parameters in the backend's form
  std::size_t persistent = 0;  ///< pixels, targets, losses, the optimiser's state
  std::size_t arena = 0;       ///< feature maps and gradients, overlaid by lifetime
  std::size_t workspace = 0;   ///< what operations need between their stages
  std::size_t filed = 0;       ///< in a file (FiledTensors), because memory has no room for it
  std::size_t state = 0;  ///< of a picture in a checkpoint, which the host has while it is written
  /// What the host has beside this and the pictures that a run is given: pictures and targets that are
  /// remembered, and what is on its way from one scale to the next. The result takes the place of the
  /// initial picture.
  std::size_t host = 0;
  std::string shortage;  ///< why this does not fit into what may be taken or is free, if so
  std::optional<TileEstimate> tiles = {};   ///< of the last scale; none: the whole at once
  std::optional<StripEstimate> strip = {};  ///< the same on several devices
  /// Of each scale: its convolutions' work, on all devices, as a multiple of that without tiles.
  std::vector<double> recomputation = {};
  [[nodiscard]] std::size_t total() const { return weights + persistent + arena + workspace; }
};

/// The estimate for results of the shape `pixels` (N,H,W,3) from style pictures of the shapes
/// `styles`, with a network of these layers: that of the scale which needs most. The backend
/// prepares every operation, which takes a while on a GPU. With `ranks` it is that of this device.
MemoryEstimate estimate_memory(Backend& backend, const VggLayers& layers, const Config& config,
                               const Shape& pixels, std::span<const Shape> styles,
                               Communicator* ranks = nullptr);

}  // namespace impasto
