// SPDX-License-Identifier: MIT
// Without NVIDIA's libraries ladders begin at rung 1: on the host-SIMT machine, and in cuda_bench where
// it is built with the toolkit alone.
#include "benchmarks/ladder/measure.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

std::vector<Contender> library_rungs(std::string_view /*op*/, Runtime& /*runtime*/,
                                     Precision /*precision*/) {
  return {};
}

std::map<std::string, std::string> library_details(const Runtime& /*runtime*/) { return {}; }

}  // namespace impasto::bench::IMPASTO_DEVICE
