// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/conv/conv.hpp"

namespace impasto::test {

/// weight'[c,r,s,k] = weight[k,2−r,2−s,c], as kernels/conv/conv.hpp says.
template <class Buffer>
Buffer rotated_filters(const Buffer& weight, const kernels::ConvSize& size) {
  const std::int64_t C = size.in_channels;
  const std::int64_t K = size.out_channels;
  Buffer rotated(9 * C * K);
  for (std::int64_t c = 0; c < C; ++c) {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      for (std::int64_t k = 0; k < K; ++k) {
        rotated.data()[(c * 9 + tap) * K + k] = weight.data()[(k * 9 + 8 - tap) * C + c];
      }
    }
  }
  return rotated;
}

}  // namespace impasto::test
