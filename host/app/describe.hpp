// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "host/backend/backend.hpp"
#include "host/engine/config.hpp"
#include "host/engine/stylizer.hpp"
#include "host/model/weights.hpp"

namespace impasto::app {

using Json = nlohmann::ordered_json;

/// How the program's own things look in its JSON: the log, --json, score, the picture's metadata.

Json describe(const Config& config);
Json describe(const Losses& losses);
Json describe(const MemoryEstimate& memory);
Json describe(const Weights& weights);
Json describe(const Backend& backend);
/// Of the program and what built it.
Json describe_versions();

/// One line of JSON. Bytes that are not UTF-8, in a file name say, are replaced.
std::string dump(const Json& json);

/// The weighted parts that add up to the loss.
struct LossParts {
  double content = 0;
  double style = 0;
  double variation = 0;
};
LossParts parts(const Losses& losses, const Objective& objective);

/// "1.5 GiB"
std::string human_bytes(std::size_t bytes);

/// "1:05:09", "2:07", "0:03"
std::string human_time(double seconds);

}  // namespace impasto::app
