// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/film/child.hpp"
#include "host/image/image.hpp"

/// Videos, read and written by the system's programs ffmpeg and ffprobe. Everything here throws
/// ErrorKind::backend where these are not installed.
namespace impasto::film {

struct VideoFacts {
  std::string rate;         ///< frames per second as a fraction: "30000/1001"
  std::int64_t frames = 0;  ///< about so many; 0: not known
};

/// What a video says of itself. Throws ErrorKind::input for a file that is none.
VideoFacts inspect_video(const std::string& path);

/// The frames of a video's picture, at a constant rate, one after the other.
class VideoReader {
 public:
  VideoReader(const std::string& path, const VideoFacts& facts);
  /// The next frame; none at the end. Throws ErrorKind::input for a video that cannot be decoded.
  std::optional<Image> next();

 private:
  [[noreturn]] void refuse(const std::string& reason) const;
  [[nodiscard]] std::int64_t number();

  std::string path_;
  Child decoder_;
};

/// Makes a video, in the format of the extension of `path` (video_formats.hpp), of the frames
/// `folder`/000001.png, … and copies the sound of `sound`, if there is one.
/// An odd side loses its last row of pixels, which common players cannot show. Writes atomically. Throws
/// ErrorKind::output.
void write_video(const std::string& path, const std::string& folder, const std::string& rate,
                 const std::optional<std::string>& sound);

/// "000001.png" of the first frame.
std::string frame_name(std::int64_t number);
/// Whether some frame has this name.
bool is_frame_name(std::string_view name);

}  // namespace impasto::film
