// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "host/app/settings.hpp"
#include "host/core/file_descriptor.hpp"
#include "host/image/image.hpp"

namespace impasto::app {

/// A frame that is done, as the next ones go on from it.
struct KeptFrame {
  Image result;            ///< clamped, and rounded to 16 bits
  std::int64_t scene = 0;  ///< the frame that its scene begins with
  double loss = 0;         ///< of that frame's result
};

/// What is kept of a film beside its frames, in `.impasto` of their folder, so that it can go on after
/// whatever interrupts it:
///
///   frames.json   the configuration, never changed
///   sources.jsonl the SHA-256 of the picture that each frame was made of; a line is added for a frame that
///                 is done
///   000012.tif    the result of a frame, and in its comment what its scene is; of the last frames alone
///   lock          held by the process that works on the film
///
/// All others are written atomically, and a frame's result before the frame itself.
class FramesRecord {
 public:
  /// The folder of the frames is made where it is not there.
  explicit FramesRecord(const std::filesystem::path& frames) : path_(frames / records_folder) {}

  /// Works on the film alone. Where no frame was ever kept, calls `before` and keeps the configuration.
  /// Throws ErrorKind::usage where another process works on it, or it has frames of another
  /// configuration.
  void begin(const Json& configuration, const std::function<void()>& before);

  /// The configuration of the film that has begun; nothing where none has. Throws ErrorKind::input.
  [[nodiscard]] std::optional<Json> configuration() const;

  /// Keeps a frame, and returns it as find() would.
  KeptFrame keep(std::int64_t frame, const KeptFrame& kept);
  /// A frame that was kept; nothing where its file is not there, or is damaged.
  [[nodiscard]] std::optional<KeptFrame> find(std::int64_t frame) const;
  /// Removes what was kept of this frame.
  void forget(std::int64_t frame) const;

  /// Notes what the frame of that name was made of. Throws ErrorKind::output.
  void note_source(const std::string& name, const std::string& sha256) const;
  /// What was noted, by name.
  [[nodiscard]] std::map<std::string, std::string> sources() const;

 private:
  [[nodiscard]] std::filesystem::path file_of(std::int64_t frame) const;
  [[nodiscard]] bool keeps_any() const;

  std::filesystem::path path_;
  FileDescriptor lock_;
};

}  // namespace impasto::app
