// SPDX-License-Identifier: MIT
#include "benchmarks/ladder/contender.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

const std::vector<Op>& ops() {
  static const std::vector<Op> all = {
      {"gram", false, gram_contenders},
      {"gram_loss", false, gram_loss_contenders},
      {"style_backward", false, style_backward_contenders},
      {"content_loss", false, content_loss_contenders},
      {"pool_backward", false, pool_backward_contenders},
      {"first_conv_forward", false, first_conv_forward_contenders},
      {"first_conv_backward", false, first_conv_backward_contenders},
      {"total_variation", true, total_variation_contenders},
      {"adam", true, adam_contenders},
  };
  return all;
}

}  // namespace impasto::bench::IMPASTO_DEVICE
