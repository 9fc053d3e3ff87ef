// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/batch/work.hpp"
#include "host/engine/stylization.hpp"

namespace impasto::batch {

/// The network, as deep as the objective needs.
using OpenNetwork = std::function<Weights(Backend& backend, const Objective& objective)>;

/// Computes one batch after the other on a backend of its own, with the network loaded once and
/// the plan kept as long as the batches need the same. Used by one thread.
class Stream {
 public:
  Stream(std::unique_ptr<Backend> backend, OpenNetwork open_network)
      : backend_(std::move(backend)), open_network_(std::move(open_network)) {}

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
  std::shared_ptr<Session> session_;
  const VggLayers* layers_ = nullptr;  ///< of the session's network
  std::size_t deepest_ = 0;            ///< of its layers
  Objective opened_for_;
  std::optional<Stylization> plan_;
  std::string planned_;
  std::size_t planned_count_ = 0;
};

}  // namespace impasto::batch
