// SPDX-License-Identifier: MIT
#include <array>
#include <cstring>

#include "simt/launch.hpp"
#include "simt/machine.hpp"
#include "tests/support/device_array.hpp"

namespace impasto::test::device {
namespace {

using Order = simt::Schedule::Order;

/// Traced kernels' races are found in any order, so tracing the first is enough; a result that
/// depends on the order is another one in most.
constexpr std::array orders = {simt::Schedule{Order::forward, 0},
                               simt::Schedule{Order::random, 1, false}};

constexpr std::array roundings = {simt::TensorCoreSum{}, simt::TensorCoreSum::ampere(),
                                  simt::TensorCoreSum::hopper()};

simt::DeviceMemory& memory() { return simt::Machine::get().device_memory(); }

}  // namespace

void* allocate(std::size_t bytes) { return memory().allocate(bytes); }
void free(void* data) { memory().free(data); }
void write(void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
  memory().mark_written(to, bytes);
}
void read(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }

int sm() { return 90; }
int order_count() { return static_cast<int>(orders.size()); }
void choose_order(int order) {
  simt::Machine::get().set_schedule(orders[static_cast<std::size_t>(order)]);
}

int rounding_count() { return static_cast<int>(roundings.size()); }
void choose_rounding(int rounding) {
  simt::Machine::get().set_tensor_core_sum(roundings[static_cast<std::size_t>(rounding)]);
}

void choose_blocks(unsigned blocks) {
  static const unsigned fitting = simt::blocks_at_once;
  simt::blocks_at_once = blocks == 0 ? fitting : blocks;
}

}  // namespace impasto::test::device
