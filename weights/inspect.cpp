// SPDX-License-Identifier: MIT
#include "weights/inspect.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>

#include "host/core/sha256.hpp"
#include "weights/weights_reader.hpp"

namespace impasto {
namespace {

ValueStatistics statistics(std::span<const float> values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const float value : values) sum += value;
  const double mean = sum / count;
  double squares = 0;
  for (const float value : values) squares += (value - mean) * (value - mean);
  const auto [min, max] = std::ranges::minmax(values);
  return {min, max, mean, std::sqrt(squares / count)};
}

}  // namespace

WeightsReport inspect_weights(const std::string& path) {
  const WeightsReader reader(path);
  WeightsReport report;
  report.header = reader.header();
  report.known =
      find_known_file(report.header.origin.source_sha256, report.header.origin.source_md5);
  for (const VggLayer* layer : reader.layers()) {
    const ConvParameters conv = reader.read(*layer);
    report.layers.push_back({std::string(layer->name), layer->in_channels, layer->out_channels,
                             statistics(conv.weight), statistics(conv.bias)});
  }
  report.file_bytes = std::filesystem::file_size(path);
  report.file_sha256 = sha256_file(path);
  return report;
}

}  // namespace impasto
