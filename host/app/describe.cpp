// SPDX-License-Identifier: MIT
#include "host/app/describe.hpp"

#include <array>
#include <cmath>
#include <ctime>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <string_view>
#include <sys/resource.h>

#include "host/app/version.hpp"

namespace impasto::app {
namespace {

Json layers(const std::vector<std::pair<std::string, double>>& terms) {
  Json json = Json::object();
  for (const auto& [layer, term] : terms) json[layer] = term;
  return json;
}

Json describe(const ValueStatistics& values) {
  return {{"min", values.min},
          {"max", values.max},
          {"mean", values.mean},
          {"deviation", values.deviation}};
}

}  // namespace

Json describe(const Settings& settings) {
  Json json = Json::object();
  for (const Setting& row : settings_table()) {
    if (row.recorded) json[row.key()] = row.value.show(settings);
  }
  return json;
}

Json describe(const Losses& losses) {
  Json json = {{"loss", losses.total}};
  for (const Losses::Part& part : losses.parts) json[part.name] = part.value;
  for (const Losses::Part& part : losses.parts) {
    if (!part.of_pixels) json[part.name + "_layers"] = layers(part.layers);
  }
  return json;
}

namespace {

Json describe(const std::optional<EStatistic>& e) {
  if (!e) return nullptr;
  return {{"e", e->e()}, {"e1", e->e1}, {"e2", e->e2}, {"e3", e->e3}};
}

}  // namespace

Json describe(const Quality& quality) {
  Json json = {{"content_cosine", layers(quality.content_cosine)},
               {"held_out_gram", layers(quality.style.held_out_gram)},
               {"edge_ssim", quality.edge_ssim},
               {"e_statistic", describe(quality.style.e)}};
  for (const StyleQuality& style : quality.of_styles) {
    json["styles"].push_back(
        {{"held_out_gram", layers(style.held_out_gram)}, {"e_statistic", describe(style.e)}});
  }
  return json;
}

Json describe(const MemoryEstimate& memory) {
  Json tiles;
  if (memory.tiles) {
    tiles = {{"count", memory.tiles->count},
             {"height", memory.tiles->height},
             {"width", memory.tiles->width},
             {"halo", memory.tiles->halo},
             {"recomputation", memory.recomputation.back()}};
  }
  return {{"weights_bytes", memory.weights},
          {"persistent_bytes", memory.persistent},
          {"arena_bytes", memory.arena},
          {"workspace_bytes", memory.workspace},
          {"total_bytes", memory.total()},
          {"filed_bytes", memory.filed},
          {"tiles", tiles}};
}

std::string tiles_in_words(const MemoryEstimate& memory) {
  if (!memory.tiles) return {};
  return fmt::format("{} of {}x{} with a halo of {}, {:.2f} times the convolutions",
                     memory.tiles->count, memory.tiles->width, memory.tiles->height,
                     memory.tiles->halo, memory.recomputation.back());
}

Json describe(const NetworkTraits& network) {
  Json json = {{"description", network.description}};
  if (!network.licence.empty()) json["licence"] = network.licence;
  if (!network.origin.source_sha256.empty()) json["source_sha256"] = network.origin.source_sha256;
  return json;
}

std::string_view word_for(Ending ending) {
  switch (ending) {
    case Ending::finished: return "finished";
    case Ending::converged: return "converged";
    case Ending::stopped: return "stopped";
    case Ending::diverged: return "diverged";
  }
  return "";
}

namespace {

std::string_view word_for(EndReason reason) {
  switch (reason) {
    case EndReason::none: return "stop_below";
    case EndReason::gradient: return "gradient";
    case EndReason::slope: return "slope";
    case EndReason::step: return "step";
    case EndReason::loss: return "loss";
  }
  return "";
}

}  // namespace

Json describe(std::span<const EarlyEnd> early) {
  Json json = Json::array();
  for (const EarlyEnd& one : early) {
    json.push_back(
        {{"size", one.size}, {"iteration", one.iteration}, {"reason", word_for(one.reason)}});
  }
  return json;
}

std::string in_words(EndReason reason, const Config& config) {
  const auto* lbfgs = std::get_if<LbfgsOptions>(&config.optimizer);
  const double gradient = lbfgs == nullptr ? 0 : lbfgs->tolerance_grad;
  const double change = lbfgs == nullptr ? 0 : lbfgs->tolerance_change;
  switch (reason) {
    case EndReason::none:
      return fmt::format("the loss fell by less than {} of itself in {} iterations",
                         config.stop.below, config.stop.window);
    case EndReason::gradient:
      return fmt::format("no component of the gradient was above {}", gradient);
    case EndReason::slope:
      return fmt::format("the loss fell by no more than {} along L-BFGS's direction", change);
    case EndReason::step:
      return fmt::format("L-BFGS's last step moved no value by more than {}", change);
    case EndReason::loss: return fmt::format("the loss changed by less than {} in a step", change);
  }
  return "";
}

Json describe(const WeightsReport& report) {
  const NetworkTraits& header = report.header;
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
          {"network", header.layers->name()},
          {"mean", header.mean},
          {"deviation", header.deviation},
          {"pooling", pool_word(header.pool.mode)},
          {"licence", header.licence.empty() ? Json() : Json(header.licence)},
          {"source_file", header.origin.source_file},
          {"source_sha256", header.origin.source_sha256},
          {"source_md5", header.origin.source_md5},
          {"converter_version", header.origin.converter_version},
          {"known", report.known == nullptr ? Json() : Json(report.known->publisher)},
          {"layers", layers}};
}

Json describe(const Backend& backend) {
  return {{"name", backend.name()},
          {"precision", to_string(backend.precision())},
          {"device", backend.description()}};
}

std::vector<std::string> device_names(std::span<const Backend* const> devices) {
  if (devices.size() == 1) return {devices.front()->name()};
  std::vector<std::string> names;
  for (const Backend* device : devices) {
    names.push_back(fmt::format("{}:{}", device->name(), device->index()));
  }
  return names;
}

std::string spoken(std::span<const Backend* const> devices) {
  return fmt::format("{}", fmt::join(device_names(devices), ","));
}

Json describe(std::span<const Backend* const> devices) {
  Json json = describe(*devices.front());
  json["name"] = spoken(devices);
  return json;
}

std::string machine_in_words(std::span<const Backend* const> devices) {
  const Backend& first = *devices.front();
  return fmt::format("{}, {}, {}", spoken(devices), to_string(first.precision()),
                     first.description());
}

Json describe(std::span<const std::string> names, std::span<const MemoryEstimate> of_devices) {
  Json json;
  for (std::size_t r = 0; r < of_devices.size(); ++r) {
    Json strip;
    if (const auto& rows = of_devices[r].strip) {
      strip = {{"top", rows->top},
               {"height", rows->height},
               {"halo_above", rows->above},
               {"halo_below", rows->below}};
    }
    json.push_back({{"name", names[r]}, {"strip", strip}, {"memory", describe(of_devices[r])}});
  }
  return json;
}

std::string strip_in_words(const MemoryEstimate& memory, const Image& picture) {
  if (!memory.strip) {
    return fmt::format("all {} rows, too few for strips", picture.height);
  }
  const StripEstimate& strip = *memory.strip;
  return fmt::format("rows {} to {}, a halo of {}", strip.top, strip.top + strip.height - 1,
                     strip.above + strip.below);
}

Json describe_versions() { return {{"impasto", version}, {"compiler", compiler}}; }

Image finished(Image picture, const Image& content, const Settings& settings) {
  picture = result_in(settings.colours, content, std::move(picture));
  picture.alpha = content.alpha;
  picture.bits = static_cast<int>(settings.depth.value_or(content.bits));
  if (settings.keep_profile) picture.profile = content.profile;
  return picture;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

double rate(std::int64_t iterations, double seconds) {
  return seconds > 0 ? static_cast<double>(iterations) / seconds : 0;
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string in_words(const Json& value) {
  if (value.is_null() || (value.is_array() && value.empty())) return {};
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  if (!value.is_object()) return value.dump();
  std::string text;
  for (const auto& [layer, weight] : value.items()) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", layer, in_words(weight));
  }
  return text;
}

std::string human_bytes(std::size_t bytes) {
  constexpr std::array<std::string_view, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < units.size(); ++unit) amount /= 1024;
  return fmt::format("{:.{}f} {}", amount, unit == 0 || amount >= 100 ? 0 : 1, units[unit]);
}

std::string human_time(double seconds) {
  const long whole = std::lround(seconds);
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace impasto::app
