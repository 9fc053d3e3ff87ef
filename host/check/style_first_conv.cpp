// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

// The map is the first feature map: the picture has its size and three channels.
namespace impasto {
namespace {

std::vector<OpCase> style_first_conv_cases(const Shape& map, std::int64_t /*out_channels*/,
                                           DataType storage) {
  std::vector<OpCase> cases;
  const Shape picture = with_channels(map, 3);
  const auto channels = static_cast<double>(map.channels);
  for (const GradientEpilogue& epilogue : epilogues) {
    const double maps = 1 + (epilogue.accumulate ? 1 : 0);
    cases.push_back(
        {.variant = describe(epilogue),
         .measured = epilogue.accumulate && epilogue.relu_mask,
         .epilogue = epilogue,
         .work = {.flops = (2 * channels + 54) * work::values(map),
                  .bytes =
                      maps * work::bytes(map, storage) + 4 * work::values(picture) +
                      work::width(style_matrix_type(storage, DataType::f32)) * work::matrices(map) +
                      4 * 27 * channels},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const std::shared_ptr<Conv> conv = bench.conv(3, map.channels);
           const Tensor grad_pixels = bench.master_output(picture);
           const Tensor grad = bench.gradient_output(map, epilogue, 1e-2F);
           const Tensor features = bench.features(map, 1);
           const Tensor matrix =
               bench.style_matrix(matrix_shape(map.batch, map.channels), 4, 1e-3F);
           return {[=, &on] {
                     on.style_first_conv_backward(grad_pixels, grad, features, matrix, *conv,
                                                  epilogue);
                   },
                   {grad_pixels, grad, features, matrix}};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> style_first_conv_operations() {
  return {{.name = "style_first_conv_backward",
           .layers = {"conv1_1"},
           .cases = style_first_conv_cases}};
}

}  // namespace impasto
