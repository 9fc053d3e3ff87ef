// SPDX-License-Identifier: MIT
#include "host/optimizer/adam.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <vector>

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
    const std::vector<Shape> shapes = pyramid_shapes(pixels.shape, place.pyramid_levels);
    if (place.files != nullptr && shapes.size() == 1 && !place.decorrelated) {
      file_moments(pixels);
      return;
    }
    for (const Shape& shape : shapes) {
      const Strips strips = levels_.empty() ? place.strips : Strips();
      const Tensor level{nullptr, shape, pixels.type};
      levels_.push_back({shape, strips, reserve_rows(strips, shape, pixels.type),
                         reserve_rows(strips, shape, pixels.type),
                         state_.reserve({.batch = std::ssize(strips.own(level))}, DataType::i64)});
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
    if (filed_) {
      add_filed_step(schedule, pixels, gradients.back());
      return;
    }
    if (place_.decorrelated) {
      const TensorId grad = gradients.back();
      gradients.back() = schedule.temporary(schedule[grad].shape, schedule[grad].type);
      add_colours(schedule, gradients.back(), grad, kernels::decorrelated_to_rgb.transposed(),
                  false);
    }
    for (std::size_t l = 1; l < levels_.size(); ++l) {
      const TensorId fine = gradients.back();
      const TensorId coarse = schedule.temporary(levels_[l].shape, schedule[fine].type);
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
      if (!moves_pixels) add_zeros(schedule, "pyramid", moved);
      if (coarser) add_coarser(schedule, moved, *coarser);
      schedule.add({.name = "Adam", .operation = "adam"}, {moved, grad},
                   [=, this](Backend& backend, const Schedule& s) {
                     const Level& level = levels_[l];
                     for (const OwnPart& part : own_parts(level.strips, s[moved], s[grad])) {
                       backend.adam(part.x, part.of(state_[level.m]), part.of(state_[level.v]),
                                    part.of(state_[level.steps]), part.grad,
                                    moves_pixels ? options_ : free_);
                     }
                   });
      coarser = moved;
    }
    if (!place_.decorrelated) return;
    add_colours(schedule, pixels, *coarser, kernels::decorrelated_to_rgb, true);
    if (place_.bounded) add_box(schedule, pixels);
  }

  [[nodiscard]] bool reads_whole_gradient() const override { return levels_.size() > 1; }

  OptimizerState state(Backend& backend, const Tensor& room) const override {
    OptimizerState state;
    for (const Level& level : levels_) {
      for (const std::size_t moment : {level.m, level.v}) {
        state.parts.push_back(
            filed_ ? read_filed(moment)
                   : read(backend, level.strips.whole(backend, state_[moment], room)));
      }
    }
    keep_counter(backend, state_[levels_.front().steps], state);
    return state;
  }

  [[nodiscard]] std::vector<std::size_t> filed() const override {
    if (!filed_) return {};
    return {levels_.front().m, levels_.front().v};
  }

  /// The gradient of a mean over P pixels falls with 1/P, so the moments are scaled by it. A level
  /// that the coarser picture did not have starts with nothing.
  void resume(Backend& backend, const OptimizerState& coarser) const override {
    for (std::size_t l = 0; l < levels_.size() && 2 * l + 1 < coarser.parts.size(); ++l) {
      const OptimizerState::Part& m = coarser.parts[2 * l];
      const double scale =
          static_cast<double>(m.shape.pixels()) / static_cast<double>(levels_[l].shape.pixels());
      write(backend, levels_[l], levels_[l].m, m, ResizeFilter::cubic, scale);
      write(backend, levels_[l], levels_[l].v, coarser.parts[2 * l + 1], ResizeFilter::linear,
            scale * scale);
      resume_counter(backend, state_[levels_[l].steps], coarser);
    }
  }

 private:
  struct Level {
    Shape shape;
    Strips strips;
    std::size_t m;  ///< of the own rows, as v; where it is filed, among the files' tensors
    std::size_t v;
    std::size_t steps;
  };

  /// Of the rows that a step reads from the file at once.
  static constexpr std::size_t band_bytes = std::size_t{16} << 20U;

  void file_moments(const Tensor& pixels) {
    filed_ = true;
    const std::size_t row = rows_of(image_of(pixels, 0), 0, 1).bytes();
    band_height_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(band_bytes / row), 1,
                                            pixels.shape.height);
    const std::int64_t bands = (pixels.shape.height + band_height_ - 1) / band_height_;
    levels_.push_back({pixels.shape,
                       {},
                       place_.files->reserve(pixels.shape, pixels.type),
                       place_.files->reserve(pixels.shape, pixels.type),
                       state_.reserve({.batch = pixels.shape.batch * bands}, DataType::i64)});
  }

  /// A step of each band of rows by itself, with a counter of its own: each value's step is its own.
  void add_filed_step(Schedule& schedule, TensorId pixels, TensorId grad) const {
    Shape band = schedule[pixels].shape;
    band.batch = 1;
    band.height = band_height_;
    const TensorId m = schedule.temporary(band, schedule[pixels].type);
    const TensorId v = schedule.temporary(band, schedule[pixels].type);
    schedule.add({.name = "Adam", .operation = "adam"}, {pixels, grad, m, v},
                 [=, this](Backend& backend, const Schedule& s) {
                   std::int64_t counter = 0;
                   const Shape& shape = s[pixels].shape;
                   for (std::int64_t n = 0; n < shape.batch; ++n) {
                     for (std::int64_t top = 0; top < shape.height; top += band_height_) {
                       step_band(backend, rows_in(s[pixels], n, top), rows_in(s[grad], n, top),
                                 s[m], s[v], {.image = n, .top = top, .counter = counter++});
                     }
                   }
                 });
  }
  [[nodiscard]] Tensor rows_in(const Tensor& pictures, std::int64_t n, std::int64_t top) const {
    return rows_of(image_of(pictures, n), top, std::min(band_height_, pictures.shape.height - top));
  }
  struct Band {
    std::int64_t image;
    std::int64_t top;
    std::int64_t counter;
  };
  void step_band(Backend& backend, const Tensor& x, const Tensor& g, const Tensor& room_of_m,
                 const Tensor& room_of_v, const Band& band) const {
    const Level& level = levels_.front();
    const Tensor m = rows_of(room_of_m, 0, x.shape.height);
    const Tensor v = rows_of(room_of_v, 0, x.shape.height);
    const auto place = [&](std::size_t number) {
      return FiledTensors::Place{number, band.image, {band.top, 0}};
    };
    const FiledTensors& files = *place_.files;
    if (x) files.read(backend, m, place(level.m));
    if (x) files.read(backend, v, place(level.v));
    backend.adam(x, m, v, image_of(state_[level.steps], band.counter), g, options_);
    if (x) files.write(backend, place(level.m), m);
    if (x) files.write(backend, place(level.v), v);
  }

  [[nodiscard]] OptimizerState::Part read_filed(std::size_t moment) const {
    const Shape& shape = levels_.front().shape;
    OptimizerState::Part part{shape, std::vector<float>(static_cast<std::size_t>(shape.count()))};
    const auto size = static_cast<std::size_t>(shape.per_image());
    for (std::int64_t n = 0; n < shape.batch; ++n) {
      place_.files->read(std::span(part.values).subspan(static_cast<std::size_t>(n) * size, size),
                         moment, n);
    }
    return part;
  }

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

  static OptimizerState::Part read(Backend& backend, const Tensor& tensor) {
    OptimizerState::Part part{tensor.shape,
                              std::vector<float>(static_cast<std::size_t>(tensor.shape.count()))};
    backend.read(part.values, tensor);
    return part;
  }

  void write(Backend& backend, const Level& level, std::size_t number,
             const OptimizerState::Part& part, ResizeFilter filter, double scale) const {
    const Shape& shape = level.shape;
    const std::int64_t above = level.strips.top() * shape.width * shape.channels;
    const auto size = static_cast<std::ptrdiff_t>(part.shape.per_image());
    for (std::int64_t n = 0; n < shape.batch; ++n) {
      const auto first = part.values.begin() + n * size;
      std::vector<float> values =
          resample({first, first + size}, {part.shape.height, part.shape.width},
                   {shape.height, shape.width}, filter);
      for (float& value : values) value *= static_cast<float>(scale);
      if (filed_) {
        place_.files->write(number, n, values);
        continue;
      }
      const Tensor& tensor = state_[number];
      const auto rows = std::span(values).subspan(
          static_cast<std::size_t>(above), static_cast<std::size_t>(tensor.shape.per_image()));
      backend.write(image_of(tensor, n), rows);
    }
  }

  AdamOptions options_;
  AdamOptions free_;  ///< the same without bounds
  OptimizerPlace place_;
  std::vector<Level> levels_;  ///< the finest first
  bool filed_ = false;         ///< whether the moments are in a file
  std::int64_t band_height_ = 0;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const AdamOptions& options, const Tensor& pixels,
                                          const OptimizerPlace& place) {
  return std::make_unique<Adam>(options, pixels, place);
}

}  // namespace impasto
