// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/communicator.hpp"
#include "host/engine/config.hpp"
#include "host/engine/fitting_tiles.hpp"
#include "host/engine/plan.hpp"
#include "host/image/image.hpp"
#include "host/model/network.hpp"
#include "host/model/weights.hpp"

namespace impasto {

/// A backend and the network on it: made once, for any number of pictures.
class Session {
 public:
  /// Brings layers [0, deepest] to the backend, which must outlive the session; the host's copy of
  /// the weights is freed. Throws ErrorKind::weights when they end earlier.
  Session(Backend& backend, Weights weights, const PoolKind& pool, std::size_t deepest,
          Padding padding = Padding::zero, double input_scale = 1)
      : Session(backend, std::make_shared<const Network>(backend, std::move(weights), pool, deepest,
                                                         padding, input_scale)) {}
  /// With the layers that `objective` needs.
  Session(Backend& backend, Weights weights, const Objective& objective)
      : Session(backend, std::move(weights), objective.pool,
                deepest_layer(objective, *weights.layers), objective.padding,
                objective.input_scale) {}

  /// On a network that other sessions on this backend, or others like it (see Conv), may share. With
  /// `ranks`, which must outlive the session, its pictures are computed together with other devices.
  Session(Backend& backend, std::shared_ptr<const Network> network, Communicator* ranks = nullptr)
      : backend_(backend), network_(std::move(network)), ranks_(ranks) {}

  [[nodiscard]] Backend& backend() { return backend_; }
  [[nodiscard]] const Network& network() const { return *network_; }
  /// Null where this device computes alone.
  [[nodiscard]] Communicator* ranks() const { return ranks_; }

 private:
  Backend& backend_;
  std::shared_ptr<const Network> network_;
  Communicator* ranks_ = nullptr;
};

/// The optimisation of N pictures of one size side by side, in one style. All memory is planned and
/// allocated by the constructor. step() only enqueues: the first time operation by operation, from
/// then on as one recording, which reset() keeps.
class Stylizer {
 public:
  /// For results of the shape `pixels` (N,H,W,3) from style pictures of the shapes `styles`;
  /// reset() must follow. The session must outlive the object. Throws ErrorKind::usage for an
  /// objective that makes no sense or has no style to compare with, and ErrorKind::out_of_memory
  /// where the memory does not suffice, saying what would fit.
  Stylizer(Session& session, const Config& config, const Shape& pixels, std::vector<Shape> styles);
  /// The same for these pictures, at their start. `contents` and `initials` have one size, which is
  /// the results'; `styles` any.
  Stylizer(Session& session, const Config& config, std::span<const Image> contents,
           std::span<const Style> styles, std::span<const Image> initials);

  /// Plans only: bind() must follow.
  struct WithoutMemory {};
  Stylizer(Session& session, const Config& config, const Shape& pixels, std::vector<Shape> styles,
           WithoutMemory /*tag*/);
  /// Takes its memory from `memory`, of plan().bytes() bytes or more. Several objects that take
  /// turns may have the same: each starts with a reset().
  void bind(const Buffer& memory) { plan_.bind(memory); }

  /// Starts anew with other pictures of the same shapes: computes the targets and puts the
  /// optimiser back to zero steps. Plans, uploads and records nothing. Waits. Targets
  /// that are `known` are not computed. `anchors` are one for each picture, or none.
  void reset(std::span<const Image> contents, std::span<const Style> styles,
             std::span<const Image> initials, const KnownTargets& known = {},
             std::span<const Anchor> anchors = {});

  /// After reset(): gives the pictures the states that they had after so many iterations, as
  /// Plan::state() has them. Throws ErrorKind::input. Waits.
  void resume(std::int64_t iterations, std::span<const std::span<const float>> states);
  /// Iterations since reset().
  [[nodiscard]] std::int64_t iterations() const { return iterations_; }

  /// One iteration: losses and gradient of the current pictures, then one step of the optimiser.
  void step();
  /// Computes the losses of the current pictures, without changing them.
  void enqueue_evaluation();
  /// The losses that were computed last, one for each picture. Waits for them.
  [[nodiscard]] std::vector<Losses> losses();
  /// The losses of the current pictures. Waits.
  [[nodiscard]] std::vector<Losses> evaluate();
  /// Makes the current pictures those that the iterations so far amount to: themselves, or the mean of the
  /// iterates (Config::average).
  void show() { plan_.show(session_.backend(), iterations_); }
  /// Copies what show() shows to one of the plan's places.
  void put_aside(std::size_t place) { plan_.put_aside(session_.backend(), place, iterations_); }
  /// The n-th current picture, unclamped. Waits.
  [[nodiscard]] Image image(std::int64_t n = 0);
  /// The n-th of the pictures that Plan::best holds.
  [[nodiscard]] Image best_image(std::int64_t n = 0);

  /// What is computed and where it is kept.
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] Session& session() { return session_; }

 private:
  Session& session_;
  FittingTiles tiles_;
  Plan plan_;
  bool stepped_ = false;
  std::int64_t iterations_ = 0;
  std::unique_ptr<Recording> recorded_iteration_;
};

/// The shapes of style pictures.
std::vector<Shape> shapes_of(std::span<const Style> styles);

/// The losses of any picture against a content and styles.
Losses score(Session& session, const Config& config, const Image& image, const Image& content,
             std::span<const Style> styles);

/// The feature map of one layer by name, (H,W,C) in float.
struct Activation {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::vector<float> values;
};
Activation activation(Session& session, const Image& image, std::string_view layer);

/// The same of several layers, in the network's order, by one pass: `visit` is called with each as soon
/// as it is there, so that memory need not hold all of them.
void visit_activations(Session& session, const Image& image, std::span<const std::string> layers,
                       const std::function<void(std::string_view layer, Activation)>& visit);

}  // namespace impasto
