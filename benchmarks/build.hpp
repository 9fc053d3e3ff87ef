// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace impasto::bench {

/// What this program was built from.
struct Build {
  std::string commit;  ///< "unknown" outside of a repository
  std::string dirty;   ///< "true" with changes that are not in the commit, "false", "unknown"
};

Build this_build();

}  // namespace impasto::bench
