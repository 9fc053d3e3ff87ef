// SPDX-License-Identifier: MIT
#pragma once

namespace simt {

/// Whether every launch is waited for, so that an error shows at the kernel that made it. Slow.
inline bool synchronous_launches = false;

}  // namespace simt
