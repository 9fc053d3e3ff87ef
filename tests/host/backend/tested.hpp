// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/backend/registry.hpp"

namespace impasto::test {

/// A backend by its name, in one precision.
using Tested = std::pair<std::string, Precision>;

/// Nothing is timed: what is tested must not depend on what was fast.
inline std::unique_ptr<Backend> make(const Tested& tested) {
  return make_backend(tested.first, tested.second, {.tuning = Tuning::off});
}

inline bool offered(const Tested& tested) {
  const std::vector<BackendEntry> entries = list_backends();
  return std::ranges::any_of(entries, [&](const BackendEntry& entry) {
    return entry.name == tested.first && entry.unavailable.empty() &&
           std::ranges::count(entry.precisions(), tested.second) > 0;
  });
}

/// The name of a test of it: "cpu_bf16".
inline std::string name_of(const testing::TestParamInfo<Tested>& tested) {
  return tested.param.first + "_" + std::string(to_string(tested.param.second));
}

/// Skips where this machine does not offer the backend in that precision.
class TestsBackend : public testing::TestWithParam<Tested> {
 protected:
  void SetUp() override {
    const auto& [name, precision] = GetParam();
    if (!offered(GetParam())) GTEST_SKIP() << "no " << name << " in " << to_string(precision);
  }
};

}  // namespace impasto::test
