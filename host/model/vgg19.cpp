// SPDX-License-Identifier: MIT
#include "host/model/vgg19.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "host/core/error.hpp"

namespace impasto {
namespace {

/// Our name for what others call "relu4_2" or "block4_conv2"; any other name as it is.
std::string canonical_name(std::string_view name) {
  if (name.starts_with("relu")) return fmt::format("conv{}", name.substr(4));
  constexpr std::string_view block = "block";
  if (!name.starts_with(block)) return std::string(name);
  const std::size_t bar = name.find('_');
  if (bar == std::string_view::npos) return std::string(name);
  const std::string_view number = name.substr(block.size(), bar - block.size());
  const std::string_view rest = name.substr(bar + 1);
  if (rest == "pool") return fmt::format("pool{}", number);
  if (rest.starts_with("conv")) return fmt::format("conv{}_{}", number, rest.substr(4));
  return std::string(name);
}

/// Levenshtein's distance: how many letters to insert, delete or change.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::size_t vgg19_index(std::string_view name) {
  const std::string wanted = canonical_name(name);
  std::string all;
  for (std::size_t i = 0; i < vgg19.size(); ++i) {
    if (vgg19.at(i).name == wanted) return i;
    all += fmt::format("{}{}", i == 0 ? "" : ", ", vgg19.at(i).name);
  }
  // A long name is nobody's typing error, and comparing it would cost its length.
  const auto distance = [&](const VggLayer& layer) {
    return edit_distance(std::string_view(wanted).substr(0, 32), layer.name);
  };
  const auto nearest = std::ranges::min_element(vgg19, {}, distance);
  const std::string hint =
      distance(*nearest) <= 3 ? fmt::format("; did you mean '{}'?", nearest->name) : "";
  fail(ErrorKind::usage, "VGG-19 has no layer '{}'{} Its layers are {}", name,
       hint.empty() ? "." : hint, all);
}

}  // namespace impasto
