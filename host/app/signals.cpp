// SPDX-License-Identifier: MIT
#include "host/app/signals.hpp"

#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/core/atomic_file.hpp"

namespace impasto::app {
namespace {

std::atomic<int> caught{0};
std::atomic<bool> deferring{false};
std::atomic<bool> only_first{false};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch nothing else");

extern "C" void handle(int signal) {
  int none = 0;
  if (deferring && (caught.compare_exchange_strong(none, signal) || only_first)) return;
  remove_temporary_files();
  if (!deferring) {
    constexpr std::string_view message = "impasto: stopped; nothing was written\n";
    static_cast<void>(!::write(STDERR_FILENO, message.data(), message.size()));
  }
  _exit(128 + signal);
}

/// A library that does not check whether it got memory dies here, oneDNN for one. The signal ends
/// the program as it would have.
extern "C" void explain(int signal) {
  remove_temporary_files();
  constexpr std::string_view message =
      "impasto: a library died, probably for want of memory: the address space is limited "
      "(ulimit -v)\n";
  static_cast<void>(!::write(STDERR_FILENO, message.data(), message.size()));
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void explain_deaths_for_want_of_memory() {
  rlimit address_space{};
  if (::getrlimit(RLIMIT_AS, &address_space) != 0 || address_space.rlim_cur == RLIM_INFINITY)
    return;
  for (const int signal : {SIGSEGV, SIGBUS, SIGTRAP, SIGABRT}) ::signal(signal, explain);
}

void open_missing_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    struct stat status {};
    // The lowest free number is this one. Writing to it fails, which print_result() tells.
    if (::fstat(stream, &status) != 0) static_cast<void>(::open("/dev/null", O_RDONLY));
  }
}

}  // namespace

void set_up_process() {
  open_missing_streams();
  explain_deaths_for_want_of_memory();
  // oneDNN would print on standard output, where results go.
  for (const char* variable : {"ONEDNN_VERBOSE", "DNNL_VERBOSE"}) ::unsetenv(variable);
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_IGN);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

DeferredSignals::DeferredSignals(Second second) {
  only_first = second == Second::means_nothing;
  deferring = true;
}
DeferredSignals::~DeferredSignals() { deferring = false; }

int caught_signal() { return caught.load(); }

}  // namespace impasto::app
