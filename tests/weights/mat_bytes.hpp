// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace impasto::mat {

// A writer of MATLAB level-5 bytes that, unlike a library, also writes what is wrong. It follows
// what scipy.io.savemat does, which wrote the published file: small elements where they fit, text
// as UTF-8.

/// The 128 bytes before the first variable.
std::string file_header();

/// A tag and its data, padded; up to 4 bytes go into the tag.
std::string element(std::uint32_t type, std::string_view data);

/// An array of any class: flags, shape and name, then `data`, which is elements already.
std::string array(std::uint32_t array_class, std::span<const std::int32_t> shape,
                  std::string_view name, std::string_view data);

std::string numbers(std::span<const std::int32_t> shape, std::span<const float> values);
std::string text(std::string_view letters);
std::string cell(std::span<const std::string> cells, std::string_view name = "");
std::string record(std::span<const std::pair<std::string, std::string>> fields,
                   std::string_view name = "");
/// A variable, compressed.
std::string compress(std::string_view variable);

inline constexpr std::uint32_t cell_class = 1;
inline constexpr std::uint32_t struct_class = 2;
inline constexpr std::uint32_t char_class = 4;
inline constexpr std::uint32_t double_class = 6;
inline constexpr std::uint32_t single_class = 7;
inline constexpr std::uint32_t function_class = 16;
inline constexpr std::uint32_t int8_type = 1;
inline constexpr std::uint32_t int32_type = 5;
inline constexpr std::uint32_t uint32_type = 6;
inline constexpr std::uint32_t single_type = 7;
inline constexpr std::uint32_t double_type = 9;
inline constexpr std::uint32_t matrix_type = 14;
inline constexpr std::uint32_t compressed_type = 15;
inline constexpr std::uint32_t utf8_type = 16;

}  // namespace impasto::mat
