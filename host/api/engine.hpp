// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/backend/registry.hpp"
#include "host/engine/config.hpp"
#include "host/engine/stylization.hpp"
#include "host/engine/stylizer.hpp"
#include "host/image/image.hpp"
#include "host/model/weights.hpp"

namespace impasto {

/// Where to compute, and with which network.
struct EngineOptions {
  std::string backend = "auto";             ///< as make_backend() takes it
  std::optional<Precision> precision = {};  ///< none: the device's default
  std::optional<std::string> weights =
      {};  ///< a file as convert_weights() writes it; none: built in
  DeviceOptions device = {};
};

/// A backend and a network, opened once, for any number of pictures: what programs begin with that
/// use Impasto as a library. Everything here waits for its result. One thread uses an engine at a
/// time; several engines work side by side.
class Engine {
 public:
  /// Opens the backend, and looks what network the weights are of. Throws as make_backend() and
  /// WeightsReader do.
  explicit Engine(EngineOptions options = {});

  [[nodiscard]] Backend& backend() { return *backend_; }

  /// Where the network is from: a file, or nothing for the built-in one.
  [[nodiscard]] const std::optional<std::string>& weights() const { return options_.weights; }

  /// What the network is: preset_for() and pool_for() say what suits it.
  [[nodiscard]] const NetworkTraits& network() const { return network_; }

  /// The network on the backend, as deep as an objective or a layer needs. It is loaded when it is
  /// first asked for, and again for another pooling or a deeper layer; it must not outlive the
  /// engine. Throws as load_weights() does.
  std::shared_ptr<Session> session(const Objective& objective);
  /// The same, and at least down to this layer of the network.
  std::shared_ptr<Session> session(const Objective& objective, std::string_view deepest_layer);
  std::shared_ptr<Session> session(const PoolKind& pool, std::string_view deepest_layer);

  /// Paints `content` in the styles of others. The result has the size of `content`; config.size is
  /// for who loads the pictures. The optimisation starts from `initial`, else from what config.init
  /// says, which must not be Init::file then. `report` is called as impasto::run() does, with every
  /// iteration, on this thread; returning false stops. Throws as Stylizer does.
  Stylized stylize(const Config& config, const Image& content, std::span<const Style> styles,
                   const Stylization::Report& report = {}, const Image* initial = nullptr);

  /// The losses of any picture against a content of its size and styles.
  Losses score(const Config& config, const Image& image, const Image& content,
               std::span<const Style> styles);

  /// What a layer of the network makes of a picture, after the layer's ReLU.
  Activation activation(const Image& image, std::string_view layer, const PoolKind& pool = {});

 private:
  std::shared_ptr<Session> session(const Objective& seen, std::size_t deepest);

  EngineOptions options_;
  std::unique_ptr<Backend> backend_;
  NetworkTraits network_;
  std::shared_ptr<Session> session_;
  Objective seen_;  ///< what session_ was opened for
  std::size_t deepest_ = 0;
};

/// What the network of a weight file is or, without one, the built-in network.
NetworkTraits network_of(const std::optional<std::string>& file);

/// How to pool with a network where nobody says it: as it was trained, where that was with a blur and
/// the preset does not keep its own pooling; else as the preset does.
PoolKind pool_for(const NetworkTraits& network, const Config& config);

/// The network of a weight file or, without one, the built-in network for seed 0.
Weights open_weights(const std::optional<std::string>& file, Backend& backend,
                     std::string_view deepest_layer);

/// The built-in network for a seed: random weights, calibrated on the project's own pictures.
Weights make_builtin_weights(std::uint64_t seed, Backend& backend, std::string_view deepest_layer);

/// What calibrating takes at most, in bytes, on a backend of this activation type.
std::size_t calibration_bytes(DataType activations);

/// One of the project's own pictures, "scene" or "painting", `width` pixels wide. Throws
/// ErrorKind::usage for another name, and for more pixels than a file may have.
Image draw_sample(std::string_view name, std::int64_t width);

}  // namespace impasto
