// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weights/source_file.hpp"

namespace impasto {

/// An HDF5 file of unknown origin, read by code of our own: HDF5's library was not made for files
/// that somebody else sends (docs/decisions/0015-own-hdf5-reader.md). It reads what our writer and
/// Keras write: the original file format (superblock 0), groups, float32 datasets in one piece,
/// and attributes that are numbers or texts of fixed length. Everything else is refused: links
/// other than hard ones, external and virtual storage, chunks and filters, shared types.
///
/// Every offset and every length is checked against the file before it is used. Memory stays at
/// a few MiB and the values that read_floats() was asked for.
///
/// Objects are named by absolute path ("/conv1_1/weight"). Every refusal throws ErrorKind::weights
/// and names the file, the object, what was expected and what was found.
class Hdf5File {
 public:
  /// `file` must hold an HDF5 signature at its very beginning (file_kind.hpp).
  explicit Hdf5File(SourceFile file);

  [[nodiscard]] std::uint64_t bytes() const { return file_.bytes(); }
  [[nodiscard]] const std::string& path() const { return file_.name(); }

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

  [[nodiscard]] bool has_attribute(const std::string& object, const std::string& name) const;
  /// Attributes; nothing when there is none of that name. Refuses one of another type.
  [[nodiscard]] std::optional<std::vector<std::string>> strings(const std::string& object,
                                                                const std::string& name) const;
  [[nodiscard]] std::optional<std::vector<double>> numbers(const std::string& object,
                                                           const std::string& name) const;

  /// Throws the refusal of an object of this file.
  [[noreturn]] void refuse(const std::string& object, const std::string& reason) const;

 private:
  struct Message;
  struct Link;
  struct Attribute;
  /// What is found at an address: the messages of its header.
  using Header = std::vector<Message>;

  [[nodiscard]] std::vector<char> read(const std::string& object, std::uint64_t address,
                                       std::uint64_t count) const;
  void read_superblock();
  [[nodiscard]] Header read_header(const std::string& object, std::uint64_t address) const;
  [[nodiscard]] const Message* find(const std::string& object, const Header& header,
                                    unsigned type) const;
  [[nodiscard]] Header open(const std::string& object) const;

  [[nodiscard]] std::vector<Link> links(const std::string& group, const Header& header) const;
  void read_symbols(const std::string& group, const Message& table, std::vector<Link>& found) const;
  [[nodiscard]] Link read_link(const std::string& group, const Message& message) const;
  void require_hard(const std::string& group, const Link& link) const;

  [[nodiscard]] std::optional<Attribute> open_attribute(const std::string& object,
                                                        const std::string& name) const;

  SourceFile file_;
  std::uint64_t root_ = 0;  ///< where the header of the group "/" is
};

/// "(64, 3, 3, 3)"
std::string shape_text(std::span<const std::uint64_t> shape);

}  // namespace impasto
