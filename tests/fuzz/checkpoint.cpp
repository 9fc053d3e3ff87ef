// SPDX-License-Identifier: MIT
// Checkpoints of a stylization.
#include "host/engine/checkpoint_file.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::fuzz {
namespace {

constexpr auto identity = "a run";

const Objective& objective() {
  static const Objective objective = preset("coursera").objective;
  return objective;
}

}  // namespace

std::vector<std::string> seeds() {
  const TemporaryFolder folder;
  const std::string path = folder.file("seed.checkpoint");
  std::vector<std::string> seeds;
  for (const std::size_t values : {std::size_t{0}, std::size_t{40}}) {
    const std::vector<float> terms(count_terms(objective()), 0.5F);
    const Course::Point point{.iteration = 3, .losses = name_losses(objective(), terms)};
    save_checkpoint(path,
                    {.scale = 1,
                     .iteration = 2,
                     .seconds = 0.5,
                     .course = {.first = point, .best = point, .last = point},
                     .state = std::vector<float>(values, 1.5F),
                     .early = {{64, 2, EndReason::step}}},
                    identity);
    seeds.push_back(read_all(path));
  }
  return seeds;
}

void read_input(const std::string& path) {
  static_cast<void>(load_checkpoint(path, objective(), identity));
}

}  // namespace impasto::fuzz
