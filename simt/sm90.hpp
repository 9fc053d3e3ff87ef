// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// What the instructions of ptx_sm90.hpp, tensor_map.hpp and the machine speak of alike.
namespace simt {

enum class Element : std::uint8_t { bf16, f16 };
inline constexpr std::size_t element_bytes = 2;

/// A tensor of three dimensions in global memory, the innermost first, without gaps, and the box
/// of it that one copy moves. A box's innermost extent is a tile's row, 128 bytes.
struct TensorBox {
  std::array<std::uint64_t, 3> size;
  std::array<std::uint32_t, 3> box;
};

/// A barrier in shared memory whose phase ends when as many have arrived as init said, and as many
/// bytes as they announced.
struct Mbarrier {
  std::uint64_t state;
};

/// Which way a product's factors lie in their tiles: a tile's row is a row of A, or a column of B,
/// of which it has K; or it is one K, of which it has 64 rows of A, or columns of B.
enum class Major : std::uint8_t { along_k, across_k };

/// Where a factor is, as wgmma is told. The chunks of its tile's rows are exchanged.
struct Factor {
  std::uint64_t bits;
};

}  // namespace simt
