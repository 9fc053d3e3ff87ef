// SPDX-License-Identifier: MIT
#include "weights/weights_writer.hpp"

#include <algorithm>
#include <array>

#include "host/core/error.hpp"

namespace impasto {
namespace {

/// For files and groups and datasets: without the time of writing, so that equal content gives
/// equal bytes.
Hdf5Properties timeless(hid_t kind) {
  Hdf5Properties properties(H5Pcreate(kind));
  H5Pset_obj_track_times(properties.get(), false);
  return properties;
}

}  // namespace

WeightsWriter::WeightsWriter(const std::string& path) : path_(path), target_(path) {
  const Hdf5Properties creation = timeless(H5P_FILE_CREATE);
  const Hdf5Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_file_locking(access.get(), false, true);
  file_ = Hdf5FileId(
      H5Fcreate(target_.temporary_path().c_str(), H5F_ACC_TRUNC, creation.get(), access.get()));
  check(static_cast<bool>(file_));
}

void WeightsWriter::check(bool ok) const {
  if (!ok) fail(ErrorKind::output, "cannot write weights '{}': {}", path_, hdf5_reason());
}

void WeightsWriter::write(const VggLayer& layer, const ConvParameters& parameters) {
  require(parameters.in_channels == layer.in_channels &&
              parameters.out_channels == layer.out_channels &&
              parameters.weight.size() ==
                  static_cast<std::size_t>(9 * layer.in_channels * layer.out_channels) &&
              parameters.bias.size() == static_cast<std::size_t>(layer.out_channels),
          "the parameters of {} do not have its shape", layer.name);
  const Hdf5Properties properties = timeless(H5P_GROUP_CREATE);
  const Hdf5Group group(H5Gcreate2(file_.get(), std::string(layer.name).c_str(), H5P_DEFAULT,
                                   properties.get(), H5P_DEFAULT));
  check(static_cast<bool>(group));
  const auto in = static_cast<hsize_t>(layer.in_channels);
  const auto out = static_cast<hsize_t>(layer.out_channels);
  write_floats(group, "weight", std::array<hsize_t, 4>{out, 3, 3, in}, parameters.weight);
  write_floats(group, "bias", std::array<hsize_t, 1>{out}, parameters.bias);
}

void WeightsWriter::write_floats(const Hdf5Group& group, const char* name,
                                 std::span<const hsize_t> shape, std::span<const float> values) {
  const Hdf5Properties properties = timeless(H5P_DATASET_CREATE);
  const Hdf5Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  Hdf5Dataset dataset(H5Dcreate2(group.get(), name, H5T_IEEE_F32LE, space.get(), H5P_DEFAULT,
                                 properties.get(), H5P_DEFAULT));
  check(dataset && H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                            values.data()) >= 0);
  check(dataset.close());
}

void WeightsWriter::write_attribute(const char* name, hid_t type, hsize_t count,
                                    const void* value) {
  const Hdf5Space space(count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr));
  const Hdf5Attribute attribute(
      H5Acreate2(file_.get(), name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
  const Hdf5Type memory(H5Tget_native_type(type, H5T_DIR_ASCEND));
  check(attribute && H5Awrite(attribute.get(), memory.get(), value) >= 0);
}

void WeightsWriter::write_text(const char* name, const std::string& text) {
  // A text of length 0 cannot be stored; the terminating zero always is.
  const Hdf5Type type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), text.size() + 1);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  write_attribute(name, type.get(), 1, text.c_str());
}

void WeightsWriter::commit(const WeightsHeader& header) {
  write_attribute("format_version", H5T_STD_I32LE, 1, &weights_format_version);
  write_text("network", std::string(weights_network));
  write_text("channel_order", std::string(weights_channel_order));
  write_attribute("mean_pixel", H5T_IEEE_F32LE, header.mean.size(), header.mean.data());
  write_text("description", header.description);
  write_text("source_file", header.origin.source_file);
  write_text("source_sha256", header.origin.source_sha256);
  write_text("source_md5", header.origin.source_md5);
  write_text("converter_version", header.origin.converter_version);
  check(file_.close());
  target_.commit();
}

}  // namespace impasto
