// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "kernels/crop/crop.hpp"

namespace impasto::test {

struct CropCase {
  kernels::MapSize whole;
  kernels::MapSize part;
  kernels::Corner corner;
};

/// All of a map, its corners, a row, a column and a pixel of it; one and several images, channels that
/// fill a vector and that do not, and a map large enough for several threads.
inline constexpr std::array crop_cases = {CropCase{{1, 1, 1, 1}, {1, 1, 1, 1}, {0, 0}},
                                          CropCase{{2, 3, 5, 7}, {2, 3, 5, 7}, {0, 0}},
                                          CropCase{{2, 3, 5, 7}, {2, 2, 3, 7}, {0, 0}},
                                          CropCase{{3, 4, 7, 1}, {3, 2, 3, 1}, {2, 4}},
                                          CropCase{{1, 6, 5, 8}, {1, 1, 5, 8}, {3, 0}},
                                          CropCase{{2, 6, 5, 16}, {2, 6, 1, 16}, {0, 2}},
                                          CropCase{{2, 7, 9, 8}, {2, 1, 1, 8}, {6, 8}},
                                          CropCase{{1, 31, 29, 64}, {1, 17, 13, 64}, {5, 11}}};

}  // namespace impasto::test
