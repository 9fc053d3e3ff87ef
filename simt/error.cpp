// SPDX-License-Identifier: MIT
#include "simt/error.hpp"

namespace simt {
namespace {

std::int64_t failing = 0;
bool lost = false;
std::int64_t counted = 0;

}  // namespace

void fail_call(std::int64_t k) {
  failing = k;
  lost = false;
  counted = 0;
}

void lose_device(std::int64_t k) {
  fail_call(k);
  lost = true;
}

std::int64_t calls() { return counted; }

void count_call(const std::string& name) {
  ++counted;
  if (counted == failing || (lost && counted > failing)) {
    throw Error(name + ": failed, as a test asked for");
  }
}

}  // namespace simt
