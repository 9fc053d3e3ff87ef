// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "host/engine/stylizer.hpp"

namespace impasto {

/// How a run ended.
enum class Ending : std::uint8_t {
  finished,   ///< after all of its iterations
  converged,  ///< before, where EarlyStop or the optimiser's own tests say so
  stopped,
  diverged
};

struct RunEnd {
  Ending ending = Ending::finished;
  std::int64_t iterations = 0;  ///< that count: no later one changed the pictures
  /// The optimiser's; none where something else ended the run.
  EndReason reason = EndReason::none;
};

/// What the caller of run() is told, before each iteration and once after the last.
struct Progress {
  std::int64_t iteration = 0;  ///< steps done; 0 is the initial picture
  double seconds = 0;          ///< since the start of the first iteration
  std::vector<Losses> losses;  ///< of each picture after `iteration` steps
  /// The n-th picture with these losses, while the caller is being told. Waits.
  std::function<Image(std::int64_t n)> picture;
  std::int64_t size = 0;  ///< the longer side at which it is optimised now
  double work = 0;        ///< the share of all work that is done
  bool last = false;      ///< whether the run ends with it
};

/// How a run is kept, and how one that was kept goes on.
struct Keeping {
  /// The smallest losses so far, of the pictures at Plan::best. With them the run goes on from the
  /// state that Stylizer::resume() brought; without, it begins.
  std::vector<double> smallest = {};
  /// Asked before steps.
  std::function<bool(std::int64_t iteration)> wanted = {};
  /// Called where `wanted` says so and where `report` asks to stop. Nothing is under way then, all
  /// losses up to this iteration's are reported, and Stylizer::resume() can bring the plan's states
  /// back.
  std::function<void(std::int64_t iteration)> keep = {};
};

/// Runs up to `iterations` steps. Calls `report` with the losses after every `report_every`-th
/// step, the first and the last included, as they arrive: the device may be an iteration or two
/// ahead. Returning false asks to stop; with `keeping`, losses under way are still reported. A NaN or Inf among the losses ends the run at once,
/// unreported. Pictures are those that Stylizer::show() shows, losses those of the iterates; the
/// last losses are of the picture shown. However it ends, the current pictures are then the ones last reported, or later ones
/// whose losses were seen to be finite. Plan::best then has those with the smallest losses reported.
///
/// Where the optimiser has nothing left to do with any of the pictures, the run ends with the last step that
/// changed one, however far the device is ahead then.
///
/// `converged` is asked after each report but the last. Where it says yes, the run ends one
/// iteration later, which the device has begun already. So that this does not depend on time, the host
/// then waits for the losses of each step.
RunEnd run(Stylizer& stylizer, std::int64_t iterations, std::int64_t report_every,
           const std::function<bool(const Progress&)>& report, const Keeping& keeping = {},
           const std::function<bool()>& converged = {});

/// How run() looks at losses without making the device wait. Good pictures are the last whose
/// losses are known to be finite, at first the current ones; they are kept on the device. step()
/// and evaluate() keep the current pictures aside, do what their names say, and send the losses on
/// their way; collect() waits for the oldest losses that are under way and, if they are finite,
/// declares their pictures good.
class LookAhead {
 public:
  /// With `resumed`, good pictures are those that Stylizer::resume() brought.
  explicit LookAhead(Stylizer& stylizer, bool resumed = false);
  LookAhead(const LookAhead&) = delete;
  LookAhead& operator=(const LookAhead&) = delete;

  static constexpr std::size_t most_watched = Plan::kept_count - 1;
  void step();
  void evaluate();
  /// How many pictures' losses are under way.
  [[nodiscard]] std::size_t watched() const { return watched_; }
  /// Whether collect() would not have to wait.
  [[nodiscard]] bool arrived() const;
  [[nodiscard]] std::vector<Losses> collect();
  /// Why the optimiser ended with the last of the pictures, and after how many iterations.
  struct End {
    EndReason reason;
    std::int64_t iterations;
  };
  /// As of the last collect(); none while a picture goes on.
  [[nodiscard]] const std::optional<End>& end() const { return end_; }
  [[nodiscard]] Image good_image(std::int64_t n = 0) const;
  /// Copies the n-th good picture to Plan::best.
  void good_is_best(std::int64_t n);
  /// Has the good pictures where Plan::state() finds them. Nothing may be under way.
  void settle();
  /// Makes the good pictures the current ones and forgets what is watched.
  void restore();

 private:
  /// The k-th place behind the good pictures, in a ring.
  [[nodiscard]] std::size_t behind_good(std::size_t k) const {
    return (good_ + k) % Plan::kept_count;
  }
  void watch(const std::function<void()>& pass);

  Stylizer& stylizer_;
  Backend& backend_;
  std::size_t good_ = 0;
  std::size_t watched_ = 0;
  std::array<std::unique_ptr<Readback>, Plan::kept_count> readbacks_;
  std::array<std::unique_ptr<Readback>, Plan::kept_count> end_readbacks_;  ///< where it may end
  std::optional<End> end_;
};

}  // namespace impasto
