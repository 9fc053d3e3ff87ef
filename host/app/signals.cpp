// SPDX-License-Identifier: MIT
#include "host/app/signals.hpp"

#include <atomic>
#include <signal.h>
#include <unistd.h>

#include "host/app/failure.hpp"

namespace impasto::app {
namespace {

std::atomic<int> caught{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch nothing else");

extern "C" void remember(int signal) {
  int none = 0;
  if (!caught.compare_exchange_strong(none, signal)) _exit(128 + signal);
}

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

int caught_signal() { return caught.load(); }

void stop_if_asked() {
  if (const int signal = caught.load(); signal != 0) throw Interrupted{signal, true};
}

}  // namespace impasto::app
