// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "host/backend/backend.hpp"
#include "host/model/vgg19.hpp"
#include "weights/hdf5_file.hpp"
#include "weights/weights_format.hpp"

namespace impasto {

/// Impasto's weight file, read layer by layer. What the file says about itself is checked when it
/// is opened, a layer when it is read. Throws ErrorKind::weights.
class WeightsReader {
 public:
  explicit WeightsReader(const std::string& path);

  [[nodiscard]] const WeightsHeader& header() const { return header_; }
  /// The convolutions in the file, input first: all of VGG-19's, or the first few.
  [[nodiscard]] std::span<const VggLayer* const> layers() const { return layers_; }
  [[nodiscard]] ConvParameters read(const VggLayer& layer) const;

 private:
  void read_header();
  void list_layers();
  [[nodiscard]] std::string text(const std::string& attribute) const;

  Hdf5File file_;
  WeightsHeader header_;
  std::vector<const VggLayer*> layers_;
};

}  // namespace impasto
