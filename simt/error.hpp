// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

/// The errors of kernels and launches: what is thrown, when, and how a test provokes one.
namespace simt {

/// What a kernel did wrong, with its file and line, or a launch that was refused.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Makes the host wait for every launch, so that an error shows at the kernel that made it. Slow.
inline std::atomic<bool> synchronous_launches = false;

/// Makes the k-th call from now on fail as a call to a GPU might. Counts from 1; with 0 none fails.
void fail_call(std::int64_t k);
/// Makes the k-th call and all calls after it fail, as on a GPU that is lost.
void lose_device(std::int64_t k);
/// How many calls there were since fail_call() or lose_device().
std::int64_t calls();

/// Everything that could fail on a GPU calls this first. Throws Error if this call is to fail.
void count_call(const std::string& name);

}  // namespace simt
