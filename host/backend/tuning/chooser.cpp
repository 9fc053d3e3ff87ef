// SPDX-License-Identifier: MIT
#include "host/backend/tuning/chooser.hpp"

namespace impasto {

void Chooser::keep(const std::string& problem, const Choice& choice) {
  try {
    cache_.store(problem, choice);
  } catch (const Error& error) {
    // Without a cache the next run measures again, which is no reason not to go on; unless filling
    // it is all that was asked for.
    if (tuning_ == Tuning::retune || error.kind() != ErrorKind::output) throw;
  }
}

}  // namespace impasto
