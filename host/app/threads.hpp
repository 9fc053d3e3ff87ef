// SPDX-License-Identifier: MIT
#pragma once

namespace impasto::app {

/// Has OpenMP ask for no more threads than the system grants: with fewer than it asked for it ends
/// the program, and a million of them take its stack. Call it before any work.
void limit_threads();

}  // namespace impasto::app
