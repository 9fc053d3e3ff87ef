// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weights/hdf5_handle.hpp"

namespace impasto {

/// An HDF5 file of unknown origin, opened for reading. What HDF5 could do beyond copying this one
/// file's own bytes is refused before a value is read: links other than hard ones, external and
/// virtual storage, and anything but plain contiguous values. Chunks and filters are not needed
/// here, and HDF5 1.10 reads past the end of a compressed chunk that unfolds to less than it
/// should.
///
/// Objects are named by absolute path ("/conv1_1/weight"). Every refusal throws ErrorKind::weights
/// and names the file, the object, what was expected and what was found.
class Hdf5File {
 public:
  /// `path` must hold an HDF5 signature at its very beginning (file_kind.hpp).
  Hdf5File(std::string path, std::uint64_t bytes);

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Whether a group has a link of that name. Refuses it unless it is a hard link.
  [[nodiscard]] bool contains(const std::string& group, const std::string& name) const;
  /// The names in a group, sorted; refuses groups of more than 256 and links that are not hard.
  [[nodiscard]] std::vector<std::string> members(const std::string& group) const;
  [[nodiscard]] bool is_group(const std::string& object) const;

  [[nodiscard]] std::vector<std::uint64_t> shape(const std::string& dataset) const;
  /// All values of a float32 dataset of exactly this shape, each finite and smaller than 10,000 in
  /// magnitude.
  [[nodiscard]] std::vector<float> read_floats(const std::string& dataset,
                                               std::span<const std::uint64_t> expected) const;

  /// Attributes; nothing when there is none of that name. Refuses one of another type.
  [[nodiscard]] std::optional<std::vector<std::string>> strings(const std::string& object,
                                                                const std::string& name) const;
  [[nodiscard]] std::optional<std::vector<double>> numbers(const std::string& object,
                                                           const std::string& name) const;

  /// Throws the refusal of an object of this file.
  [[noreturn]] void refuse(const std::string& object, const std::string& reason) const;

 private:
  [[nodiscard]] Hdf5Object open(const std::string& object) const;
  [[nodiscard]] Hdf5Dataset open_dataset(const std::string& name) const;
  [[nodiscard]] Hdf5Attribute open_attribute(const std::string& object,
                                             const std::string& name) const;
  void check_links(const std::string& object) const;
  void check_storage(const std::string& name, const Hdf5Dataset& dataset,
                     std::uint64_t declared) const;

  Hdf5Session session_;
  std::string path_;
  std::uint64_t bytes_;
  Hdf5FileId file_;
};

/// "(64, 3, 3, 3)"
std::string shape_text(std::span<const std::uint64_t> shape);

}  // namespace impasto
