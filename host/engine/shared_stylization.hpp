// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/backend/communicators.hpp"
#include "host/engine/stylization.hpp"

namespace impasto {

/// A stylization on one device, or on several together: each computes a strip of the picture, from its top
/// to its bottom in their order, and moves it by the optimiser's state of these rows; each holds the picture
/// (docs/decisions/0033-strips-on-devices.md).
class SharedStylization {
 public:
  /// As Stylization. The devices, which must outlive the object, are alike. Throws ErrorKind::usage where
  /// they are not, and for several of them where the objective does not allow it or
  /// Config::memory is given.
  SharedStylization(std::span<Backend* const> devices, Weights weights, const Config& config,
                    const Shape& pixels, std::span<const Shape> styles);

  /// As Stylization::run(), on the calling thread and one more for each further device. Where a device
  /// fails, all end, and its error is thrown.
  Stylized run(std::span<const Image> contents, std::span<const Style> styles,
               std::span<const Image> initials, std::int64_t report_every,
               const Stylization::Report& report, const Checkpoints& checkpoints = {});

  /// Frees what runs need; run() must not be called again.
  void release() { stylizations_.clear(); }

  [[nodiscard]] const Network& network() const { return sessions_.front()->network(); }
  /// How the devices reach each other, for people; empty for one alone.
  [[nodiscard]] std::string communication() const;

 private:
  RankGroup group_;
  std::vector<std::unique_ptr<Communicator>> communicators_;  ///< none for one; outlive recordings
  std::vector<std::unique_ptr<Session>> sessions_;            ///< by rank
  std::vector<std::unique_ptr<Stylization>> stylizations_;
};

/// The estimates of a stylization on these devices, by rank (stylization.hpp).
std::vector<MemoryEstimate> estimate_memory(std::span<Backend* const> devices,
                                            const VggLayers& layers, const Config& config,
                                            const Shape& pixels, std::span<const Shape> styles);

}  // namespace impasto
