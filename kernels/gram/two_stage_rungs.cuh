// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "kernels/gram/rung_10_ldmatrix.cuh"
#include "kernels/gram/rung_11_pipeline.cuh"
#include "kernels/gram/rung_12_persistent.cuh"
#include "kernels/gram/rung_13_wgmma.cuh"
#include "kernels/gram/rung_6_split_pixels.cuh"
#include "kernels/gram/rung_7_larger_register_tile.cuh"
#include "kernels/gram/rung_8_prefetch.cuh"
#include "kernels/gram/rung_9_tensor_cores.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The rungs of the Gram matrix with two stages, from rung 6 on. gram runs them as they are;
/// gram_loss puts a second stage of its own behind the first: Whole<Rung> is what launches one.
template <class OpRung, template <class TwoStages> class Whole>
constexpr auto two_stage_rungs() {
  constexpr auto tensor_cores = Arithmetic::tensor_cores;
  return std::array{
      OpRung::template of<Whole<GramSplitPixels>>(
          {.name = "rung_6_split_pixels", .idea = "blocks enough: the sum in splits, two stages"}),
      OpRung::template of<Whole<GramLargerRegisterTile>>(
          {.name = "rung_7_larger_register_tile", .idea = "64 multiply-adds for 16 shared values"}),
      OpRung::template of<Whole<GramPrefetch>>({.name = "rung_8_prefetch",
                                                .idea = "the next slice on its way to registers",
                                                .ships = true}),
      OpRung::template of<Whole<GramTensorCores>>({.name = "rung_9_tensor_cores",
                                                   .idea = "mma.sync",
                                                   .arithmetic = tensor_cores,
                                                   .least_sm = 80}),
      OpRung::template of<Whole<GramLdmatrix>>({.name = "rung_10_ldmatrix",
                                                .idea = "swizzled slices, ldmatrix",
                                                .arithmetic = tensor_cores,
                                                .least_sm = 80}),
      OpRung::template of<Whole<GramPipeline>>({.name = "rung_11_pipeline",
                                                .idea = "cp.async, three or six stages",
                                                .arithmetic = tensor_cores,
                                                .least_sm = 80}),
      OpRung::template of<Whole<GramPersistent>>({.name = "rung_12_persistent",
                                                  .idea = "blocks that take several work tiles",
                                                  .arithmetic = tensor_cores,
                                                  .least_sm = 80,
                                                  .persistent = true,
                                                  .ships = true}),
      OpRung::template of_16_bit<Whole<GramWgmma>>({.name = "rung_13_wgmma",
                                                    .idea = "TMA and wgmma",
                                                    .arithmetic = tensor_cores,
                                                    .least_sm = 90,
                                                    .sm_90a = true,
                                                    .persistent = true}),
  };
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
