// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weights/known_files.hpp"
#include "weights/weights_format.hpp"

namespace impasto {

struct ValueStatistics {
  double min = 0;
  double max = 0;
  double mean = 0;
  double deviation = 0;
};

struct LayerReport {
  std::string name;
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  ValueStatistics weight;  ///< of (Cout,3,3,Cin)
  ValueStatistics bias;    ///< of (Cout)
};

/// What a weight file holds.
struct WeightsReport {
  std::uint64_t file_bytes = 0;
  std::string file_sha256;  ///< of the file itself
  WeightsHeader header;     ///< what the file says of itself, its source's name and hashes included
  /// The published file that the source had the hash of, or nullptr. The header is as trustworthy
  /// as whoever made the file.
  const KnownFile* known = nullptr;
  std::vector<LayerReport> layers;
};

/// Reads all of Impasto's weight file, one layer at a time, under the rules of load_weights().
/// Throws ErrorKind::weights.
WeightsReport inspect_weights(const std::string& path);

}  // namespace impasto
