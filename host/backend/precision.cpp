// SPDX-License-Identifier: MIT
#include "host/backend/precision.hpp"

#include <array>
#include <utility>

#include "host/core/error.hpp"

namespace impasto {
namespace {

constexpr std::array<std::pair<std::string_view, Precision>, 5> precision_names = {
    {{"fp32", Precision::fp32},
     {"winograd", Precision::winograd},
     {"tf32", Precision::tf32},
     {"bf16", Precision::bf16},
     {"fp16", Precision::fp16}}};

}  // namespace

std::string_view to_string(Precision precision) {
  for (const auto& [name, value] : precision_names) {
    if (value == precision) return name;
  }
  fail(ErrorKind::internal, "unknown precision {}", static_cast<int>(precision));
}

std::optional<Precision> parse_precision(std::string_view name) {
  if (name == "auto") return std::nullopt;
  for (const auto& [known, value] : precision_names) {
    if (known == name) return value;
  }
  fail(ErrorKind::usage,
       "unknown precision '{}': expected auto, fp32, winograd, tf32, bf16 or fp16", name);
}

}  // namespace impasto
