// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/filed_tensors.hpp"
#include "host/backend/strips.hpp"
#include "host/backend/tensor_block.hpp"
#include "host/model/schedule.hpp"

namespace impasto {

/// Why an optimiser has nothing left to do with a picture.
using EndReason = kernels::LbfgsEnd;

/// An optimiser's state on its way from a coarser picture to a finer one.
struct OptimizerState {
  struct Part {
    Shape shape;
    std::vector<float> values;
  };
  std::vector<Part> parts;
  Buffer counter_memory;
  Tensor counter;  ///< one i64, on the device
};

/// Moves the pixels along their gradient. It owns its state, on the device, and must outlive the
/// schedules that it adds to.
class Optimizer {
 public:
  Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  /// The memory of its state, to be bound before any schedule runs.
  [[nodiscard]] std::size_t bytes() const { return state_.bytes(); }
  void bind(void* memory) { state_.bind(memory); }
  /// Enqueues what puts its state back to zero steps.
  virtual void reset(Backend& backend) const;
  struct StatePart {
    Tensor tensor;
    bool is_strip;  ///< the own rows of pictures, where other devices have the others
  };
  /// What it keeps of the n-th of N pictures, and what it keeps for all of them.
  [[nodiscard]] std::vector<StatePart> state_of(std::int64_t n, std::int64_t N) const;
  /// The numbers of its tensors in OptimizerPlace::files, which are like the pixels.
  [[nodiscard]] virtual std::vector<std::size_t> filed() const { return {}; }
  /// Its state, for resume(). Uses up `room`, a tensor like the pixels. Waits.
  [[nodiscard]] virtual OptimizerState state(Backend& /*backend*/, const Tensor& /*room*/) const {
    return {};
  }
  /// After reset(): takes over what it can use of the state of the same optimiser for a coarser
  /// picture.
  virtual void resume(Backend& /*backend*/, const OptimizerState& /*coarser*/) const {}

  struct Evaluation {
    /// Appends losses and gradient of the pixels as they are at that point of the schedule; returns
    /// the gradient.
    std::function<TensorId()> gradient;
    /// Appends the sum of these losses, which is minimised: (N).
    std::function<TensorId()> loss = {};
  };
  /// Appends one step, of the own rows at least. It evaluates as often as it needs; the first evaluation's
  /// losses are the step's. All of it is one schedule, so one recording.
  virtual void add_step(Schedule& schedule, TensorId pixels,
                        const Evaluation& evaluation) const = 0;

  /// Whether a step needs the gradient of rows that are not its own.
  [[nodiscard]] virtual bool reads_whole_gradient() const { return true; }

  /// Why steps change pictures no more, in the state: (N,2), for each an EndReason and the steps
  /// before it. Null where that never happens.
  [[nodiscard]] virtual const Tensor* ended() const { return nullptr; }

 protected:
  /// Room in `state_` for the own rows of pictures; returns the tensor's number.
  std::size_t reserve_rows(const Strips& strips, const Shape& pictures, DataType type);

  /// Own rows of pictures, dense, and of their gradient: one of `count` parts.
  struct OwnPart {
    Tensor x;
    Tensor grad;
    std::int64_t number;
    std::int64_t count;
    /// The same part of what is kept of all pictures.
    [[nodiscard]] Tensor of(const Tensor& kept) const { return part_of(kept, number, count); }
  };
  static std::vector<OwnPart> own_parts(const Strips& strips, const Tensor& pixels,
                                        const Tensor& gradient);

  /// A copy of a counter of steps, one of the i64 of `state_`, which are alike, for `state`; and back.
  static void keep_counter(Backend& backend, const Tensor& counters, OptimizerState& state);
  static void resume_counter(Backend& backend, const Tensor& counters, const OptimizerState& state);

  TensorBlock state_;

 private:
  std::set<std::size_t> strips_of_state_;  ///< the tensors that have the own rows alone
};

/// The settings of every optimiser: a new one is a file beside Adam's and a row here.
using OptimizerSettings = std::variant<AdamOptions, LbfgsOptions, DescentOptions>;

/// Whether an optimiser with these settings may have nothing left to do (Optimizer::ended).
bool may_end(const OptimizerSettings& settings);

/// What an optimiser is told of the place where it works.
struct OptimizerPlace {
  double gradient_scale = 1;        ///< gradients come multiplied by this
  std::int64_t pyramid_levels = 1;  ///< of the picture; 1: its pixels are optimised
  bool decorrelated = false;        ///< colours, as kernels/colour_map has them, are optimised
  bool bounded = false;             ///< every step ends within box_lowest to box_highest
  Strips strips = {};               ///< the rows that it moves
  /// Where it may keep what is as large as the picture and read once a step; null: nowhere.
  FiledTensors* files = nullptr;
};

/// The range of pixels.
inline constexpr double box_lowest = 0;
inline constexpr double box_highest = 255;

/// The options of an optimiser whose step keeps pixels in a range by itself, as they are at its place.
template <class Options>
Options at_place(Options options, const OptimizerPlace& place) {
  options.gradient_scale = place.gradient_scale;
  if (place.bounded) {
    options.lowest = box_lowest;
    options.highest = box_highest;
  }
  return options;
}

/// Appends what brings pixels into their range.
void add_box(Schedule& schedule, TensorId pixels);

/// Throws ErrorKind::usage where a pyramid or decorrelated colours are asked for of an optimiser that
/// knows pixels alone.
void require_pixels(std::string_view optimizer, const OptimizerPlace& place);

/// The optimiser for `pixels`.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, const Tensor& pixels,
                                          const OptimizerPlace& place);

}  // namespace impasto
