// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "host/backend/backend.hpp"
#include "host/core/atomic_file.hpp"
#include "host/model/vgg19.hpp"
#include "weights/hdf5_handle.hpp"
#include "weights/weights_format.hpp"

namespace impasto {

/// Writes Impasto's weight file layer by layer. The file appears, complete, with commit(); the same
/// content gives the same bytes. Throws ErrorKind::output with the path and the reason.
class WeightsWriter {
 public:
  explicit WeightsWriter(const std::string& path);

  void write(const VggLayer& layer, const ConvParameters& parameters);
  void commit(const WeightsHeader& header);

 private:
  void check(bool ok) const;
  void write_floats(const Hdf5Group& group, const char* name, std::span<const hsize_t> shape,
                    std::span<const float> values);
  void write_attribute(const char* name, hid_t type, hsize_t count, const void* value);
  void write_text(const char* name, const std::string& text);

  Hdf5Session session_;
  std::string path_;
  AtomicFile target_;
  Hdf5FileId file_;
};

}  // namespace impasto
