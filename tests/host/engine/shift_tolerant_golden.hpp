// SPDX-License-Identifier: MIT
// Printed by tests/host/engine/shift_tolerant_golden.py; PyTorch in double.
#pragma once

#include <array>
#include <string_view>

namespace impasto::test {

/// Sums of a map's values, of their squares, and of value i times cos(i + 1).
struct Golden {
  std::string_view name;
  std::array<double, 3> sums;
};

inline constexpr std::array<Golden, 8> golden_zero = {{
    {"conv1_1", {24860.2839727, 76936.8057502, 34.6915719195}},
    {"conv1_2", {26887.4276423, 102443.583629, 71.1498958264}},
    {"pool1", {17857.0116219, 71149.1636057, -92.5464616548}},
    {"conv2_1", {28719.969524, 197603.764195, 39.7163551131}},
    {"conv2_2", {34479.7495619, 295666.22469, -27.8774479982}},
    {"pool2", {16542.9239463, 154986.215101, -3.70407528722}},
    {"conv3_1", {31514.8662378, 369495.698282, -51.4067614138}},
    {"gradient of the pixels", {0.00392249336722, 4.84452104624e-06, 0.00216170656323}},
}};

inline constexpr std::array<Golden, 8> golden_replicate = {{
    {"conv1_1", {25702.5982327, 82476.1870154, 46.0072392486}},
    {"conv1_2", {27676.8534532, 107216.120584, 74.8223212693}},
    {"pool1", {18138.5571199, 73357.8788919, -99.4192335936}},
    {"conv2_1", {29133.6883682, 203143.543129, 35.9406031828}},
    {"conv2_2", {35024.9899233, 303733.157305, -53.790116506}},
    {"pool2", {16791.7029799, 159275.311893, -7.13242108283}},
    {"conv3_1", {31951.9127966, 379229.882157, -59.484678127}},
    {"gradient of the pixels", {0.00297064027849, 4.92819727162e-06, 0.00205075423284}},
}};

}  // namespace impasto::test
