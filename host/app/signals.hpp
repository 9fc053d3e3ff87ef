// SPDX-License-Identifier: MIT
#pragma once

namespace impasto::app {

/// Call it first. From then on SIGINT, SIGTERM, SIGHUP and SIGXCPU end the program at once
/// with 128 + signal, and no temporary file stays; those that were ignored, as nohup and '&' have
/// it, stay ignored. A pipe that nobody reads and a file that may not grow become errors of write
/// calls, not signals. A closed standard stream is opened on /dev/null, so that no file of ours
/// gets its number and receives what is meant for the terminal. No variable has a library print
/// where results go. Where the address space is limited, a crash says so before it ends the program.
void set_up_process();

/// While one lives, the first of these signals is only remembered, so that the work in hand can be
/// saved. A second one ends the program at once, or means nothing: a terminal and a supervisor both
/// tell a worker to stop, and the supervisor's end is its own.
class DeferredSignals {
 public:
  enum class Second : bool { ends, means_nothing };
  explicit DeferredSignals(Second second = Second::ends);
  DeferredSignals(const DeferredSignals&) = delete;
  DeferredSignals& operator=(const DeferredSignals&) = delete;
  ~DeferredSignals();
};

/// The signal that was remembered, or 0.
int caught_signal();

}  // namespace impasto::app
