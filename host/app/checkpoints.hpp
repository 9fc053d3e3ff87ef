// SPDX-License-Identifier: MIT
#pragma once

#include <future>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/engine/checkpoint_file.hpp"
#include "host/engine/plan.hpp"

namespace impasto::app {

/// What a checkpoint belongs to: two stylizations with one recipe and the same pixels end in the same
/// bits on one machine.
std::string identity_of(const std::string& recipe, const Image& content,
                        std::span<const Style> styles, const Image& initial);

/// The file of --checkpoint, which is written while the run goes on.
class CheckpointFile {
 public:
  CheckpointFile(std::string path, std::string identity)
      : path_(std::move(path)), identity_(std::move(identity)) {}

  /// What an earlier run left, if there is something. Throws ErrorKind::input.
  [[nodiscard]] std::optional<Checkpoint> load(const Objective& objective) const;
  /// Waits until the one before is written, and begins with this one. Throws what became of the one
  /// before.
  void write(Checkpoint checkpoint);
  /// Waits until the last one is written. Throws what became of it.
  void finish();
  /// After finish(): nobody needs it any more.
  void remove() const;

 private:
  std::string path_;
  std::string identity_;
  std::future<void> writing_;
};

}  // namespace impasto::app
