// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/app/settings.hpp"
#include "host/backend/backend.hpp"
#include "host/engine/quality.hpp"
#include "host/engine/stylization.hpp"
#include "host/model/network.hpp"
#include "weights/weights_file.hpp"

namespace impasto::app {

/// How the program's own things look in its JSON: the log, --json, score, the picture's metadata.

/// The recipe: every setting that the picture depends on.
Json describe(const Settings& settings);
Json describe(const Losses& losses);
Json describe(const Quality& quality);
Json describe(const MemoryEstimate& memory);
/// "16 of 1024x1024 with a halo of 40, 1.62 times the convolutions"; empty without tiles.
std::string tiles_in_words(const MemoryEstimate& memory);
Json describe(const NetworkTraits& network);
std::string_view word_for(Ending ending);
/// The scales that ended before all of their iterations, and why.
Json describe(std::span<const EarlyEnd> early);
/// Why, in words.
std::string in_words(EndReason reason, const Config& config);
/// What a weight file holds.
Json describe(const WeightsReport& report);
Json describe(const Backend& backend);

// The devices that compute one picture.

/// {"cuda:0", "cuda:1"}; of one alone, its backend.
std::vector<std::string> device_names(std::span<const Backend* const> devices);
/// As --device takes them: "cuda:0,cuda:1".
std::string spoken(std::span<const Backend* const> devices);
Json describe(std::span<const Backend* const> devices);
/// "cuda:0,cuda:1, bf16, NVIDIA H100, …"
std::string machine_in_words(std::span<const Backend* const> devices);
/// The strip and the memory of each; null for none.
Json describe(std::span<const std::string> names, std::span<const MemoryEstimate> of_devices);
/// "rows 0 to 511, a halo of 8"
std::string strip_in_words(const MemoryEstimate& memory, const Image& picture);

/// Of the program and what built it.
Json describe_versions();

/// A picture of the optimisation as it is saved: with the content's transparency, and the colours and
/// the depth that the settings say.
Image finished(Image picture, const Image& content, const Settings& settings);

/// "2026-11-28T10:00:00Z", now.
std::string utc_now();

/// Iterations per second; 0 where none has taken any time.
double rate(std::int64_t iterations, double seconds);

/// The most memory that this process has had so far.
std::int64_t peak_memory_bytes();

/// One line of JSON. Bytes that are not UTF-8, in a file name say, are replaced.
std::string dump(const Json& json);

/// The value of a setting for people, as the command line takes it: "512",
/// "conv1_1:0.2,conv2_1:0.4".
std::string in_words(const Json& value);

/// "1.5 GiB"
std::string human_bytes(std::size_t bytes);

/// "1:05:09", "2:07", "0:03"
std::string human_time(double seconds);

}  // namespace impasto::app
