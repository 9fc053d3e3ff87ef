// SPDX-License-Identifier: MIT
#include "tests/weights/mat_bytes.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <zlib.h>

namespace impasto::mat {
namespace {

template <class T>
std::string bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string word(std::uint32_t value) {
  return bytes_of(std::span<const std::uint32_t>(&value, 1));
}

}  // namespace

std::string file_header() {
  std::string header = "MATLAB 5.0 MAT-file Platform: posix, Created on: Sat Sep 19 12:27:40 2015";
  header.resize(116, ' ');
  header.resize(124, '\0');
  return header + std::string("\x00\x01IM", 4);
}

std::string element(std::uint32_t type, std::string_view data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  std::string bytes = size <= 4 ? word(size << 16U | type) : word(type) + word(size);
  bytes += data;
  bytes.resize((bytes.size() + 7) / 8 * 8, '\0');
  return bytes;
}

std::string array(std::uint32_t array_class, std::span<const std::int32_t> shape,
                  std::string_view name, std::string_view data) {
  const std::array<std::uint32_t, 2> flags = {array_class, 0};
  std::string body = element(uint32_type, bytes_of(std::span<const std::uint32_t>(flags)));
  body += element(int32_type, bytes_of(shape));
  body += element(int8_type, name);
  const std::size_t size = body.size() + data.size();
  return (word(matrix_type) + word(static_cast<std::uint32_t>(size)) + body).append(data);
}

std::string numbers(std::span<const std::int32_t> shape, std::span<const float> values) {
  return array(single_class, shape, "", element(single_type, bytes_of(values)));
}

std::string text(std::string_view letters) {
  const std::array<std::int32_t, 2> shape = {1, static_cast<std::int32_t>(letters.size())};
  return array(char_class, shape, "", element(utf8_type, letters));
}

std::string cell(std::span<const std::string> cells, std::string_view name) {
  const std::array<std::int32_t, 2> shape = {1, static_cast<std::int32_t>(cells.size())};
  std::string data;
  for (const std::string& one : cells) data += one;
  return array(cell_class, shape, name, data);
}

std::string record(std::span<const std::pair<std::string, std::string>> fields,
                   std::string_view name) {
  std::size_t width = 1;
  for (const auto& field : fields) width = std::max(width, field.first.size() + 1);
  const auto width_word = static_cast<std::int32_t>(width);
  std::string names;
  std::string values;
  for (const auto& [field, value] : fields) {
    names += field;
    names.resize(names.size() + width - field.size(), '\0');
    values += value;
  }
  const std::array<std::int32_t, 2> shape = {1, 1};
  return array(struct_class, shape, name,
               element(int32_type, bytes_of(std::span<const std::int32_t>(&width_word, 1))) +
                   element(int8_type, names) + values);
}

std::string compress(std::string_view variable) {
  uLongf size = compressBound(variable.size());
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(variable.data()), variable.size(), 1) != Z_OK) {
    throw std::runtime_error("zlib cannot compress");
  }
  packed.resize(size);
  return word(compressed_type) + word(static_cast<std::uint32_t>(size)) + packed;
}

}  // namespace impasto::mat
