// SPDX-License-Identifier: MIT
#include "host/app/weights_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace impasto::app {
namespace {

Json describe(const ValueStatistics& values) {
  return {{"min", values.min},
          {"max", values.max},
          {"mean", values.mean},
          {"deviation", values.deviation}};
}

std::string origin(const WeightsReport& report) {
  const WeightsOrigin& source = report.header.origin;
  std::string text;
  if (!source.source_file.empty()) {
    text +=
        fmt::format("Source   {}\n         SHA-256 {}\n", source.source_file, source.source_sha256);
    text += report.known == nullptr ? std::string("Unknown  no published file has this hash\n")
                                    : fmt::format("Known    {}, as {} published it\n",
                                                  report.known->name, report.known->publisher);
  }
  return text + fmt::format("Writer   impasto {}\n", source.converter_version);
}

}  // namespace

Json describe(const WeightsReport& report) {
  const WeightsHeader& header = report.header;
  Json layers = Json::array();
  for (const LayerReport& layer : report.layers) {
    layers.push_back({{"name", layer.name},
                      {"in_channels", layer.in_channels},
                      {"out_channels", layer.out_channels},
                      {"weight", describe(layer.weight)},
                      {"bias", describe(layer.bias)}});
  }
  return {{"bytes", report.file_bytes},
          {"sha256", report.file_sha256},
          {"description", header.description},
          {"mean", header.mean},
          {"source_file", header.origin.source_file},
          {"source_sha256", header.origin.source_sha256},
          {"source_md5", header.origin.source_md5},
          {"converter_version", header.origin.converter_version},
          {"known", report.known == nullptr ? Json() : Json(report.known->publisher)},
          {"layers", layers}};
}

std::string table(const WeightsReport& report, const std::string& path) {
  const WeightsHeader& header = report.header;
  std::string text =
      fmt::format("File     {}, {}\n         SHA-256 {}\nNetwork  {}\n{}Mean     {} {} {}\n\n",
                  path, human_bytes(report.file_bytes), report.file_sha256, header.description,
                  origin(report), header.mean[0], header.mean[1], header.mean[2]);
  text += fmt::format("{:<9}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "LAYER", "IN->OUT", "LOWEST",
                      "HIGHEST", "MEAN", "DEVIATION", "MEAN BIAS");
  for (const LayerReport& layer : report.layers) {
    text +=
        fmt::format("{:<9}{:>12}{:>12.4g}{:>12.4g}{:>12.3g}{:>12.4g}{:>12.4g}\n", layer.name,
                    fmt::format("{}->{}", layer.in_channels, layer.out_channels), layer.weight.min,
                    layer.weight.max, layer.weight.mean, layer.weight.deviation, layer.bias.mean);
  }
  return text;
}

}  // namespace impasto::app
