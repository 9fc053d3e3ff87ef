// SPDX-License-Identifier: MIT
#include <array>
#include <bit>
#include <cstring>

#include "simt/half.hpp"
#include "simt/machine.hpp"
#include "simt/ptx.hpp"

namespace simt {
namespace {

/// One lane's registers in a product.
struct Fragment {
  float* d;
  const std::uint32_t* a;
  const std::uint32_t* b;
};

/// The two 16-bit halves of registers, spread over a matrix of the warp.
using Decode = float (*)(std::uint16_t);

float lower(std::uint32_t pair, Decode decode) { return decode(static_cast<std::uint16_t>(pair)); }
float upper(std::uint32_t pair, Decode decode) {
  return decode(static_cast<std::uint16_t>(pair >> 16U));
}

/// D += A·B from whole matrices. Products are exact in double; the machine says how they are added.
template <unsigned K>
void multiply(Lanes& lanes, const std::array<std::array<float, K>, 16>& A,
              const std::array<std::array<float, 8>, K>& B) {
  const TensorCoreSum& sum = Machine::get().tensor_core_sum();
  std::array<double, K> products{};
  for (unsigned lane = 0; lane < 32; ++lane) {
    float* d = static_cast<Fragment*>(lanes[lane])->d;
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned row = lane / 4 + (i / 2) * 8;
      const unsigned column = 2 * (lane % 4) + i % 2;
      for (unsigned k = 0; k < K; ++k) products[k] = static_cast<double>(A[row][k]) * B[k][column];
      d[i] = sum.add(d[i], products);
    }
  }
}

void multiply_16_bit(Lanes& lanes, const void* argument) {
  const Decode decode = *static_cast<const Decode*>(argument);
  std::array<std::array<float, 16>, 16> A{};
  std::array<std::array<float, 8>, 16> B{};
  for (unsigned lane = 0; lane < 32; ++lane) {
    const auto& own = *static_cast<const Fragment*>(lanes[lane]);
    const unsigned group = lane / 4;
    const unsigned pair = 2 * (lane % 4);
    for (unsigned i = 0; i < 4; ++i) {
      auto& row = A[group + (i % 2) * 8];
      row[pair + (i / 2) * 8] = lower(own.a[i], decode);
      row[pair + (i / 2) * 8 + 1] = upper(own.a[i], decode);
    }
    for (unsigned i = 0; i < 2; ++i) {
      B[pair + i * 8][group] = lower(own.b[i], decode);
      B[pair + i * 8 + 1][group] = upper(own.b[i], decode);
    }
  }
  multiply<16>(lanes, A, B);
}

/// The tensor core does not look at the 13 bits that tf32 has not.
float from_tf32(std::uint32_t bits) { return std::bit_cast<float>(bits & 0xffffe000U); }

void multiply_tf32(Lanes& lanes, const void* /*argument*/) {
  std::array<std::array<float, 8>, 16> A{};
  std::array<std::array<float, 8>, 8> B{};
  for (unsigned lane = 0; lane < 32; ++lane) {
    const auto& own = *static_cast<const Fragment*>(lanes[lane]);
    const unsigned group = lane / 4;
    const unsigned t = lane % 4;
    for (unsigned i = 0; i < 4; ++i) A[group + (i % 2) * 8][t + (i / 2) * 4] = from_tf32(own.a[i]);
    for (unsigned i = 0; i < 2; ++i) B[t + i * 4][group] = from_tf32(own.b[i]);
  }
  multiply<8>(lanes, A, B);
}

void mma_16_bit(const char* name, float* d, const std::uint32_t* a, const std::uint32_t* b,
                Decode decode, const Site& site) {
  Fragment own{d, a, b};
  Machine::get().rendezvous(name, whole_warp, &own, &multiply_16_bit, &decode, site);
}

/// One lane's part in an ldmatrix.
struct Load {
  std::uint32_t* registers;
  const void* row;
};

void load(const char* name, std::uint32_t* registers, const void* row, bool transposed,
          const Site& site) {
  Machine& machine = Machine::get();
  if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) {
    machine.fail(std::string(name) + ": a row that does not begin at a multiple of 16 bytes",
                 to_string(site));
  }
  machine.check(Access::read, row, 16, site);
  Load own{registers, row};
  const Machine::NoTrace no_trace;
  machine.rendezvous(
      name, whole_warp, &own,
      [](Lanes& lanes, const void* argument) {
        const bool transpose = *static_cast<const bool*>(argument);
        const auto element = [&](unsigned matrix, unsigned row_index, unsigned column) {
          const auto& owner = *static_cast<const Load*>(lanes[8 * matrix + row_index]);
          std::uint16_t bits = 0;
          std::memcpy(&bits, static_cast<const char*>(owner.row) + std::size_t{2} * column, 2);
          return std::uint32_t{bits};
        };
        for (unsigned lane = 0; lane < 32; ++lane) {
          const auto& self = *static_cast<const Load*>(lanes[lane]);
          const unsigned group = lane / 4;
          const unsigned pair = 2 * (lane % 4);
          for (unsigned i = 0; i < 4; ++i) {
            self.registers[i] = transpose
                                    ? element(i, pair, group) | element(i, pair + 1, group) << 16U
                                    : element(i, group, pair) | element(i, group, pair + 1) << 16U;
          }
        }
      },
      &transposed, site);
}

}  // namespace

void cp_async_16(void* to, const void* from, int bytes, Site site) {
  Machine::get().copy_later(to, from, 16, static_cast<std::size_t>(bytes), site);
}
void cp_async_commit_group() { Machine::get().cp_async_commit_group(); }
void cp_async_wait_group_left(int groups_left) {
  Machine::get().cp_async_wait_group(static_cast<std::size_t>(groups_left));
}

void ldmatrix(std::uint32_t (&registers)[4], const void* row, Site site) {
  load("ldmatrix", registers, row, false, site);
}
void ldmatrix_trans(std::uint32_t (&registers)[4], const void* row, Site site) {
  load("ldmatrix.trans", registers, row, true, site);
}

void mma_m16n8k16_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                       Site site) {
  mma_16_bit("mma.bf16", d, a, b, &bfloat_to_float, site);
}
void mma_m16n8k16_f16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      Site site) {
  mma_16_bit("mma.f16", d, a, b, &half_to_float, site);
}
void mma_m16n8k8_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      Site site) {
  Fragment own{d, a, b};
  Machine::get().rendezvous("mma.tf32", whole_warp, &own, &multiply_tf32, nullptr, site);
}

/// Adds half of the last bit that is kept to the magnitude and cuts off the rest.
std::uint32_t to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool finite = (bits & 0x7f800000U) != 0x7f800000U;
  return finite ? (bits + 0x1000U) & 0xffffe000U : bits;
}

}  // namespace simt
