// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/batch/item.hpp"

namespace impasto::batch {

/// Which pictures a batch makes: contents × styles.
struct Selection {
  std::vector<std::string> contents;  ///< as visit_named() takes them
  std::optional<std::string> list;
  std::optional<std::string> manifest;
  std::vector<std::string> styles;  ///< for every content but those whose row names its own
  std::optional<std::int64_t> styles_per_image;  ///< drawn for each content; none: all of them
  std::uint64_t seed = 0;                        ///< of the draw
  std::string name;                              ///< of an output: "{stem}_{style}.{ext}"
  std::string folder;                            ///< of the outputs; not searched for contents
};

/// Takes one item after the other; throws what makes one impossible.
using VisitItem = std::function<void(const Item&)>;

/// Whether any content took its styles, or its output's name, from the selection, and not from a row.
struct Needed {
  bool styles = false;
  bool name = false;
};

/// Visits every item of the selection, in an order that depends on nothing but the names of the
/// files. Holds the styles, and of a folder the names in it. Throws ErrorKind::usage for a name that
/// no output can have, ErrorKind::input for a source that cannot be read.
Needed visit_items(const Selection& selection, const VisitItem& visit);

/// The styles that a content gets: `count` different ones of `all`, by the seed and the content's
/// id alone.
std::vector<std::size_t> draw_styles(std::uint64_t seed, std::string_view id, std::size_t all,
                                     std::size_t count);

}  // namespace impasto::batch
