// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/weights.hpp"
#include "weights/hdf5_file.hpp"
#include "weights/known_files.hpp"

namespace impasto {

// Impasto's weight file is HDF5: for each convolution a group ("conv1_1") with `weight`
// (Cout,3,3,Cin) and `bias` (Cout), both float32, and the attributes below at the root.
// docs/weights.md says it for users.

/// Version 1 knew VGG-19 alone, and no deviation, pooling or licence; it is still read.
inline constexpr int weights_format_version = 2;
inline constexpr std::string_view weights_channel_order = "RGB";
inline constexpr std::uint64_t max_weights_bytes = std::uint64_t{1} << 30U;

/// Reads Impasto's weight file (docs/weights.md), only the layers up to `deepest_layer`.
///
/// The file is treated as untrusted: links other than hard ones, external and virtual storage,
/// plugins, other shapes and types, values that are not finite and anything that does not belong
/// there are refused; no other file is opened. Throws ErrorKind::weights naming the file, the
/// object, what was expected and what was found, and ErrorKind::usage for a layer that does not
/// exist.
Weights load_weights(const std::string& path, std::string_view deepest_layer = "pool5");

/// Writes weights in Impasto's format, atomically. Throws ErrorKind::output with the path and the
/// reason.
void save_weights(const Weights& weights, const std::string& path);

// Layer by layer, for what must not hold a whole network in memory.

/// Impasto's weight file, read layer by layer. What the file says about itself is checked when it
/// is opened, a layer when it is read. Throws ErrorKind::weights.
class WeightsReader {
 public:
  explicit WeightsReader(const std::string& path);

  [[nodiscard]] const NetworkTraits& header() const { return header_; }
  /// The convolutions in the file, input first: all of the network's, or the first few.
  [[nodiscard]] std::span<const VggLayer* const> layers() const { return layers_; }
  [[nodiscard]] ConvParameters read(const VggLayer& layer) const;
  [[nodiscard]] std::uint64_t bytes() const { return file_.bytes(); }

 private:
  void read_header();
  void read_traits(int version);
  void list_layers();
  [[nodiscard]] std::array<float, 3> pixel(const std::string& attribute, double lowest,
                                           double highest) const;
  [[nodiscard]] std::string text(const std::string& attribute) const;

  Hdf5File file_;
  NetworkTraits header_;
  std::vector<const VggLayer*> layers_;
};

/// Writes Impasto's weight file layer by layer. The file appears, complete, with commit(); the same
/// content gives the same bytes. Throws ErrorKind::output with the path and the reason, and
/// ErrorKind::weights instead of writing a file that WeightsReader would refuse.
class WeightsWriter {
 public:
  explicit WeightsWriter(const std::string& path);
  WeightsWriter(const WeightsWriter&) = delete;
  WeightsWriter& operator=(const WeightsWriter&) = delete;
  ~WeightsWriter();

  void write(const VggLayer& layer, const ConvParameters& parameters);
  void commit(const NetworkTraits& header);

 private:
  struct Target;
  std::unique_ptr<Target> target_;
};

// What a file holds, for people.

struct ValueStatistics {
  double min = 0;
  double max = 0;
  double mean = 0;
  double deviation = 0;
};

struct LayerReport {
  std::string name;
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  ValueStatistics weight;  ///< of (Cout,3,3,Cin)
  ValueStatistics bias;    ///< of (Cout)
};

/// What a weight file holds.
struct WeightsReport {
  std::uint64_t file_bytes = 0;
  std::string file_sha256;  ///< of the file itself
  NetworkTraits header;     ///< what the file says of itself, its source's name and hashes included
  /// The published file that the source had the hash of, or nullptr. The header is as trustworthy
  /// as whoever made the file.
  const KnownFile* known = nullptr;
  std::vector<LayerReport> layers;
};

/// Reads all of Impasto's weight file, one layer at a time, under the rules of load_weights().
/// Throws ErrorKind::weights.
WeightsReport inspect_weights(const std::string& path);

}  // namespace impasto
