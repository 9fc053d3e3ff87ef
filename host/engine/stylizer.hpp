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
#include "weights/weights.hpp"

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

/// A style picture and its share. The Gram matrices of several styles are averaged by weight.
struct Style {
  Image image;
  double weight = 1;
};

/// What a run will need, known before anything is allocated.
struct MemoryEstimate {
  std::size_t weights = 0;     ///< parameters in the backend's form
  std::size_t persistent = 0;  ///< pixels, moments, targets, losses
  std::size_t arena = 0;       ///< activations and gradients, overlaid by lifetime
  [[nodiscard]] std::size_t total() const { return weights + persistent + arena; }
};

/// The estimate for a result of height × width from styles of the given sizes {height, width}.
MemoryEstimate estimate_memory(const Backend& backend, const Config& config, std::int64_t height,
                               std::int64_t width,
                               std::span<const std::pair<std::int64_t, std::int64_t>> styles);

/// The optimisation of one picture. Everything it needs is allocated by the constructor, which also
/// computes the targets; step() only enqueues.
class Stylizer {
 public:
  /// `content` and `initial` have one size, which is the result's; `styles` any. The backend must
  /// outlive the object. Throws ErrorKind::usage for an objective that makes no sense.
  Stylizer(Backend& backend, const Weights& weights, const Config& config, const Image& content,
           std::span<const Style> styles, const Image& initial);
  Stylizer(const Stylizer&) = delete;
  Stylizer& operator=(const Stylizer&) = delete;
  ~Stylizer();

  /// One iteration: losses and gradient of the current picture, then one Adam step.
  void step();
  /// The losses that the last step() or evaluate() computed. Waits for them.
  [[nodiscard]] Losses losses();
  /// The losses of the current picture, without changing it. Waits.
  [[nodiscard]] Losses evaluate();
  /// The current picture, unclamped. Waits.
  [[nodiscard]] Image image();

  /// The last good picture, kept on the device: mark() copies the current picture aside, confirm()
  /// declares the marked one good, restore() makes the good one current again. At first the initial
  /// picture is the good one.
  void mark();
  void confirm();
  void restore();
  [[nodiscard]] Image good_image();

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
  Losses losses;               ///< of the picture after `iteration` steps
};

/// Runs up to `iterations` steps. Calls `report` with the losses of every `report_every`-th
/// picture, the first and the last included; while it runs, that picture is good_image(). Returning
/// false asks to stop. A NaN or Inf loss ends the run at once, unreported. However it ends, the
/// current picture is then the one last reported, or a later one whose losses were seen to be
/// finite.
Ending run(Stylizer& stylizer, std::int64_t iterations, std::int64_t report_every,
           const std::function<bool(const Progress&)>& report);

}  // namespace impasto
