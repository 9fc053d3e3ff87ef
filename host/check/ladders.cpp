// SPDX-License-Identifier: MIT
#include "host/check/ladders.hpp"

#include <algorithm>
#include <span>

#include "kernels/adam/adam.hpp"
#include "kernels/content_loss/content_loss.hpp"
#include "kernels/conv/conv.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram_loss/gram_loss.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/total_variation/total_variation.hpp"

namespace impasto::IMPASTO_DEVICE {
namespace {

template <class OpRung>
Ladder ladder(std::string_view op, std::span<const OpRung> rungs) {
  const auto& known = operations();
  Ladder ladder{*std::find_if(known.begin(), known.end(),
                              [&](const Operation& each) { return each.name == op; }),
                {}};
  for (const OpRung& rung : rungs) {
    const bool tensor_cores = rung.arithmetic == kernels::Arithmetic::tensor_cores;
    const Precision of_floats = tensor_cores ? Precision::tf32 : Precision::fp32;
    if (rung.launch.f32) ladder.rungs[of_floats].push_back(rung);
    if (rung.launch.bf16) ladder.rungs[Precision::bf16].push_back(rung);
    if (rung.launch.fp16) ladder.rungs[Precision::fp16].push_back(rung);
  }
  return ladder;
}

}  // namespace

std::vector<Ladder> ladders() {
  namespace device = kernels::IMPASTO_DEVICE;
  return {
      ladder("gram", device::gram_ladder()),
      ladder("gram_loss", device::gram_loss_ladder()),
      ladder("style_backward", device::style_backward_ladder()),
      ladder("content_loss", device::content_loss_ladder()),
      ladder("pool_backward", device::pool_backward_ladder()),
      ladder("first_conv_forward", device::first_conv_forward_ladder()),
      ladder("first_conv_backward", device::first_conv_backward_ladder()),
      ladder("conv_forward", device::conv_forward_ladder()),
      ladder("conv_data_gradient", device::conv_data_gradient_ladder()),
      ladder("total_variation", device::total_variation_ladder()),
      ladder("adam", device::adam_ladder()),
  };
}

}  // namespace impasto::IMPASTO_DEVICE
