// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>

#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// A sum of K products in float is off by about 0.2 u sqrt(K) of the sums' RMS, u = 2^-24; the worst
/// of a million sums by 25 times as much. So the limits of float grow with sqrt(K) from 32 channels
/// on; those of 16 bits come from the rounded inputs, which K does not change. Where a ReLU or its
/// mask leaves half of the sums, the RMS of all and that of their errors are sqrt(2) times smaller,
/// but the worst error is the same.
ErrorLimit conv_limit(Precision precision, std::int64_t summed_channels, bool half_are_zero) {
  ErrorLimit limit = error_limit(precision);
  if (precision == Precision::fp32 || precision == Precision::winograd) {
    const double growth = std::sqrt(std::max(1.0, static_cast<double>(summed_channels) / 32));
    limit.rms *= growth;
    limit.worst *= half_are_zero ? growth * std::numbers::sqrt2 : growth;
  }
  return limit;
}

/// Of either direction.
work::Work conv_work(const Shape& x, const Shape& y, DataType storage) {
  const double filters = 9.0 * static_cast<double>(x.channels * y.channels);
  return {
      .flops = 2 * filters * static_cast<double>(y.batch * y.pixels()),
      .bytes = work::bytes(x, storage) + work::bytes(y, storage) + work::width(storage) * filters};
}

std::vector<OpCase> conv_forward_cases(const Shape& x, std::int64_t out_channels,
                                       DataType storage) {
  const Shape y = with_channels(x, out_channels);
  std::vector<OpCase> cases;
  for (const bool relu : {true, false}) {
    cases.push_back(
        {.variant = fmt::format("to {}, {}", out_channels, relu ? "ReLU" : "linear"),
         .measured = relu,
         .work = conv_work(x, y, storage),
         .limit = [=](Precision precision) { return conv_limit(precision, x.channels, relu); },
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const std::shared_ptr<Conv> conv = bench.conv(x.channels, y.channels);
           const Tensor from = bench.features(x, 1);
           const Tensor to = bench.map_output(y);
           return {[=, &on] { on.conv_forward(to, from, *conv, relu); }, {to, from}};
         }});
  }
  return cases;
}

std::vector<OpCase> conv_data_gradient_cases(const Shape& x, std::int64_t out_channels,
                                             DataType storage) {
  const Shape y = with_channels(x, out_channels);
  std::vector<OpCase> cases;
  for (const GradientEpilogue& epilogue : epilogues) {
    work::Work work = conv_work(x, y, storage);
    work.bytes += maps_read(epilogue) * work::bytes(x, storage);
    const bool written = !epilogue.accumulate && epilogue.relu_mask;  // as below no style layer
    cases.push_back(
        {.variant = fmt::format("from {}, {}", out_channels, describe(epilogue)),
         .measured = written,
         .epilogue = epilogue,
         .work = work,
         .limit =
             [=](Precision precision) {
               return conv_limit(precision, y.channels, epilogue.relu_mask);
             },
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const std::shared_ptr<Conv> conv = bench.conv(x.channels, y.channels);
           const Tensor grad_x = bench.gradient_output(x, epilogue);
           const Tensor grad_y = bench.gradient(y, 2);
           const Tensor features = bench.features(x, 1);
           return {[=, &on] { on.conv_data_gradient(grad_x, grad_y, features, *conv, epilogue); },
                   {grad_x, grad_y, features}};
         }});
  }
  return cases;
}

std::vector<std::string_view> conv_layers() {
  return {"conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3",
          "conv3_4", "conv4_1", "conv4_2", "conv4_3", "conv4_4", "conv5_1"};
}

}  // namespace

std::vector<Operation> conv_operations() {
  return {{.name = "conv_forward",
           .layers = conv_layers(),
           .widens = true,
           .cases = conv_forward_cases},
          {.name = "conv_data_gradient",
           .layers = conv_layers(),
           .widens = true,
           .cases = conv_data_gradient_cases}};
}

}  // namespace impasto
