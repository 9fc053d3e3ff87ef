// SPDX-License-Identifier: MIT
#include "host/engine/shared_stylization.hpp"

#include <utility>

#include "host/core/error.hpp"

namespace impasto {
namespace {

/// All compute the pixels' steps for themselves, and must get the same bits.
void check_devices(std::span<Backend* const> devices, const Config& config) {
  const auto spelled = [](const Backend& device) {
    return fmt::format("{} ({}, {})", device.name(), to_string(device.precision()),
                       device.description());
  };
  for (const Backend* device : devices) {
    if (spelled(*device) == spelled(*devices.front())) continue;
    fail(ErrorKind::usage, "one picture on several devices: expected them alike, found {} and {}",
         spelled(*devices.front()), spelled(*device));
  }
  if (devices.size() > 1 && config.memory > 0) {
    fail(ErrorKind::usage, "tiles within {} MiB on {} devices: expected one device",
         config.memory >> 20U, devices.size());
  }
}

}  // namespace

SharedStylization::SharedStylization(std::span<Backend* const> devices, Weights weights,
                                     const Config& config, const Shape& pixels,
                                     std::span<const Shape> styles)
    : group_(static_cast<int>(devices.size())),
      sessions_(devices.size()),
      stylizations_(devices.size()) {
  check_devices(devices, config);
  if (devices.size() > 1) communicators_ = make_communicators(group_, devices);
  const Objective& objective = config.objective;
  group_.run([&](int rank) {
    const auto r = static_cast<std::size_t>(rank);
    const std::size_t deepest = deepest_layer(objective, *weights.layers);
    auto network = std::make_shared<const Network>(
        *devices[r], group_.size() == 1 ? std::move(weights) : weights, objective.pool, deepest,
        objective.padding, objective.input_scale);
    sessions_[r] =
        std::make_unique<Session>(*devices[r], std::move(network),
                                  communicators_.empty() ? nullptr : communicators_[r].get());
    stylizations_[r] = std::make_unique<Stylization>(*sessions_[r], config, pixels, styles);
  });
}

Stylized SharedStylization::run(std::span<const Image> contents, std::span<const Style> styles,
                                std::span<const Image> initials, std::int64_t report_every,
                                const Stylization::Report& report, const Checkpoints& checkpoints) {
  if (group_.size() == 1) {
    return stylizations_.front()->run(contents, styles, initials, report_every, report,
                                      checkpoints);
  }
  Stylized result;
  group_.run([&](int rank) {
    const bool first = rank == 0;
    Checkpoints own = checkpoints;
    if (own.keep && !first) own.keep = [](const std::vector<Checkpoint>&) {};
    Stylized stylized = stylizations_[static_cast<std::size_t>(rank)]->run(
        contents, styles, initials, report_every,
        [&](const Progress& progress) { return group_.decide(rank, first && report(progress)); },
        own);
    if (first) result = std::move(stylized);
  });
  return result;
}

std::string SharedStylization::communication() const {
  return communicators_.empty() ? std::string() : communicators_.front()->description();
}

std::vector<MemoryEstimate> estimate_memory(std::span<Backend* const> devices,
                                            const VggLayers& layers, const Config& config,
                                            const Shape& pixels, std::span<const Shape> styles) {
  check_devices(devices, config);
  RankGroup group(static_cast<int>(devices.size()));
  // Which only say which rank it is: nothing runs.
  const auto communicators = communicators_through_host(group, devices);
  std::vector<MemoryEstimate> estimates;
  for (std::size_t r = 0; r < devices.size(); ++r) {
    estimates.push_back(estimate_memory(*devices[r], layers, config, pixels, styles,
                                        devices.size() == 1 ? nullptr : communicators[r].get()));
  }
  return estimates;
}

}  // namespace impasto
