// SPDX-License-Identifier: MIT
#include "host/model/vgg19.hpp"

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

std::size_t vgg19_index(std::string_view name) {
  const std::string wanted = canonical_name(name);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < vgg19.size(); ++i) {
    if (vgg19.at(i).name == wanted) return i;
    names.emplace_back(vgg19.at(i).name);
  }
  const std::string hint = did_you_mean(wanted, names);
  fail(ErrorKind::usage, "VGG-19 has no layer '{}'{} Its layers are {}", name,
       hint.empty() ? "." : "; " + hint, fmt::join(names, ", "));
}

std::vector<const VggLayer*> convs_up_to(std::string_view deepest_layer) {
  std::vector<const VggLayer*> convs;
  const std::size_t last = vgg19_index(deepest_layer);
  for (std::size_t i = 0; i <= last; ++i) {
    if (vgg19.at(i).kind == conv_kind) convs.push_back(&vgg19.at(i));
  }
  return convs;
}

}  // namespace impasto
