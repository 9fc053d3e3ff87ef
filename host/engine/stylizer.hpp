// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/engine/config.hpp"
#include "host/image/image.hpp"
#include "host/model/schedule.hpp"
#include "host/model/weights.hpp"

namespace impasto {

/// The loss of one picture and its parts. content, style and variation are the unweighted sums;
/// total is weights times sums; a layer's entry is its term before the layer's weight.
struct Losses {
  double total = 0;
  double content = 0;
  double style = 0;
  double variation = 0;
  std::vector<std::pair<std::string, double>> content_layers;
  std::vector<std::pair<std::string, double>> style_layers;

  [[nodiscard]] bool finite() const;
};

/// Whether those of every picture are.
bool all_finite(std::span<const Losses> pictures);

/// A style picture and its share. The Gram matrices of several styles are averaged by weight.
struct Style {
  Image image;
  double weight = 1;
};

/// What a run will need, known before anything is allocated. All but the weights is one allocation.
struct MemoryEstimate {
  std::size_t weights = 0;     ///< parameters in the backend's form
  std::size_t persistent = 0;  ///< pixels, moments, targets, losses
  std::size_t arena = 0;       ///< activations and gradients, overlaid by lifetime
  std::size_t workspace = 0;   ///< what operations need between their stages
  [[nodiscard]] std::size_t total() const { return weights + persistent + arena + workspace; }
};

/// The estimate for results of the shape `pixels` (N,H,W,3) from style pictures of the shapes
/// `styles`. Has the backend prepare every operation, which a GPU takes its time for.
MemoryEstimate estimate_memory(Backend& backend, const Config& config, const Shape& pixels,
                               std::span<const Shape> styles);

/// The optimisation of N pictures of one size side by side, in one style. Everything it needs is
/// allocated by the constructor, which also computes the targets; step() only enqueues: the first
/// time operation by operation, from then on as one recording.
class Stylizer {
 public:
  /// `contents` and `initials` have one size, which is the results'; `styles` any. The backend must
  /// outlive the object. Throws ErrorKind::usage for an objective that makes no sense, and
  /// ErrorKind::out_of_memory where the memory does not suffice, saying what would fit.
  Stylizer(Backend& backend, const Weights& weights, const Config& config,
           std::span<const Image> contents, std::span<const Style> styles,
           std::span<const Image> initials);
  Stylizer(const Stylizer&) = delete;
  Stylizer& operator=(const Stylizer&) = delete;
  ~Stylizer();

  /// One iteration: losses and gradient of the current pictures, then one Adam step.
  void step();
  /// The losses that the last step() or evaluate() computed, one for each picture. Waits for them.
  [[nodiscard]] std::vector<Losses> losses();
  /// The losses of the current pictures, without changing them. Waits.
  [[nodiscard]] std::vector<Losses> evaluate();
  /// The n-th current picture, unclamped. Waits.
  [[nodiscard]] Image image(std::int64_t n = 0);

  /// Good pictures are the last whose losses are known to be finite, at first the initial ones;
  /// they are kept on the device. watch_step() and watch_evaluation() keep the current pictures
  /// aside, do what their names say, and send the losses on their way without waiting; collect()
  /// waits for those of the oldest that is watched and, if they are finite, declares it good. Up to
  /// `most_watched` can be under way.
  void watch_step();
  void watch_evaluation();
  static constexpr std::size_t most_watched = 2;
  [[nodiscard]] std::size_t watched() const;
  /// Whether collect() would not have to wait.
  [[nodiscard]] bool arrived() const;
  [[nodiscard]] std::vector<Losses> collect();
  /// Makes the good pictures the current ones and forgets what is watched.
  void restore();
  [[nodiscard]] Image good_image(std::int64_t n = 0);

  /// The operations of one iteration in order, for profiles and traces.
  [[nodiscard]] const Schedule& iteration() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The picture to start from: `content`, noise, or both, by config. For Init::file pass that
/// picture as `file`, resized to the content's size.
Image make_initial(const Config& config, const Image& content, const Image* file = nullptr);

/// The losses of any picture against a content and styles.
Losses score(Backend& backend, const Weights& weights, const Config& config, const Image& image,
             const Image& content, std::span<const Style> styles);

/// The activation of one layer by name, (H,W,C) in float.
struct Activation {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::vector<float> values;
};
Activation activation(Backend& backend, const Weights& weights, const kernels::PoolKind& pool,
                      const Image& image, std::string_view layer);

/// How a run ended.
enum class Ending : std::uint8_t { finished, stopped, diverged };

/// What the caller of run() is told, before each iteration and once after the last.
struct Progress {
  std::int64_t iteration = 0;  ///< steps done; 0 is the initial picture
  double seconds = 0;          ///< since the start of the first iteration
  std::vector<Losses> losses;  ///< of each picture after `iteration` steps
};

/// Runs up to `iterations` steps. Calls `report` with the losses after every `report_every`-th
/// step, the first and the last included, as they arrive: the device may be an iteration or two
/// ahead. While it runs, the pictures with those losses are good_image(). Returning false asks to
/// stop. A NaN or Inf among the losses ends the run at once, unreported. However it ends, the
/// current pictures are then the ones last reported, or later ones whose losses were seen to be
/// finite.
Ending run(Stylizer& stylizer, std::int64_t iterations, std::int64_t report_every,
           const std::function<bool(const Progress&)>& report);

}  // namespace impasto
