// SPDX-License-Identifier: MIT
// The plan cache's JSON.
#include "host/backend/tuning/plan_cache.hpp"

#include "tests/fuzz/fuzz.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::fuzz {
namespace {

const Machine machine = {{"device", "NVIDIA H100"}, {"cuDNN", "9.19.0"}};
constexpr auto problem = "forward";

}  // namespace

std::vector<std::string> seeds() {
  const TemporaryFolder folder;
  PlanCache cache(folder.path(), machine);
  const AlgoId fast{"cuDNN", {{"engine", 5}, {"knob 3", 1}}};
  cache.store(problem, {fast, 4096, {{fast, 24.25}, {{"own kernel", {}}, 31.5}}});
  return {read_all(cache.path())};
}

void read_input(const std::string& path) {
  static const TemporaryFolder folder;
  write_all(PlanCache(folder.path(), machine).path(), read_all(path));
  static_cast<void>(PlanCache(folder.path(), machine).find(problem));
}

}  // namespace impasto::fuzz
