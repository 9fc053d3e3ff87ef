// SPDX-License-Identifier: MIT
#include "benchmarks/rung_work.hpp"

#include <array>
#include <functional>
#include <iterator>
#include <span>

#include "benchmarks/axes.hpp"
#include "kernels/adam/ladder.hpp"
#include "kernels/content_loss/ladder.hpp"
#include "kernels/first_conv/ladder.hpp"
#include "kernels/gram/ladder.hpp"
#include "kernels/gram_loss/ladder.hpp"
#include "kernels/pixel_update/ladder.hpp"
#include "kernels/pool/ladder.hpp"
#include "kernels/style_backward/ladder.hpp"
#include "kernels/total_variation/ladder.hpp"

namespace impasto::work {
namespace {

using kernels::Arithmetic;
namespace ladders = kernels::emulated;  // the same rungs as a GPU's

/// An operation as the functions of the work model know it.
struct Model {
  std::string_view op;
  std::vector<std::string_view> layers;  ///< {"pixels"}: on pictures
  std::function<Work(const Shape&, DataType)> least;
  std::function<Traffic(std::string_view rung, const Shape&, DataType)> traffic;
  /// Where rungs execute more or less than the operation needs.
  std::function<double(std::string_view rung, const Shape&)> flops = {};
};

struct Precision {
  std::string_view name;
  DataType type;
  Arithmetic ships;  ///< what a backend of that precision multiplies in
};
constexpr std::array<Precision, 3> precisions = {
    {{"fp32", DataType::f32, Arithmetic::fp32},
     {"tf32", DataType::f32, Arithmetic::tensor_cores},
     {"bf16", DataType::bf16, Arithmetic::tensor_cores}}};

template <class OpRung>
bool offered(const OpRung& rung, DataType type) {
  return type == DataType::f32 ? kernels::offers<float>(rung.launch)
                               : kernels::offers<kernels::bfloat16>(rung.launch);
}

/// The last that is not for one architecture alone ships; of a ladder that multiplies no matrices,
/// whatever the precision.
template <class OpRung>
std::string_view shipped(std::span<const OpRung> ladder, const Precision& precision) {
  std::string_view name;
  for (const auto wanted : {Arithmetic::fp32, precision.ships}) {
    for (const OpRung& rung : ladder) {
      if (rung.arithmetic == wanted && !rung.sm_90a && offered(rung, precision.type)) {
        name = rung.name;
      }
    }
  }
  return name;
}

template <class OpRung>
void append(std::vector<RungWork>& works, std::int64_t size, const Model& model,
            std::span<const OpRung> ladder) {
  const bool on_pixels = model.layers.front() == "pixels";
  const std::array<std::string, 1> text = {std::to_string(size)};
  for (const bench::NamedShape& shape : bench::shapes_of(text, model.layers, on_pixels)) {
    for (const Precision& precision : precisions) {
      for (const OpRung& rung : ladder) {
        // A float map's precision is how it is multiplied; 16-bit ones are multiplied either way.
        const bool named = precision.type != DataType::f32 || rung.arithmetic == precision.ships;
        if (!named || !offered(rung, precision.type)) continue;
        const Work least = model.least(shape.size, precision.type);
        const kernels::Rung& about = rung;
        works.push_back({model.op, shape.name, precision.name, about,
                         rung.name == shipped(ladder, precision),
                         model.flops ? model.flops(rung.name, shape.size) : least.flops,
                         model.traffic(rung.name, shape.size, precision.type), least});
      }
    }
  }
}

/// Of a loss that follows a Gram matrix the rungs execute what Gram's do.
double gram_loss_flops(std::string_view /*rung*/, const Shape& map) {
  return gram_flops("rung_8_tensor_cores_split", map) + style_loss(map.channels, map.batch).flops;
}

}  // namespace

std::vector<RungWork> rung_works(std::int64_t size) {
  const std::vector<std::string_view> at_styles(bench::style_layers.begin(),
                                                bench::style_layers.end());
  // As benchmarks/ladder/ measures them, and as they stand in an iteration.
  constexpr GradientEpilogue joined{.accumulate = true, .relu_mask = true};
  constexpr GradientEpilogue masked{.accumulate = false, .relu_mask = true};
  constexpr PoolKind pool{kernels::PoolMode::max, kernels::PoolRounding::up};
  std::vector<RungWork> works;
  append(works, size, {"gram", at_styles, gram, gram_traffic, gram_flops}, ladders::gram_ladder());
  append(works, size, {"gram_loss", at_styles, gram_loss, gram_loss_traffic, gram_loss_flops},
         ladders::gram_loss_ladder());
  append(works, size,
         {"style_backward", at_styles,
          [=](const Shape& map, DataType type) { return style_backward(map, type, joined); },
          [=](std::string_view rung, const Shape& map, DataType type) {
            return style_backward_traffic(rung, map, type, joined);
          }},
         ladders::style_backward_ladder());
  append(works, size,
         {"content_loss",
          {"conv4_2"},
          [=](const Shape& map, DataType type) { return content_loss(map, type, masked); },
          [=](std::string_view rung, const Shape& map, DataType type) {
            return content_loss_traffic(rung, map, type, masked);
          }},
         ladders::content_loss_ladder());
  append(works, size,
         {"pool_backward",
          {"conv1_2", "conv2_2", "conv3_4", "conv4_4"},
          [=](const Shape& x, DataType type) {
            return pool_backward(x, kernels::pooled(x, pool.rounding), type, pool, masked);
          },
          [=](std::string_view rung, const Shape& x, DataType type) {
            return pool_backward_traffic(rung, x, type, pool, masked);
          }},
         ladders::pool_backward_ladder());
  append(works, size, {"first_conv_forward", {"conv1_1"}, first_conv, first_conv_forward_traffic},
         ladders::first_conv_forward_ladder());
  append(works, size, {"first_conv_backward", {"conv1_1"}, first_conv, first_conv_backward_traffic},
         ladders::first_conv_backward_ladder());
  append(works, size,
         {"total_variation",
          {"pixels"},
          [](const Shape& pixels, DataType) { return total_variation(pixels); },
          [](std::string_view rung, const Shape& pixels, DataType) {
            return total_variation_traffic(rung, pixels);
          }},
         ladders::total_variation_ladder());
  append(works, size,
         {"adam",
          {"pixels"},
          [](const Shape& pixels, DataType) { return adam(pixels); },
          [](std::string_view rung, const Shape& pixels, DataType) {
            return adam_traffic(rung, pixels);
          }},
         ladders::adam_ladder());
  append(works, size,
         {"pixel_update",
          {"pixels"},
          [](const Shape& pixels, DataType) { return pixel_update(pixels); },
          [](std::string_view rung, const Shape& pixels, DataType) {
            return pixel_update_traffic(rung, pixels);
          }},
         ladders::pixel_update_ladder());
  return works;
}

}  // namespace impasto::work
