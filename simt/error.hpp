// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

/// What a kernel or a launch throws, when it shows, and how a test provokes it.
namespace simt {

/// What a kernel did wrong, with its file and line, or a launch that was refused.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Whether every launch is waited for, so that an error shows at the kernel that made it. Slow.
inline std::atomic<bool> synchronous_launches = false;

/// Makes the k-th call from now on fail as a GPU's might, counted from 1; 0 makes none fail.
void fail_call(std::int64_t k);
/// Makes the k-th call and all calls after it fail, as on a GPU that is lost.
void lose_device(std::int64_t k);
/// How many calls there were since then.
std::int64_t calls();

/// Whatever could fail on a GPU calls this first. Throws Error when it is this call's turn to fail.
void count_call(const std::string& name);

}  // namespace simt
