// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "host/api/engine.hpp"
#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/app/version.hpp"
#include "host/backend/registry.hpp"
#include "host/core/suggest.hpp"
#include "weights/convert.hpp"
#include "weights/store.hpp"
#include "weights/weights_file.hpp"

namespace impasto::app {
namespace {

void generate(const Settings& settings) {
  const std::unique_ptr<Backend> backend = make_backend("auto");
  Weights network = make_builtin_weights(settings.config.seed, *backend, "pool5");
  network.origin.converter_version = version;
  save_weights(network, settings.output.string());
  print_result(settings.output.string() + "\n");
}

/// One redrawn line on a terminal; elsewhere nothing, it takes seconds.
void show_progress(const ConvertProgress& progress) {
  if (!terminal().redraws) return;
  const bool done = progress.done >= progress.total;
  print_message(fmt::format("\r{} {} %\x1b[K{}", progress.stage,
                            100 * progress.done / std::max<std::uint64_t>(progress.total, 1),
                            done ? "\r\x1b[K" : ""));
}

Preparation preparation_of(const Settings& settings) {
  if (settings.preparation == "caffe") return Preparation::caffe;
  if (settings.preparation == "torchvision") return Preparation::torchvision;
  return Preparation::automatic;
}

void convert(const Settings& settings) {
  const ConversionReport report = convert_weights(settings.source, settings.output.string(),
                                                  preparation_of(settings), show_progress);
  message("Source   {}, SHA-256 {}\n", report.source_format, report.header.origin.source_sha256);
  for (const std::string& note : report.notes) message("note: {}\n", note);
  if (report.known != nullptr) {
    message("Known    {}, as {} published it\n", report.known->name, report.known->publisher);
  } else {
    message(
        "Unknown  no published file has this hash; make sure that you trust where it is from\n");
  }
  if (!report.header.licence.empty()) message("Licence  {}\n", report.header.licence);
  print_result(settings.output.string() + "\n");
}

/// The files that can be fetched, and which of them are here.
void list_catalogue() {
  std::string lines =
      text("{:<22}{:<9}{:>9}  {:<6}{}\n", "NAME", "NETWORK", "DOWNLOAD", "HERE", "FILE, LICENCE");
  for (const KnownFile& file : known_files()) {
    if (file.id.empty()) continue;
    lines += text("{:<22}{:<9}{:>9}  {:<6}{}, {}\n", file.id, file.network,
                  file.bytes == 0 ? "?" : human_bytes(file.bytes), is_stored(file) ? "yes" : "no",
                  file.name, file.licence);
  }
  print_result(lines);
}

void show_fetched(const std::string& name, std::uint64_t done, std::uint64_t total) {
  if (!terminal().redraws) return;
  print_message(text("\r{} {}{}\x1b[K", name, human_bytes(done),
                     total == 0 ? std::string() : " of " + human_bytes(total)));
}

void get(const Settings& settings) {
  if (settings.name.empty()) {
    list_catalogue();
    return;
  }
  const KnownFile* file = find_in_catalogue(settings.name);
  if (file == nullptr) {
    std::vector<std::string> names;
    for (const KnownFile& known : known_files()) {
      if (!known.id.empty()) names.emplace_back(known.id);
    }
    throw HintedError(ErrorKind::usage, fmt::format("there are no weights '{}'", settings.name),
                      did_you_mean(settings.name, names, "'impasto weights get' lists them"));
  }
  if (is_stored(*file)) {
    message("{} is here already\n", file->id);
    print_result(stored_path(*file) + "\n");
    return;
  }
  if (file->url.empty() && settings.url.empty()) {
    throw HintedError(ErrorKind::usage,
                      fmt::format("{} is in a Python package, which pip fetches", file->id),
                      fmt::format("python3 -m pip download --no-deps stlpips_pytorch==0.0.2, then "
                                  "impasto weights convert {} vgg16.h5",
                                  file->name));
  }
  message("Fetching {} of {}\n", file->name, file->publisher);
  const FetchReport report = fetch_weights(
      *file, {.url = settings.url,
              .patience = std::chrono::seconds(settings.timeout),
              .fetching = [&](std::uint64_t done,
                              std::uint64_t total) { show_fetched(settings.name, done, total); },
              .converting = show_progress});
  message("Source   {}, SHA-256 {}, {}\n", report.conversion.source_format, report.sha256,
          report.checked ? "as published" : "not checked: no hash is published");
  message("Licence  {}\n", file->licence);
  print_result(report.path + "\n");
}

std::string origin(const WeightsReport& report) {
  const WeightsOrigin& source = report.header.origin;
  std::string lines;
  if (!source.source_file.empty()) {
    lines += text("Source   {}\n         SHA-256 {}\n", source.source_file, source.source_sha256);
    lines += report.known == nullptr ? std::string("Unknown  no published file has this hash\n")
                                     : text("Known    {}, as {} published it\n", report.known->name,
                                            report.known->publisher);
  }
  return lines + text("Writer   impasto {}\n", source.converter_version);
}

std::string table(const WeightsReport& report, const std::string& path) {
  const NetworkTraits& header = report.header;
  std::string lines = text("File     {}, {}\n         SHA-256 {}\nNetwork  {}\n", path,
                           human_bytes(report.file_bytes), report.file_sha256, header.description) +
                      origin(report) +
                      (header.licence.empty() ? "" : text("Licence  {}\n", header.licence)) +
                      text("Input    (pixel - mean) / deviation; mean {}, deviation {}\n",
                           fmt::join(header.mean, " "), fmt::join(header.deviation, " ")) +
                      text("Pooling  {}\n\n", pool_word(header.pool.mode));
  lines += text("{:<9}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "LAYER", "IN->OUT", "LOWEST",
                "HIGHEST", "MEAN", "DEVIATION", "MEAN BIAS");
  for (const LayerReport& layer : report.layers) {
    lines += text("{:<9}{:>12}{:>12.4g}{:>12.4g}{:>12.3g}{:>12.4g}{:>12.4g}\n", layer.name,
                  text("{}->{}", layer.in_channels, layer.out_channels), layer.weight.min,
                  layer.weight.max, layer.weight.mean, layer.weight.deviation, layer.bias.mean);
  }
  return lines;
}

void inspect(const Settings& settings) {
  const WeightsReport report = inspect_weights(settings.source);
  print_result(settings.json ? dump(describe(report)) + "\n" : table(report, settings.source));
}

}  // namespace

void add_weights_command(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("weights", "Fetch, convert, inspect or generate a network");
  command->require_subcommand(0, 1);
  add_command(*command,
              {.name = "get",
               .summary = "Fetch published weights, for use without --weights",
               .example = "impasto weights get vgg19",
               .footer = "They are kept in $XDG_DATA_HOME/impasto/weights, which is\n"
                         "~/.local/share/impasto/weights where the variable is not set."},
              get);
  add_command(
      *command,
      {.name = "convert",
       .summary = "Turn a published VGG into a file for --weights",
       .example = "impasto weights convert vgg19-dcbb9e9d.pth vgg19.h5",
       .footer =
           "IN holds VGG-19 or VGG-16: .mat (MatConvNet), .pth (PyTorch), .safetensors or .h5\n"
           "(Keras), also inside a .zip or .whl, recognised by content."},
      convert);
  add_command(*command,
              {.name = "inspect",
               .summary = "Show what a weight file holds",
               .example = "impasto weights inspect vgg19.h5",
               .footer = ""},
              inspect);
  add_command(*command,
              {.name = "generate",
               .summary = "Write the built-in network to a file",
               .example = "impasto weights generate builtin.h5",
               .footer = ""},
              generate);
}

}  // namespace impasto::app
