// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/float16.hpp"
#include "simt/machine.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/guarded_buffer.hpp"

namespace impasto::test {

/// An array in the device's memory for a kernel under test. It begins `offset` elements behind an
/// address that suits every vector. What it is not given it does not hold: NaN, and on the
/// host-SIMT machine a traced kernel that reads it fails.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::int64_t count, std::int64_t offset = 0)
      : count_(static_cast<std::size_t>(count)), offset_(static_cast<std::size_t>(offset)) {
    memory_ = static_cast<T*>(memory().allocate((count_ + offset_) * sizeof(T)));
  }
  explicit DeviceArray(const GuardedBuffer<T>& values, std::int64_t offset = 0)
      : DeviceArray(static_cast<std::int64_t>(values.size()), offset) {
    std::memcpy(static_cast<void*>(data()), values.data(), count_ * sizeof(T));
    memory().mark_written(data(), count_ * sizeof(T));
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { memory().free(memory_); }

  [[nodiscard]] T* data() { return memory_ + offset_; }

  [[nodiscard]] GuardedBuffer<T> values() {
    GuardedBuffer<T> result(static_cast<std::int64_t>(count_));
    std::memcpy(static_cast<void*>(result.data()), data(), count_ * sizeof(T));
    return result;
  }

 private:
  static simt::DeviceMemory& memory() { return simt::Machine::get().device_memory(); }

  std::size_t count_;
  std::size_t offset_;
  T* memory_;
};

/// The result of `compute`, which must be the same, bit for bit, in whatever order threads run.
template <class Compute>
auto under_every_schedule(Compute compute) {
  using Order = simt::Schedule::Order;
  simt::Machine& machine = simt::Machine::get();
  machine.set_schedule({Order::forward, 0});
  const auto result = compute();
  for (const simt::Schedule& schedule :
       {simt::Schedule{Order::reverse, 0}, simt::Schedule{Order::random, 1}}) {
    machine.set_schedule(schedule);
    EXPECT_TRUE(same_bits(compute(), result)) << "under another schedule";
  }
  machine.set_schedule({Order::forward, 0});
  return result;
}

/// Runs check.operator()<T>() for every type that feature maps are stored in.
template <class Check>
void for_each_storage_type(Check check) {
  check.template operator()<float>();
  check.template operator()<kernels::bfloat16>();
  check.template operator()<kernels::float16>();
}

}  // namespace impasto::test
