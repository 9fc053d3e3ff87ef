// SPDX-License-Identifier: MIT
// cuda_bench without NVIDIA's libraries: its ladders begin at rung 1.
#include "benchmarks/ladder/measure.hpp"

namespace impasto::bench::cuda {

std::vector<LibraryRung> library_rungs(std::string_view /*op*/, Runtime& /*runtime*/,
                                       Precision /*precision*/) {
  return {};
}

std::map<std::string, std::string> library_details(const Runtime& /*runtime*/) { return {}; }

}  // namespace impasto::bench::cuda
