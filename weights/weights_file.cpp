// SPDX-License-Identifier: MIT
#include "weights/weights_file.hpp"

#include <algorithm>
#include <cmath>

#include "host/core/atomic_file.hpp"
#include "host/core/digest.hpp"
#include "host/core/error.hpp"
#include "host/core/printable.hpp"
#include "weights/file_kind.hpp"
#include "weights/hdf5_handle.hpp"

namespace impasto {

// Reading.

namespace {

/// Opens what looks like HDF5 and tells of anything else what it is and what to do.
Hdf5File open_hdf5(const std::string& path) {
  SourceFile file(path, max_weights_bytes);
  const IdentifiedFile found = identify(file);
  switch (found.kind) {
    case FileKind::hdf5: return Hdf5File(std::move(file));
    case FileKind::matlab5:
      fail(ErrorKind::weights,
           "weights '{}' are in MATLAB's format; convert them first: impasto weights convert IN "
           "OUT.h5",
           path);
    case FileKind::matlab73:
      fail(ErrorKind::weights,
           "weights '{}' are a MATLAB 7.3 file; expected an HDF5 file written by impasto weights "
           "convert",
           path);
    default:
      fail(ErrorKind::weights, "weights '{}' are not an HDF5 file but {}", path, found.content);
  }
}

/// Of the pixels of a training set, or of the numbers that they were turned into.
constexpr double lowest_deviation = 0.01;
constexpr double highest_deviation = 1000;

bool is_hex(std::string_view text, std::size_t digits) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.empty() || (text.size() == digits && std::ranges::all_of(text, hex));
}

}  // namespace

WeightsReader::WeightsReader(const std::string& path) : file_(open_hdf5(path)) {
  read_header();
  list_layers();
}

std::string WeightsReader::text(const std::string& attribute) const {
  const auto values = file_.strings("/", attribute);
  if (!values || values->size() != 1) {
    file_.refuse("/", fmt::format("lacks the attribute '{}', one text", attribute));
  }
  constexpr std::size_t longest = 255;
  return printable(values->front().substr(0, longest));
}

void WeightsReader::read_header() {
  const auto version = file_.numbers("/", "format_version");
  if (!version) {
    file_.refuse("/",
                 file_.has_attribute("/", "layer_names") || file_.contains("/", "model_weights")
                     ? "is in Keras' format; convert it first: impasto weights convert IN "
                       "OUT.h5"
                     : "lacks the attribute 'format_version'; expected a file written by "
                       "impasto weights convert");
  }
  if (version->size() != 1 || version->front() < 1 || version->front() > weights_format_version) {
    file_.refuse("/", fmt::format("has format_version {}; this program reads 1 to {}",
                                  fmt::join(*version, ", "), weights_format_version));
  }
  read_traits(static_cast<int>(version->front()));
  header_.description = text("description");
  header_.origin = {text("source_file"), text("source_sha256"), text("source_md5"),
                    text("converter_version")};
  if (!is_hex(header_.origin.source_sha256, 64) || !is_hex(header_.origin.source_md5, 32)) {
    file_.refuse("/", "has a source hash that is not 64 or 32 hexadecimal digits");
  }
}

/// What network it is and what it was trained to see.
void WeightsReader::read_traits(int version) {
  const auto expect = [&](const std::string& attribute, const auto& known) {
    const std::string found = text(attribute);
    const auto at = std::ranges::find(known, found);
    if (at == known.end()) {
      file_.refuse("/", fmt::format("has the attribute {} = '{}'; expected '{}'", attribute, found,
                                    fmt::join(known, "' or '")));
    }
    return static_cast<std::size_t>(at - known.begin());
  };
  std::vector<std::string_view> networks;
  for (const VggLayers* layers : vgg_networks) networks.push_back(layers->name());
  header_.layers = vgg_networks.at(expect("network", networks));
  expect("channel_order", std::array{weights_channel_order});
  header_.mean = pixel("mean_pixel", 0, 255);
  if (version == 1) return;
  header_.deviation = pixel("deviation_pixel", lowest_deviation, highest_deviation);
  std::vector<std::string_view> words;
  for (const auto& [word, mode] : pool_words) words.push_back(word);
  header_.pool.mode = pool_words.at(expect("pooling", words)).second;
  header_.licence = text("licence");
}

std::array<float, 3> WeightsReader::pixel(const std::string& attribute, double lowest,
                                          double highest) const {
  const auto values = file_.numbers("/", attribute);
  const auto in_range = [&](double value) { return value >= lowest && value <= highest; };
  if (!values || values->size() != 3 || !std::ranges::all_of(*values, in_range)) {
    file_.refuse(
        "/",
        fmt::format("lacks the attribute '{}', three numbers from {} to {}: found ({})", attribute,
                    lowest, highest, fmt::join(values.value_or(std::vector<double>()), ", ")));
  }
  std::array<float, 3> found{};
  std::ranges::transform(*values, found.begin(),
                         [](double value) { return static_cast<float>(value); });
  return found;
}

void WeightsReader::list_layers() {
  const std::vector<std::string> found = file_.members("/");
  const std::vector<const VggLayer*> all = header_.layers->convs();
  for (const VggLayer* layer : all) {
    if (!std::ranges::binary_search(found, layer->name)) break;
    layers_.push_back(layer);
  }
  if (layers_.size() == found.size() && !layers_.empty()) return;
  // Either a layer is missing before another one, or there is something that does not belong here.
  const auto known = [&](std::string_view name) {
    return std::ranges::find(all, name, &VggLayer::name) != all.end();
  };
  const auto stranger = std::ranges::find_if_not(found, known);
  if (stranger != found.end()) {
    file_.refuse("/" + *stranger, fmt::format("does not belong here; expected only {}'s layers",
                                              header_.layers->name()));
  }
  file_.refuse(fmt::format("/{}", all.at(layers_.size())->name), "is missing");
}

ConvParameters WeightsReader::read(const VggLayer& layer) const {
  const std::string group = fmt::format("/{}", layer.name);
  for (const std::string& name : file_.members(group)) {
    if (name != "weight" && name != "bias") {
      file_.refuse(group + "/" + name, "does not belong here; expected weight and bias");
    }
  }
  const auto in = static_cast<std::uint64_t>(layer.in_channels);
  const auto out = static_cast<std::uint64_t>(layer.out_channels);
  ConvParameters parameters{layer.in_channels, layer.out_channels, {}, {}};
  parameters.weight = file_.read_floats(group + "/weight", std::array{out, 3UL, 3UL, in});
  parameters.bias = file_.read_floats(group + "/bias", std::array{out});
  return parameters;
}

Weights load_weights(const std::string& path, std::string_view deepest_layer) {
  // Before the file is opened: a layer that no network has is no fault of the file.
  static_cast<void>(vgg_layer_name(deepest_layer));
  const WeightsReader reader(path);
  const NetworkTraits& header = reader.header();
  const std::vector<const VggLayer*> needed = header.layers->convs_up_to(deepest_layer);
  if (reader.layers().size() < needed.size()) {
    fail(ErrorKind::weights, "weights '{}' end at {}; expected them to reach {}", path,
         reader.layers().back()->name, needed.back()->name);
  }
  Weights weights{header, {}};
  for (const VggLayer* layer : needed) {
    weights.convs.push_back({std::string(layer->name), reader.read(*layer)});
  }
  return weights;
}

// Writing.

struct WeightsWriter::Target {
  explicit Target(const std::string& to) : path(to), file(to) {}

  void check(bool ok) const {
    if (!ok) fail(ErrorKind::output, "cannot write weights '{}': {}", path, hdf5_reason());
  }

  /// Properties for files, groups and datasets: without the time of writing, so that equal content
  /// gives equal bytes.
  static Hdf5Properties timeless(hid_t kind) {
    Hdf5Properties properties(H5Pcreate(kind));
    H5Pset_obj_track_times(properties.get(), false);
    return properties;
  }

  void write_floats(const Hdf5Group& group, const char* name, std::span<const hsize_t> shape,
                    std::span<const float> values) const {
    const Hdf5Properties properties = timeless(H5P_DATASET_CREATE);
    const Hdf5Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
    Hdf5Dataset dataset(H5Dcreate2(group.get(), name, H5T_IEEE_F32LE, space.get(), H5P_DEFAULT,
                                   properties.get(), H5P_DEFAULT));
    check(dataset && H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                              values.data()) >= 0);
    check(dataset.close());
  }

  void write_attribute(const char* name, hid_t type, hsize_t count, const void* value) const {
    const Hdf5Space space(count == 1 ? H5Screate(H5S_SCALAR)
                                     : H5Screate_simple(1, &count, nullptr));
    const Hdf5Attribute attribute(
        H5Acreate2(content.get(), name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
    const Hdf5Type memory(H5Tget_native_type(type, H5T_DIR_ASCEND));
    check(attribute && H5Awrite(attribute.get(), memory.get(), value) >= 0);
  }

  void write_text(const char* name, const std::string& text) const {
    // A text of length 0 cannot be stored; the terminating zero always is.
    const Hdf5Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), text.size() + 1);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    write_attribute(name, type.get(), 1, text.c_str());
  }

  /// Throws where the file that is about to appear would be refused.
  void read_back() {
    try {
      const WeightsReader reader(file.temporary_path());
      for (const VggLayer* layer : reader.layers()) static_cast<void>(reader.read(*layer));
    } catch (const Error& error) {
      fail(ErrorKind::weights, "'{}' is not written, because it could not be read: {}", path,
           error.what());
    }
  }

  Hdf5Session session;
  std::string path;
  AtomicFile file;
  Hdf5FileId content;
};

WeightsWriter::WeightsWriter(const std::string& path) : target_(std::make_unique<Target>(path)) {
  const Hdf5Properties creation = Target::timeless(H5P_FILE_CREATE);
  const Hdf5Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_file_locking(access.get(), false, true);
  // The original file format, which is what Hdf5File reads, whatever the library prefers.
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  target_->content = Hdf5FileId(H5Fcreate(target_->file.temporary_path().c_str(), H5F_ACC_TRUNC,
                                          creation.get(), access.get()));
  target_->check(static_cast<bool>(target_->content));
}

WeightsWriter::~WeightsWriter() = default;

void WeightsWriter::write(const VggLayer& layer, const ConvParameters& parameters) {
  require(parameters.in_channels == layer.in_channels &&
              parameters.out_channels == layer.out_channels &&
              parameters.weight.size() ==
                  static_cast<std::size_t>(9 * layer.in_channels * layer.out_channels) &&
              parameters.bias.size() == static_cast<std::size_t>(layer.out_channels),
          "the parameters of {} do not have its shape", layer.name);
  const Hdf5Properties properties = Target::timeless(H5P_GROUP_CREATE);
  const Hdf5Group group(H5Gcreate2(target_->content.get(), std::string(layer.name).c_str(),
                                   H5P_DEFAULT, properties.get(), H5P_DEFAULT));
  target_->check(static_cast<bool>(group));
  const auto in = static_cast<hsize_t>(layer.in_channels);
  const auto out = static_cast<hsize_t>(layer.out_channels);
  target_->write_floats(group, "weight", std::array<hsize_t, 4>{out, 3, 3, in}, parameters.weight);
  target_->write_floats(group, "bias", std::array<hsize_t, 1>{out}, parameters.bias);
}

void WeightsWriter::commit(const NetworkTraits& header) {
  const Target& to = *target_;
  to.write_attribute("format_version", H5T_STD_I32LE, 1, &weights_format_version);
  to.write_text("network", std::string(header.layers->name()));
  to.write_text("channel_order", std::string(weights_channel_order));
  to.write_attribute("mean_pixel", H5T_IEEE_F32LE, header.mean.size(), header.mean.data());
  to.write_attribute("deviation_pixel", H5T_IEEE_F32LE, header.deviation.size(),
                     header.deviation.data());
  to.write_text("pooling", std::string(pool_word(header.pool.mode)));
  to.write_text("description", header.description);
  to.write_text("licence", header.licence);
  to.write_text("source_file", header.origin.source_file);
  to.write_text("source_sha256", header.origin.source_sha256);
  to.write_text("source_md5", header.origin.source_md5);
  to.write_text("converter_version", header.origin.converter_version);
  to.check(target_->content.close());
  target_->read_back();
  target_->file.commit();
}

void save_weights(const Weights& weights, const std::string& path) {
  WeightsWriter writer(path);
  for (const NamedConv& conv : weights.convs) {
    writer.write((*weights.layers)[weights.layers->index(conv.name)], conv.parameters);
  }
  writer.commit(weights);
}

// For people.

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
  report.file_bytes = reader.bytes();
  report.file_sha256 = sha256_file(path);
  return report;
}

}  // namespace impasto
