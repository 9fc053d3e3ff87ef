// SPDX-License-Identifier: MIT
#include "benchmarks/build.hpp"

#include "benchmarks/commit.hpp"  // build_commit.cmake writes it at every build, if it changed

namespace impasto::bench {

Build this_build() { return {IMPASTO_COMMIT, IMPASTO_DIRTY}; }

}  // namespace impasto::bench
