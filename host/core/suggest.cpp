// SPDX-License-Identifier: MIT
#include "host/core/suggest.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <vector>

namespace impasto {
namespace {

/// Levenshtein distance: the single-letter edits between two words.
std::size_t edits(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0U : 1U);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  // A long word is nobody's typing error, and comparing it would cost its length.
  constexpr std::size_t longest = 64;
  if (word.size() > longest) return {};
  // At least one letter has to stay.
  std::size_t best = std::min(std::max<std::size_t>(2, word.size() / 3) + 1, word.size());
  std::string found;
  for (const std::string& candidate : candidates) {
    if (const std::size_t distance = edits(word, candidate); distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates,
                         std::string_view otherwise) {
  const std::string found = nearest(word, candidates);
  return found.empty() ? std::string(otherwise) : fmt::format("did you mean '{}'?", found);
}

std::string one_of(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace impasto
