// SPDX-License-Identifier: MIT
#include "host/app/activation_file.hpp"

#include <array>

#include "host/core/atomic_file.hpp"
#include "host/core/error.hpp"
#include "weights/hdf5_handle.hpp"

namespace impasto::app {
namespace {

void write_attribute(const Hdf5Dataset& dataset, const char* name, const std::string& text) {
  const Hdf5Space scalar(H5Screate(H5S_SCALAR));
  const Hdf5Type type(H5Tcopy(H5T_C_S1));
  const bool typed =
      H5Tset_size(type.get(), text.size() + 1) >= 0 && H5Tset_cset(type.get(), H5T_CSET_UTF8) >= 0;
  const Hdf5Attribute attribute(
      typed ? H5Acreate2(dataset.get(), name, type.get(), scalar.get(), H5P_DEFAULT, H5P_DEFAULT)
            : H5I_INVALID_HID);
  if (!attribute || H5Awrite(attribute.get(), type.get(), text.c_str()) < 0) {
    fail(ErrorKind::output, "cannot write the attribute {}: {}", name, hdf5_reason());
  }
}

/// False when HDF5 could not write all of it.
bool write_file(const Activation& activation, const ActivationOrigin& origin,
                const std::string& path) {
  Hdf5FileId file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  if (!file) return false;
  const std::array<hsize_t, 3> shape = {static_cast<hsize_t>(activation.height),
                                        static_cast<hsize_t>(activation.width),
                                        static_cast<hsize_t>(activation.channels)};
  const Hdf5Space space(H5Screate_simple(3, shape.data(), nullptr));
  // Without the time of writing, so that the same values give the same bytes.
  const Hdf5Properties timeless(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(timeless.get(), false);
  Hdf5Dataset dataset(H5Dcreate2(file.get(), "activation", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT,
                                 timeless.get(), H5P_DEFAULT));
  if (!dataset || H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           activation.values.data()) < 0) {
    return false;
  }
  write_attribute(dataset, "layer", origin.layer);
  write_attribute(dataset, "image", origin.image);
  write_attribute(dataset, "weights", origin.weights);
  return dataset.close() && file.close();
}

}  // namespace

void save_activation(const Activation& activation, const ActivationOrigin& origin,
                     const std::string& path) {
  const Hdf5Session session;
  AtomicFile file(path);
  if (!write_file(activation, origin, file.temporary_path())) {
    fail(ErrorKind::output, "{}: cannot be written: {}", path, hdf5_reason());
  }
  file.commit();
}

}  // namespace impasto::app
