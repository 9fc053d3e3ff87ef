// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <gtest/gtest.h>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/ladder.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/guarded_buffer.hpp"

namespace impasto::kernels {

/// For tests that are given a rung.
inline std::ostream& operator<<(std::ostream& out, const Rung& rung) { return out << rung.name; }

}  // namespace impasto::kernels

namespace impasto::test {

/// The device under test: the host-SIMT machine (emulated_device.cpp) or a GPU (cuda_device.cpp).
namespace device {
void* allocate(std::size_t bytes);  ///< filled with bytes that are NaN
void free(void* data);
void write(void* to, const void* from, std::size_t bytes);
/// Waits for all work first, and throws what went wrong in it.
void read(void* to, const void* from, std::size_t bytes);

/// The compute capability whose kernels it runs, 10·major + minor.
int sm();

/// In how many orders this device can be made to run threads, and choosing one.
int order_count();
void choose_order(int order);

/// In how many ways its tensor cores can be made to round sums, and choosing one; 0 is the way they
/// round until one is chosen.
int rounding_count();
void choose_rounding(int rounding);

/// Has persistent kernels launched with so many blocks, 0 for as many as fit. A GPU has them as many
/// as fit in any case.
void choose_blocks(unsigned blocks);
}  // namespace device

/// An array in the device's memory for a kernel under test. It begins `offset` elements behind an
/// address that suits every vector. What it is not given it does not hold: NaN, and on the
/// host-SIMT machine a traced kernel that reads it fails.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::int64_t count, std::int64_t offset = 0)
      : count_(static_cast<std::size_t>(count)),
        offset_(static_cast<std::size_t>(offset)),
        memory_(static_cast<T*>(device::allocate((count_ + offset_) * sizeof(T)))) {}
  explicit DeviceArray(const GuardedBuffer<T>& values, std::int64_t offset = 0)
      : DeviceArray(static_cast<std::int64_t>(values.size()), offset) {
    device::write(data(), values.data(), count_ * sizeof(T));
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { device::free(memory_); }

  [[nodiscard]] T* data() { return memory_ + offset_; }

  [[nodiscard]] GuardedBuffer<T> values() {
    GuardedBuffer<T> result(static_cast<std::int64_t>(count_));
    device::read(result.data(), data(), count_ * sizeof(T));
    return result;
  }

 private:
  std::size_t count_;
  std::size_t offset_;
  T* memory_;
};

/// What kernels count their blocks in: 0, and 0 again when they are done.
class BlocksDone {
 public:
  BlocksDone() : number_(GuardedBuffer<unsigned>(1, 0U)) {}
  BlocksDone(const BlocksDone&) = delete;
  BlocksDone& operator=(const BlocksDone&) = delete;
  ~BlocksDone() { EXPECT_EQ(number_.values()[0], 0U); }

  [[nodiscard]] unsigned* data() { return number_.data(); }

 private:
  DeviceArray<unsigned> number_;
};

/// The result of `compute`, which must be the same, bit for bit, in whatever order threads run.
template <class Compute>
auto under_every_schedule(Compute compute) {
  device::choose_order(0);
  const auto result = compute();
  for (int order = 1; order < device::order_count(); ++order) {
    device::choose_order(order);
    EXPECT_TRUE(same_bits(compute(), result)) << "in order " << order;
  }
  device::choose_order(0);
  return result;
}

/// Runs check.operator()<T>() for every type that feature maps are stored in.
template <class Check>
void for_each_storage_type(Check check) {
  check.template operator()<float>();
  check.template operator()<kernels::bfloat16>();
  check.template operator()<kernels::float16>();
}

/// The same for every type that this device runs the rung of a ladder on. A rung of another GPU
/// skips the test.
template <class OpRung, class Check>
void for_each_storage_type_of(const OpRung& rung, Check check) {
  bool ran = false;
  for_each_storage_type([&]<class T>() {
    if (!kernels::offers<T>(rung.launch) || !rung.runs_on(device::sm())) return;
    ran = true;
    check.template operator()<T>();
  });
  if (!ran)
    GTEST_SKIP() << rung.name << " needs a GPU of sm_" << rung.least_sm
                 << (rung.sm_90a ? "a" : " or newer");
}

/// The rungs of a ladder whose blocks may take several work tiles.
template <class OpRung>
std::vector<OpRung> persistent_rungs(std::span<const OpRung> ladder) {
  std::vector<OpRung> found;
  for (const OpRung& rung : ladder) {
    if (rung.persistent) found.push_back(rung);
  }
  return found;
}

/// "rung_3_shared_tile", for tests of every rung.
template <class OpRung>
std::string rung_name(const testing::TestParamInfo<OpRung>& info) {
  return std::string(info.param.name);
}

}  // namespace impasto::test
