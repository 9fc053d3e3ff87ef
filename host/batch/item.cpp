// SPDX-License-Identifier: MIT
#include "host/batch/item.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <span>

#include "host/core/digest.hpp"
#include "host/core/error.hpp"

namespace impasto::batch {

using Json = nlohmann::ordered_json;

namespace {

std::string hex(std::string_view bytes) {
  std::string digits;
  for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return digits;
}

std::string unhex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned int byte = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

/// File names are bytes, JSON's texts are UTF-8.
Json name_to_json(const std::string& name) {
  try {
    static_cast<void>(Json(name).dump());
    return name;
  } catch (const Json::exception&) {
    return {{"hex", hex(name)}};
  }
}

std::string name_of_json(const Json& json) {
  return json.is_object() ? unhex(json.at("hex").get<std::string>()) : json.get<std::string>();
}

}  // namespace

std::string to_line(const Item& item) {
  Json styles = Json::array();
  for (const std::string& style : item.styles) styles.push_back(name_to_json(style));
  Json json = {{"output", name_to_json(item.output)},
               {"content", name_to_json(item.content)},
               {"styles", styles}};
  if (!item.options.empty()) json["options"] = item.options;
  return json.dump() + "\n";
}

Item item_of_line(std::string_view line) {
  try {
    const Json json = Json::parse(line);
    Item item{.output = name_of_json(json.at("output")),
              .content = name_of_json(json.at("content")),
              .styles = {}};
    for (const Json& style : json.at("styles")) item.styles.push_back(name_of_json(style));
    if (json.contains("options")) item.options = json["options"].get<Options>();
    return item;
  } catch (const Json::exception&) {
    fail(ErrorKind::input, "not an item: '{}'", line);
  }
}

std::uint64_t stable_hash(std::string_view name) {
  const std::string digits = sha256(std::as_bytes(std::span(name)));
  std::uint64_t hash = 0;
  std::from_chars(digits.data(), digits.data() + 16, hash, 16);
  return hash;
}

}  // namespace impasto::batch
