// SPDX-License-Identifier: MIT
#include "host/optimizer/adam.hpp"

#include <algorithm>
#include <optional>

#include "host/image/resize.hpp"
#include "kernels/upsample/upsample.hpp"

namespace impasto {
namespace {

/// The shapes of a Laplacian pyramid's levels, the finest first: at most `count`, and none with a
/// side under 8.
std::vector<Shape> pyramid_shapes(const Shape& pixels, std::int64_t count) {
  constexpr std::int64_t least_side = 8;
  std::vector<Shape> shapes = {pixels};
  while (static_cast<std::int64_t>(shapes.size()) < count) {
    const Shape next = kernels::halved(shapes.back());
    if (std::min(next.height, next.width) < least_side) break;
    shapes.push_back(next);
  }
  return shapes;
}

class Adam final : public Optimizer {
 public:
  Adam(const AdamOptions& options, const Tensor& pixels, const OptimizerPlace& place)
      : options_(at_place(options, place)), free_(options_), place_(place) {
    free_.lowest = -std::numeric_limits<double>::infinity();
    free_.highest = std::numeric_limits<double>::infinity();
    for (const Shape& shape : pyramid_shapes(pixels.shape, place.pyramid_levels)) {
      levels_.push_back({state_.reserve(shape, pixels.type), state_.reserve(shape, pixels.type),
                         state_.reserve({}, DataType::i64)});
    }
  }

  /// The picture is x = z₀ + U(z₁ + U(z₂ + …)) with U of kernels/upsample, so the gradient of z_l is
  /// Uᵀ of that of z_{l−1}. The levels themselves need not be kept: a step of z₁, z₂, … moves x by
  /// what they add up to, and the step of z₀ moves x itself and keeps it in its bounds.
  ///
  /// Decorrelated, it is M times that (kernels/colour_map), so the gradient of z₀ is Mᵀ times that of x,
  /// and x moves by M times what the levels' steps add up to.
  void add_step(Schedule& schedule, TensorId pixels, const Evaluation& evaluation) const override {
    std::vector<TensorId> gradients = {evaluation.gradient()};
    if (place_.decorrelated) {
      const TensorId grad = gradients.back();
      gradients.back() = schedule.temporary(schedule[grad].shape, schedule[grad].type);
      add_colours(schedule, gradients.back(), grad, kernels::decorrelated_to_rgb.transposed(),
                  false);
    }
    for (std::size_t l = 1; l < levels_.size(); ++l) {
      const TensorId fine = gradients.back();
      const TensorId coarse = schedule.temporary(state_[levels_[l].m].shape, schedule[fine].type);
      schedule.add({.name = "pyramid", .operation = "upsample_transpose"}, {coarse, fine},
                   [=](Backend& backend, const Schedule& s) {
                     backend.upsample_transpose(s[coarse], s[fine]);
                   });
      gradients.push_back(coarse);
    }
    std::optional<TensorId> coarser;
    for (std::size_t l = levels_.size(); l-- > 0;) {
      const TensorId grad = gradients[l];
      const bool moves_pixels = l == 0 && !place_.decorrelated;
      const TensorId moved =
          moves_pixels ? pixels : schedule.temporary(schedule[grad].shape, schedule[grad].type);
      if (!moves_pixels) {
        schedule.add({.name = "pyramid", .operation = "fill_zero"}, {moved},
                     [=](Backend& backend, const Schedule& s) { backend.fill_zero(s[moved]); });
      }
      if (coarser) add_coarser(schedule, moved, *coarser);
      schedule.add({.name = "Adam", .operation = "adam"}, {moved, grad},
                   [=, this](Backend& backend, const Schedule& s) {
                     const Level& level = levels_[l];
                     backend.adam(s[moved], state_[level.m], state_[level.v], state_[level.step],
                                  s[grad], moves_pixels ? options_ : free_);
                   });
      coarser = moved;
    }
    if (!place_.decorrelated) return;
    add_colours(schedule, pixels, *coarser, kernels::decorrelated_to_rgb, true);
    if (place_.bounded) add_box(schedule, pixels);
  }

  OptimizerState state(Backend& backend) const override {
    OptimizerState state;
    for (const Level& level : levels_) {
      state.parts.push_back(read(backend, level.m));
      state.parts.push_back(read(backend, level.v));
    }
    keep_counter(backend, state_[levels_.front().step], state);
    return state;
  }

  /// The gradient of a mean over P pixels falls with 1/P, so the moments are scaled by it. A level
  /// that the coarser picture did not have starts with nothing.
  void resume(Backend& backend, const OptimizerState& coarser) const override {
    for (std::size_t l = 0; l < levels_.size() && 2 * l + 1 < coarser.parts.size(); ++l) {
      const OptimizerState::Part& m = coarser.parts[2 * l];
      const double scale = static_cast<double>(m.shape.pixels()) /
                           static_cast<double>(state_[levels_[l].m].shape.pixels());
      write(backend, levels_[l].m, m, ResizeFilter::cubic, scale);
      write(backend, levels_[l].v, coarser.parts[2 * l + 1], ResizeFilter::linear, scale * scale);
      backend.copy(state_[levels_[l].step], coarser.counter);
    }
  }

 private:
  struct Level {
    std::size_t m;
    std::size_t v;
    std::size_t step;
  };

  static void add_colours(Schedule& schedule, TensorId y, TensorId x, const ColourMatrix& matrix,
                          bool accumulate) {
    schedule.add({.name = "colours", .operation = "colour_map"}, {y, x},
                 [=](Backend& backend, const Schedule& s) {
                   backend.colour_map(s[y], s[x], matrix, accumulate);
                 });
  }

  static void add_coarser(Schedule& schedule, TensorId fine, TensorId coarse) {
    schedule.add(
        {.name = "pyramid", .operation = "upsample_add"}, {fine, coarse},
        [=](Backend& backend, const Schedule& s) { backend.upsample_add(s[fine], s[coarse]); });
  }

  OptimizerState::Part read(Backend& backend, std::size_t number) const {
    const Tensor& tensor = state_[number];
    OptimizerState::Part part{tensor.shape,
                              std::vector<float>(static_cast<std::size_t>(tensor.shape.count()))};
    backend.read(part.values, tensor);
    return part;
  }

  void write(Backend& backend, std::size_t number, const OptimizerState::Part& part,
             ResizeFilter filter, double scale) const {
    const Tensor& tensor = state_[number];
    const auto size = static_cast<std::ptrdiff_t>(part.shape.per_image());
    for (std::int64_t n = 0; n < tensor.shape.batch; ++n) {
      const auto first = part.values.begin() + n * size;
      std::vector<float> values =
          resample({first, first + size}, {part.shape.height, part.shape.width},
                   {tensor.shape.height, tensor.shape.width}, filter);
      for (float& value : values) value *= static_cast<float>(scale);
      backend.write(image_of(tensor, n), values);
    }
  }

  AdamOptions options_;
  AdamOptions free_;  ///< the same without bounds
  OptimizerPlace place_;
  std::vector<Level> levels_;  ///< the finest first
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const AdamOptions& options, const Tensor& pixels,
                                          const OptimizerPlace& place) {
  return std::make_unique<Adam>(options, pixels, place);
}

}  // namespace impasto
