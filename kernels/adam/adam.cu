// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/adam/adam.hpp"
#include "kernels/adam/rung_1_naive.cuh"
#include "kernels/adam/rung_2_vectorised.cuh"
#include "kernels/common/tuning.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr std::array ladder = {
    AdamRung::of_pixels<AdamNaive>({.name = "rung_1_naive", .idea = "a thread for each value"}),
    AdamRung::of_pixels<AdamVectorised>(
        {.name = "rung_2_vectorised", .idea = "16 bytes a load", .ships = true}),
};

}  // namespace

std::span<const AdamRung> adam_ladder() { return ladder; }

void adam(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
          std::int64_t count, const AdamOptions& options, unsigned* blocks_done, Stream stream) {
  const MapSize size{.width = count / 3, .channels = 3};
  const AdamRung& rung = shipped_rung<float>(adam_ladder(), "adam", Arithmetic::fp32, size);
  rung.launch.f32(pixels, m, v, step, grad, count, options, blocks_done, stream);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
