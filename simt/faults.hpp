// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace simt {

/// Makes one call fail as a GPU's might, so that a test can see what comes of it: the k-th from now
/// on, counted from 1; 0 for none.
void fail_call(std::int64_t k);
/// The same for the k-th call and all after it, as on a GPU that is lost.
void lose_device(std::int64_t k);
/// How many calls there were since.
std::int64_t calls();

/// To be called by whatever could fail on a GPU. Throws Error when it is this call's turn.
void count_call(const std::string& name);

}  // namespace simt
