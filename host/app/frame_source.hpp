// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "host/image/image.hpp"

namespace impasto::app {

/// The frames of a film, one after the other.
class FrameSource {
 public:
  FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;
  virtual ~FrameSource() = default;

  /// The next frame, its longer side at `size`, or as it is; none at the end. Throws ErrorKind::input for
  /// one that cannot be read.
  virtual std::optional<Image> next(std::optional<std::int64_t> size) = 0;
  /// Passes over the next frame. Whether there was one.
  virtual bool skip() = 0;
  /// How many there are; of a video about so many, or 0.
  [[nodiscard]] virtual std::int64_t count() const = 0;
  /// What the result of a frame is called in a folder; the first is 0.
  [[nodiscard]] virtual std::string result_name(std::int64_t frame) const = 0;
  /// What messages call the frame that was read last.
  [[nodiscard]] virtual std::string spoken() const = 0;
  /// The SHA-256 of a frame's file; empty of a video.
  [[nodiscard]] virtual std::string sha256(std::int64_t /*frame*/) const { return {}; }
  /// Frames per second, of a video.
  [[nodiscard]] virtual std::optional<std::string> rate() const { return std::nullopt; }
};

/// The pictures of a folder, in the order of their names, in which numbers count as such; or a video.
/// Throws ErrorKind::input for what is neither, a folder without pictures, and pictures whose results would
/// have one name.
std::unique_ptr<FrameSource> open_frames(const std::string& path);

}  // namespace impasto::app
