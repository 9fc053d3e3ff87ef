// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/batch/work.hpp"
#include "host/engine/stylization.hpp"

namespace impasto::batch {

/// How long the streams of a device have computed. May be used by several threads.
class BusyTime {
 public:
  void add_stream();
  /// One stream begins, or has ended, to compute.
  void begin();
  void end();
  /// The mean over the streams, up to now.
  [[nodiscard]] double seconds() const;

 private:
  [[nodiscard]] double sum() const;

  mutable std::mutex mutex_;
  std::int64_t streams_ = 0;
  std::int64_t computing_ = 0;
  double sum_ = 0;  ///< over the streams, up to `since_`
  std::chrono::steady_clock::time_point since_{};
};

/// The network, as deep as the objective needs, for a backend.
using OpenNetwork =
    std::function<std::shared_ptr<const Network>(Backend& backend, const Objective& objective)>;

/// Computes one batch after the other on a backend of its own, with the network loaded once and
/// the plan kept as long as the batches need the same. Used by one thread.
class Stream {
 public:
  /// `busy` must outlive the object.
  Stream(std::unique_ptr<Backend> backend, OpenNetwork open_network, BusyTime& busy)
      : backend_(std::move(backend)), open_network_(std::move(open_network)), busy_(busy) {
    busy_.add_stream();
  }

  /// Computes works of one kind side by side, from where they stand; nothing where `report`, which is called after every
  /// iteration, returned false. Throws ErrorKind::out_of_memory where they are too many, and
  /// ErrorKind::diverged where a loss became infinite: of which work, only a batch of one tells.
  std::optional<std::vector<Outcome>> compute(std::span<const Work> works,
                                              const Stylization::Report& report,
                                              Checkpoints checkpoints = {});
  /// Frees the memory of the plan.
  void forget_plan();

  [[nodiscard]] Backend& backend() { return *backend_; }
  /// That of the works that are being computed.
  [[nodiscard]] const Network& network() const { return session_->network(); }
  /// plan_of() the works that the plan is for.
  [[nodiscard]] const std::string& planned() const { return planned_; }

 private:
  Session& session_for(const Objective& objective);
  Stylization& plan_for(std::span<const Work> works);

  std::unique_ptr<Backend> backend_;
  OpenNetwork open_network_;
  BusyTime& busy_;
  std::shared_ptr<Session> session_;
  std::size_t deepest_ = 0;  ///< of the layers that it was opened for
  Objective opened_for_;
  std::optional<Stylization> plan_;
  std::string planned_;
  std::size_t planned_count_ = 0;
};

}  // namespace impasto::batch
