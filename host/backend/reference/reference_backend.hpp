// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/backend/backend.hpp"

namespace impasto {

/// Everything in double by the plainest loops: slow, and what every other backend is held against.
std::unique_ptr<Backend> make_reference_backend();

}  // namespace impasto
