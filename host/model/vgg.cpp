// SPDX-License-Identifier: MIT
#include "host/model/vgg.hpp"

#include <string>
#include <vector>

#include "host/core/error.hpp"
#include "host/core/suggest.hpp"

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

}  // namespace

std::size_t VggLayers::index(std::string_view name) const {
  const std::string wanted = canonical_name(name);
  std::vector<std::string> names;
  for (const VggLayer& layer : layers_) {
    if (layer.name == wanted) return index(layer);
    names.emplace_back(layer.name);
  }
  const std::string hint = did_you_mean(wanted, names);
  fail(ErrorKind::usage, "{} has no layer '{}'{} Its layers are {}", name_, name,
       hint.empty() ? "." : "; " + hint, fmt::join(names, ", "));
}

std::vector<const VggLayer*> VggLayers::convs_up_to(const VggLayer& deepest) const {
  std::vector<const VggLayer*> convs;
  for (const VggLayer& layer : layers_.first(index(deepest) + 1)) {
    if (layer.kind == conv_kind) convs.push_back(&layer);
  }
  return convs;
}

}  // namespace impasto
