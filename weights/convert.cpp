// SPDX-License-Identifier: MIT
#include "weights/convert.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "host/core/digest.hpp"
#include "host/core/error.hpp"
#include "weights/file_kind.hpp"
#include "weights/pytorch.hpp"
#include "weights/safetensors.hpp"
#include "weights/weights_file.hpp"
#include "weights/zip_file.hpp"

namespace impasto {
namespace {

namespace fs = std::filesystem;

// The published .mat has 576 million bytes; uncompressed doubles would have twice that.
constexpr std::uint64_t max_source_bytes = std::uint64_t{4} << 30U;
constexpr int max_archives = 3;  // within each other

using Progress = std::function<void(const ConvertProgress&)>;

// Sources.

/// A file whose layers can be read.
struct Source {
  std::string format;  ///< for people
  std::function<PublishedTraits(const LayerSink&)> read;
};

Source open_source(const SourceFile& file, Preparation preparation, int archives);

Source open_state_dict(const SourceFile& file, const std::string& format,
                       std::vector<StoredTensor> tensors, Preparation preparation) {
  const StateDictNetwork network(file, std::move(tensors), preparation);
  return {format, [network](const LayerSink& sink) { return network.read(sink); }};
}

bool may_hold_weights(const ZipFile::Entry& entry) {
  constexpr std::array<std::string_view, 9> extensions = {
      ".pth", ".pt", ".tar", ".ckpt", ".bin", ".safetensors", ".mat", ".h5", ".hdf5"};
  return std::ranges::any_of(extensions,
                             [&](std::string_view end) { return entry.name.ends_with(end); });
}

/// The one file in an archive that holds VGG, perhaps among files of other networks.
Source open_archive(const SourceFile& file, Preparation preparation, int archives) {
  const ZipFile archive(file);
  if (is_pytorch(archive)) {
    return open_state_dict(file, "PyTorch", list_pytorch(archive), preparation);
  }
  if (archives == max_archives) file.refuse("it is an archive in an archive in an archive");
  std::optional<Source> found;
  std::string found_name;
  std::vector<std::string> reasons;
  for (const ZipFile::Entry& entry : archive.entries()) {
    if (!may_hold_weights(entry)) continue;
    std::optional<Source> source;
    try {
      source = open_source(archive.open(entry, max_source_bytes), preparation, archives + 1);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::weights) throw;
      reasons.emplace_back(error.what());
      continue;
    }
    if (found) {
      file.refuse(fmt::format("it holds two files of weights, {} and {}; unpack one of them",
                              found_name, entry.name));
    }
    found = Source{fmt::format("{}, {}", source->format, entry.name), source->read};
    found_name = entry.name;
  }
  if (found) return *found;
  if (reasons.empty()) {
    file.refuse("it is an archive without weights: expected a .pth, .safetensors, .h5 or .mat");
  }
  // Of several files, the first one's reason; it names the file.
  throw Error(ErrorKind::weights, reasons.front());
}

Source open_source(const SourceFile& file, Preparation preparation, int archives = 0) {
  const IdentifiedFile found = identify(file);
  const auto without_preparation = [&] {
    if (preparation == Preparation::automatic) return;
    fail(ErrorKind::usage,
         "'{}' is prepared in one way only; --preparation is for files of PyTorch and safetensors",
         file.name());
  };
  switch (found.kind) {
    case FileKind::matlab5:
      without_preparation();
      return {"MatConvNet (MATLAB level 5)",
              [file](const LayerSink& sink) { return read_matconvnet(file, sink); }};
    case FileKind::hdf5:
      without_preparation();
      return {"Keras (HDF5)", [file](const LayerSink& sink) { return read_keras(file, sink); }};
    case FileKind::safetensors:
      return open_state_dict(file, "safetensors", list_safetensors(file), preparation);
    case FileKind::pickle:
      return open_state_dict(file, "PyTorch (before 1.6)", list_old_pytorch(file), preparation);
    case FileKind::zip: return open_archive(file, preparation, archives);
    case FileKind::matlab73:
      fail(ErrorKind::weights,
           "weights '{}' are a MATLAB 7.3 file; expected level 5, as published or saved with -v7",
           file.name());
    case FileKind::other: break;
  }
  fail(ErrorKind::weights,
       "weights '{}' are of no kind that is read here but {}. Expected VGG-19 or VGG-16 as .mat "
       "(MatConvNet), .h5 (Keras), .pth (PyTorch) or .safetensors",
       file.name(), found.content);
}

WeightsOrigin hash_source(const std::string& path, std::uint64_t bytes, const Progress& progress) {
  Digest sha256(DigestKind::sha256);
  Digest md5(DigestKind::md5);
  std::uint64_t done = 0;
  for_each_block(path, [&](std::span<const std::byte> block) {
    sha256.update(block);
    md5.update(block);
    done += block.size();
    if (progress) progress({"hashing", done, bytes});
  });
  return {fs::path(path).filename().string(), sha256.finish(), md5.finish(), IMPASTO_VERSION};
}

// Layers.

/// The network whose layers these are: VGG-19 has three that VGG-16 lacks.
const VggLayers& network_of(const std::set<std::string_view>& layers) {
  const auto in_vgg16 = [](std::string_view name) {
    return std::ranges::find(vgg16, name, &VggLayer::name) != vgg16.end();
  };
  return std::ranges::all_of(layers, in_vgg16) && layers.contains("conv5_3") ? vgg16 : vgg19;
}

}  // namespace

const VggLayer* find_conv(std::string_view name) {
  const std::vector<const VggLayer*> convs = vgg19.convs();
  const auto found = std::ranges::find(convs, name, &VggLayer::name);
  return found == convs.end() ? nullptr : *found;
}

void check_values(const std::string& path, std::string_view what, std::span<const float> values) {
  const auto good = [](float value) { return std::abs(value) < 1e4F; };
  const auto bad = std::ranges::find_if_not(values, good);
  if (bad == values.end()) return;
  fail(ErrorKind::weights,
       "weights '{}' are refused: {} holds {}; expected finite values below 10000", path, what,
       *bad);
}

ConversionReport convert_weights(const std::string& in, const std::string& out,
                                 Preparation preparation, const Progress& progress) {
  const SourceFile file(in, max_source_bytes);
  std::error_code no_such_file;
  if (fs::equivalent(in, out, no_such_file)) {
    fail(ErrorKind::usage, "cannot convert '{}' onto itself", in);
  }
  const Source source = open_source(file, preparation);
  WeightsWriter writer(out);
  ConversionReport report;
  report.source_format = source.format;
  const WeightsOrigin origin = hash_source(in, file.bytes(), progress);
  report.known = find_known_file(origin.source_sha256, origin.source_md5);

  std::set<std::string_view> written;
  const LayerSink sink = [&](const VggLayer& layer, const ConvParameters& parameters) {
    if (!written.insert(layer.name).second)
      file.refuse(fmt::format("{} is there twice", layer.name));
    writer.write(layer, parameters);
    if (progress) progress({"converting", written.size(), vgg19.convs().size()});
  };
  const PublishedTraits traits = source.read(sink);
  NetworkTraits& header = report.header;
  header = traits.network;
  header.origin = origin;
  header.layers = &network_of(written);
  for (const VggLayer* layer : header.layers->convs()) {
    if (!written.contains(layer->name)) file.refuse(fmt::format("{} is missing", layer->name));
  }
  const std::size_t all = vgg19.convs().size();
  if (progress) progress({"converting", all, all});
  header.description = fmt::format("{} from {}", header.layers->name(), header.origin.source_file);
  if (report.known != nullptr) header.licence = report.known->licence;
  // What is assumed of any file is known of a published one.
  if (report.known == nullptr && !traits.assumption.empty()) {
    report.notes.push_back(traits.assumption);
  }
  writer.commit(header);
  return report;
}

}  // namespace impasto
