// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/app/files.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {

/// What --film shows of a run: at most 61 frames with sides of at most 512 pixels, however long the run
/// and however large its picture. The frames lie close together at first, when the picture changes
/// most; the last, the result, stays a while.
class Evolution {
 public:
  explicit Evolution(std::int64_t iterations) : iterations_(iterations) {}

  /// Whether the picture after so many iterations is a frame.
  [[nodiscard]] bool has_frame_of(std::int64_t iteration) const;
  void add(const Image& picture);
  /// The most memory that frames of such pictures take.
  static std::size_t most_bytes(const Image& picture);
  /// Adds the result and writes the file. Throws ErrorKind::output.
  void save(const Image& result, const OutputPath& path, std::string_view comment);

 private:
  std::int64_t iterations_;
  Animation frames_;
};

}  // namespace impasto::app
