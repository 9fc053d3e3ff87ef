// SPDX-License-Identifier: MIT
#include "weights/safetensors.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>

#include "host/core/error.hpp"

// The format: Hugging Face, "safetensors", README.

namespace impasto {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t max_text = std::uint64_t{4} << 20U;
constexpr int max_depth = 3;  // {"name": {"shape": [...]}}

constexpr std::array data_types = {
    NamedElementType{"F32", 4, ElementType::float32},
    NamedElementType{"F16", 2, ElementType::float16},
    NamedElementType{"BF16", 2, ElementType::bfloat16},
    NamedElementType{"F64", 8, ElementType::float64},
    NamedElementType{"I64", 8},
    NamedElementType{"U64", 8},
    NamedElementType{"I32", 4},
    NamedElementType{"U32", 4},
    NamedElementType{"I16", 2},
    NamedElementType{"U16", 2},
    NamedElementType{"I8", 1},
    NamedElementType{"U8", 1},
    NamedElementType{"BOOL", 1},
    NamedElementType{"F8_E4M3", 1},
    NamedElementType{"F8_E5M2", 1},
};

/// The text as JSON, in which no object has a name twice and nothing is nested deeper than it needs.
Json parse(const SourceFile& file, const std::string& text) {
  std::array<std::set<std::string>, max_depth + 2> names;  // of the objects that are open, by depth
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > max_depth) file.refuse("its JSON is nested too deep");
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) names.at(level + 1).clear();
    if (event == Json::parse_event_t::key &&
        !names.at(level).insert(parsed.get<std::string>()).second) {
      file.refuse(fmt::format("its JSON has the name '{}' twice", parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception& error) {
    file.refuse(fmt::format("its JSON cannot be read (error {} of the parser)", error.id));
  }
}

/// A list of numbers from 0 to 2^40, or nothing.
std::optional<std::vector<std::uint64_t>> numbers(const Json& tensor, const char* key) {
  const auto found = tensor.find(key);
  if (found == tensor.end() || !found->is_array()) return std::nullopt;
  std::vector<std::uint64_t> values;
  for (const Json& value : *found) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() >> 40U != 0) return std::nullopt;
    values.push_back(value.get<std::uint64_t>());
  }
  return values;
}

struct Range {
  std::uint64_t begin;
  std::uint64_t end;
  std::string name;
};

/// The bytes of a tensor of that shape, or nothing where they are too many to count.
std::optional<std::uint64_t> bytes_of(const std::vector<std::uint64_t>& shape,
                                      std::uint64_t element_bytes) {
  std::uint64_t bytes = element_bytes;
  for (const std::uint64_t side : shape) {
    if (side != 0 && bytes > (std::uint64_t{1} << 40U) / side) return std::nullopt;
    bytes *= side;
  }
  return bytes;
}

void check_filled(const SourceFile& file, std::vector<Range> ranges, std::uint64_t bytes) {
  std::ranges::sort(ranges, {},
                    [](const Range& range) { return std::pair(range.begin, range.end); });
  std::uint64_t at = 0;
  for (const Range& range : ranges) {
    if (range.begin != at) {
      file.refuse(fmt::format("{} begins at {}; expected {}, where the one before it ends",
                              range.name, range.begin, at));
    }
    at = range.end;
  }
  if (at != bytes) {
    file.refuse(
        fmt::format("the file is cut short or has more than its tensors: expected {} bytes "
                    "of values, found {}",
                    at, bytes));
  }
}

}  // namespace

std::vector<StoredTensor> list_safetensors(const SourceFile& file) {
  constexpr std::uint64_t prefix = 8;
  std::array<char, prefix> raw{};
  file.read(0, raw);
  std::uint64_t length = 0;
  for (std::size_t i = raw.size(); i-- > 0;) {
    length = length << 8U | static_cast<unsigned char>(raw.at(i));
  }
  if (length > max_text) {
    file.refuse(fmt::format("its JSON has {} bytes; expected at most {}", length, max_text));
  }
  std::string text(length, '\0');
  file.read(prefix, text);
  const Json header = parse(file, text);
  if (!header.is_object()) file.refuse("its JSON is no object");
  const SourceFile values = file.part(prefix + length, file.bytes() - prefix - length);

  std::vector<StoredTensor> tensors;
  std::vector<Range> ranges;
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    const auto refuse = [&, key = std::string_view(name)](std::string_view what) {
      file.refuse(fmt::format("{} {}", key, what));
    };
    if (!tensor.is_object()) refuse("is no tensor");
    const auto type_name = tensor.find("dtype");
    const auto* const type =
        type_name == tensor.end() || !type_name->is_string()
            ? data_types.end()
            : std::ranges::find(data_types, type_name->get_ref<const std::string&>(),
                                &NamedElementType::name);
    if (type == data_types.end()) refuse("has no type of number that is known");
    const auto shape = numbers(tensor, "shape");
    const auto offsets = numbers(tensor, "data_offsets");
    if (!shape || !offsets || offsets->size() != 2 || offsets->at(0) > offsets->at(1) ||
        offsets->at(1) > values.bytes()) {
      refuse("has no shape or does not lie in the file");
    }
    const auto bytes = bytes_of(*shape, type->bytes);
    if (bytes != offsets->at(1) - offsets->at(0)) {
      refuse(fmt::format("has the shape ({}) in {} bytes", fmt::join(*shape, ", "),
                         offsets->at(1) - offsets->at(0)));
    }
    ranges.push_back({offsets->at(0), offsets->at(1), name});
    tensors.push_back({name, type->type, *shape, contiguous_strides(*shape),
                       values.part(offsets->at(0), *bytes), 0});
  }
  check_filled(file, ranges, values.bytes());
  return tensors;
}

}  // namespace impasto
