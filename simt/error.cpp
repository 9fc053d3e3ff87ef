// SPDX-License-Identifier: MIT
#include "simt/error.hpp"

#include <atomic>

namespace simt {
namespace {

// Several threads count, each on a device of its own.
std::atomic<std::int64_t> failing = 0;
std::atomic<bool> device_lost = false;
std::atomic<std::int64_t> counted = 0;

}  // namespace

void fail_call(std::int64_t k) {
  failing = k;
  device_lost = false;
  counted = 0;
}

void lose_device(std::int64_t k) {
  fail_call(k);
  device_lost = true;
}

std::int64_t calls() { return counted; }

void count_call(const std::string& name) {
  const std::int64_t call = ++counted;
  if (call == failing || (device_lost && call > failing)) {
    throw Error(name + ": failed, as a test asked for");
  }
}

}  // namespace simt
