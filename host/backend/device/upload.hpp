// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/device/storage.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::IMPASTO_DEVICE {

/// New device memory with these values, rounded to `type`. Waits.
inline Buffer upload(Runtime& runtime, const std::vector<float>& values, DataType type) {
  Buffer memory;
  dispatch(type, [&]<class T>(T) {
    std::vector<T> stored;
    stored.reserve(values.size());
    for (const float value : values) stored.push_back(static_cast<T>(value));
    memory = runtime.allocate(stored.size() * sizeof(T));
    runtime.copy_to_device(memory.get(), stored.data(), stored.size() * sizeof(T));
    runtime.synchronize();
  });
  return memory;
}

}  // namespace impasto::IMPASTO_DEVICE
