// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "kernels/gram/rung_10_persistent.cuh"
#include "kernels/gram/rung_11_wgmma.cuh"
#include "kernels/gram/rung_6_split_pixels.cuh"
#include "kernels/gram/rung_7_tensor_cores.cuh"
#include "kernels/gram/rung_8_ldmatrix.cuh"
#include "kernels/gram/rung_9_pipeline.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The rungs of the Gram matrix with two stages, from rung 6 on. gram runs them as they are;
/// gram_loss puts a second stage of its own behind the first: Whole<Rung> is what launches one.
template <class OpRung, template <class TwoStages> class Whole>
constexpr auto two_stage_rungs() {
  constexpr auto tensor_cores = Arithmetic::tensor_cores;
  return std::array{
      OpRung::template of<Whole<GramSplitPixels>>(
          {.name = "rung_6_split_pixels",
           .idea = "blocks enough: the sum in splits, two stages",
           .ships = true}),
      OpRung::template of<Whole<GramTensorCores>>({.name = "rung_7_tensor_cores",
                                                   .idea = "mma.sync",
                                                   .arithmetic = tensor_cores,
                                                   .least_sm = 80}),
      OpRung::template of<Whole<GramLdmatrix>>({.name = "rung_8_ldmatrix",
                                                .idea = "swizzled slices, ldmatrix",
                                                .arithmetic = tensor_cores,
                                                .least_sm = 80}),
      OpRung::template of<Whole<GramPipeline>>({.name = "rung_9_pipeline",
                                                .idea = "cp.async, three or six stages",
                                                .arithmetic = tensor_cores,
                                                .least_sm = 80}),
      OpRung::template of<Whole<GramPersistent>>({.name = "rung_10_persistent",
                                                  .idea = "blocks that take several work tiles",
                                                  .arithmetic = tensor_cores,
                                                  .least_sm = 80,
                                                  .persistent = true,
                                                  .ships = true}),
      OpRung::template of_16_bit<Whole<GramWgmma>>({.name = "rung_11_wgmma",
                                                    .idea = "TMA and wgmma",
                                                    .arithmetic = tensor_cores,
                                                    .least_sm = 90,
                                                    .sm_90a = true,
                                                    .persistent = true}),
  };
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
