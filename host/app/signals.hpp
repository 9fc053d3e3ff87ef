// SPDX-License-Identifier: MIT
#pragma once

namespace impasto::app {

/// From here on the first SIGINT or SIGTERM is only remembered, so that the work in hand can be
/// saved; a second one ends the program at once.
void catch_signals();

/// The signal that arrived, or 0.
int caught_signal();

/// Throws Interrupted if one has arrived: for places where there is nothing to save yet.
void stop_if_asked();

}  // namespace impasto::app
