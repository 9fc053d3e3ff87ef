// SPDX-License-Identifier: MIT
#include "weights/convert.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <system_error>

#include "host/core/digest.hpp"
#include "host/core/error.hpp"
#include "weights/file_kind.hpp"
#include "weights/published.hpp"
#include "weights/weights_file.hpp"

namespace impasto {
namespace {

namespace fs = std::filesystem;

// The published .mat has 576 million bytes; uncompressed doubles would have twice that.
constexpr std::uint64_t max_source_bytes = std::uint64_t{4} << 30U;

using Progress = std::function<void(const ConvertProgress&)>;

FileKind identify_source(const SourceFile& file) {
  const IdentifiedFile found = identify(file);
  const std::string& path = file.name();
  switch (found.kind) {
    case FileKind::matlab5:
    case FileKind::hdf5: return found.kind;
    case FileKind::matlab73:
      fail(ErrorKind::weights,
           "weights '{}' are a MATLAB 7.3 file; expected level 5, as published or saved with -v7",
           path);
    default: break;
  }
  fail(ErrorKind::weights,
       "weights '{}' are neither a MATLAB nor an HDF5 file but {}. Expected MatConvNet's "
       "imagenet-vgg-verydeep-19.mat or Keras' .h5 file of VGG-19",
       path, found.content);
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
                                 const Progress& progress) {
  const SourceFile source(in, max_source_bytes);
  const FileKind kind = identify_source(source);
  std::error_code no_such_file;
  if (fs::equivalent(in, out, no_such_file)) {
    fail(ErrorKind::usage, "cannot convert '{}' onto itself", in);
  }
  WeightsWriter writer(out);
  ConversionReport report;
  report.header.origin = hash_source(in, source.bytes(), progress);

  const std::vector<const VggLayer*> all = vgg19.convs();
  std::set<std::string_view> written;
  const LayerSink sink = [&](const VggLayer& layer, const ConvParameters& parameters) {
    if (!written.insert(layer.name).second) {
      fail(ErrorKind::weights, "weights '{}' are refused: {} is there twice", in, layer.name);
    }
    writer.write(layer, parameters);
    if (progress) progress({"converting", written.size(), all.size()});
  };
  const bool matlab = kind == FileKind::matlab5;
  report.source_format = matlab ? "MatConvNet (MATLAB level 5)" : "Keras (HDF5)";
  const std::optional<std::array<float, 3>> mean =
      matlab ? read_matconvnet(source, sink) : read_keras(source, sink);
  report.header.mean = mean.value_or(vgg_mean);
  if (!mean) {
    report.notes.push_back(fmt::format("the file has no mean pixel; the published one is taken: {}",
                                       fmt::join(vgg_mean, " ")));
  }
  for (const VggLayer* layer : all) {
    if (written.contains(layer->name)) continue;
    const bool is_vgg16 = layer->name == "conv3_4" && written.contains("conv5_3");
    fail(ErrorKind::weights, "weights '{}' are refused: {} is missing{}", in, layer->name,
         is_vgg16 ? vgg16_note : "");
  }
  report.header.description = fmt::format("VGG-19 from {}", report.header.origin.source_file);
  report.known =
      find_known_file(report.header.origin.source_sha256, report.header.origin.source_md5);
  writer.commit(report.header);
  return report;
}

}  // namespace impasto
