// SPDX-License-Identifier: MIT
// An operation for the laboratory's program, one of whose rungs is wrong: what must not be shown.
#include "benchmarks/ladder/contender.hpp"

namespace impasto::bench::emulated {
namespace {

std::vector<Contender> contenders(Runtime& /*runtime*/, const Point& /*point*/) {
  const auto nothing = [] {};
  return {{{"rung_1_right", ""},
           {1, 1},
           {},
           nothing,
           [] {
             return Verdict{0.5, 1};
           }},
          {{"rung_2_wrong", ""}, {1, 1}, {}, nothing, [] {
             return Verdict{2, 1};
           }}};
}

}  // namespace

const std::vector<Op>& ops() {
  static const std::vector<Op> all = {{"nothing", false, contenders}};
  return all;
}

}  // namespace impasto::bench::emulated
