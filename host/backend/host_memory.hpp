// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "host/backend/backend.hpp"

namespace impasto {

/// The processor's own name, for people.
std::string host_processor();

/// Memory of backends that compute on the host.
namespace host_memory {
Buffer allocate(std::size_t bytes);
void copy(const Tensor& to, const Tensor& from);
void write(const Tensor& to, std::span<const float> from);
void read(std::span<float> to, const Tensor& from);
}  // namespace host_memory

}  // namespace impasto
