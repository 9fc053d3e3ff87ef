// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "host/core/lower_case.hpp"

namespace impasto::film {

/// A kind of video that can be written.
struct VideoFormat {
  std::string_view extension;
  std::string_view container;  ///< as ffmpeg calls it
};

inline constexpr std::array<VideoFormat, 4> video_formats = {
    {{".mp4", "mp4"}, {".mkv", "matroska"}, {".mov", "mov"}, {".webm", "webm"}}};

/// The format of a file by its extension; null where we write none like it.
inline const VideoFormat* format_of(std::string_view path) {
  const std::string name = lower_case(path);
  const auto* const found = std::ranges::find_if(video_formats, [&name](const VideoFormat& format) {
    return name.ends_with(format.extension);
  });
  return found == video_formats.end() ? nullptr : found;
}

/// Whether a file is a video by its extension, of a kind that we do not write.
inline bool is_other_video(std::string_view path) {
  constexpr std::array<std::string_view, 14> extensions = {".gif",  ".apng", ".avi", ".m4v", ".mpg",
                                                           ".mpeg", ".wmv",  ".flv", ".f4v", ".ts",
                                                           ".mts",  ".ogv",  ".3gp", ".y4m"};
  const std::string name = lower_case(path);
  return std::ranges::any_of(extensions,
                             [&name](std::string_view one) { return name.ends_with(one); });
}

}  // namespace impasto::film
