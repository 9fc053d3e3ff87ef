// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "simt/launch.hpp"

namespace simt::test {

inline constexpr std::array schedules = {
    Schedule{Schedule::Order::forward, 0}, Schedule{Schedule::Order::reverse, 0},
    Schedule{Schedule::Order::random, 1}, Schedule{Schedule::Order::random, 2}};

/// An array in global memory.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count)
      : count_(count),
        data_(static_cast<T*>(Machine::get().device_memory().allocate(count * sizeof(T)))) {}
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    std::memcpy(data_, values.data(), count_ * sizeof(T));
    Machine::get().device_memory().mark_written(data_, count_ * sizeof(T));
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { Machine::get().device_memory().free(data_); }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] std::vector<T> values() const { return std::vector<T>(data_, data_ + count_); }

 private:
  std::size_t count_;
  T* data_;
};

/// Runs one kernel under a schedule.
template <class... Parameters, class... Arguments>
void run(const Schedule& schedule, const Grid& grid, void (*kernel)(Parameters...),
         Arguments... arguments) {
  Machine::get().set_schedule(schedule);
  launch(kernel, grid, nullptr, arguments...);
}

/// What the kernel is told it does wrong; empty when nothing.
template <class... Parameters, class... Arguments>
std::string problem(const Schedule& schedule, const Grid& grid, void (*kernel)(Parameters...),
                    Arguments... arguments) {
  try {
    run(schedule, grid, kernel, arguments...);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Faults must be found under every schedule.
class FaultyKernels : public testing::TestWithParam<Schedule> {
 protected:
  template <class Kernel, class... Arguments>
  std::string problem_of(Kernel kernel, const Grid& grid, Arguments... arguments) {
    return problem(GetParam(), grid, kernel, arguments...);
  }
};

}  // namespace simt::test
