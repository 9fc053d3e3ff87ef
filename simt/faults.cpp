// SPDX-License-Identifier: MIT
#include "simt/faults.hpp"

#include "simt/error.hpp"

namespace simt {
namespace {

std::int64_t failing = 0;
std::int64_t counted = 0;

}  // namespace

void fail_call(std::int64_t k) {
  failing = k;
  counted = 0;
}

std::int64_t calls() { return counted; }

void count_call(const std::string& name) {
  if (++counted == failing) throw Error(name + ": failed, as a test asked for");
}

}  // namespace simt
