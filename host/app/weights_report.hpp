// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "host/app/describe.hpp"
#include "weights/weights_file.hpp"

namespace impasto::app {

/// What `impasto weights inspect` shows, for programs and for people.
Json describe(const WeightsReport& report);
std::string table(const WeightsReport& report, const std::string& path);

}  // namespace impasto::app
