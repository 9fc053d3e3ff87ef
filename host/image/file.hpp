// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace impasto {

enum class ImageFormat : std::uint8_t { jpeg, png, webp, tiff };

std::string_view name_of(ImageFormat format);

/// A path as it may stand in a one-line message: control characters replaced.
std::string printable(const std::string& path);

/// The bytes of a regular file of 1 to `max_bytes` bytes. Never waits, whatever `path` is.
std::vector<std::byte> read_image_file(const std::string& path, std::int64_t max_bytes);

/// Recognises a format by the file's first bytes; refuses everything else.
ImageFormat recognise_format(std::span<const std::byte> bytes, const std::string& path);

/// The format that the extension of `path` stands for. Throws ErrorKind::usage.
ImageFormat format_of_extension(const std::string& path);

}  // namespace impasto
