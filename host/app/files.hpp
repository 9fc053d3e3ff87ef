// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace impasto::app {

/// What stands for standard input and standard output in place of a file.
inline constexpr std::string_view standard_stream = "-";

/// A file that a command writes. Functions that write files take one of these, and only the table
/// of settings makes them, so every output has been compared with all inputs and outputs before.
class OutputPath {
 public:
  OutputPath() = default;
  [[nodiscard]] explicit operator bool() const { return !path_.empty(); }
  [[nodiscard]] const std::string& string() const { return path_; }
  [[nodiscard]] bool is_standard_output() const { return path_ == standard_stream; }
  /// The name whose extension says how a picture is written: as PNG on standard output.
  [[nodiscard]] std::string picture_name() const { return is_standard_output() ? "-.png" : path_; }
  /// As messages call it.
  [[nodiscard]] std::string spoken() const {
    return is_standard_output() ? "standard output" : path_;
  }
  /// The snapshot of "out.png" after 100 of 1000 iterations: "out_0100.png". Names sort as their
  /// iterations do. It belongs to --save-every.
  [[nodiscard]] OutputPath snapshot(std::int64_t iteration, std::int64_t iterations) const;
  // What belongs to "out.png" in a batch: "out_sheet.png", "out_report.html", "out_film.webp".
  [[nodiscard]] OutputPath sheet() const { return beside("_sheet", extension()); }
  [[nodiscard]] OutputPath report() const { return beside("_report", ".html"); }
  [[nodiscard]] OutputPath film() const { return beside("_film", ".webp"); }
  /// The folder where the frames of a video are until it is made.
  [[nodiscard]] std::string frames() const { return path_ + frames_suffix; }
  static constexpr auto frames_suffix = ".frames";

 private:
  friend class OutputFolder;
  friend struct Writes;
  explicit OutputPath(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] std::string extension() const;
  /// Another file beside it: its stem and the suffix.
  [[nodiscard]] OutputPath beside(const std::string& suffix, const std::string& extension) const;
  std::string path_;
};

/// A folder that a command writes files to.
class OutputFolder {
 public:
  OutputFolder() = default;
  [[nodiscard]] const std::string& string() const { return path_; }
  [[nodiscard]] OutputPath file(const std::string& name) const;

 private:
  friend struct WritesInto;
  explicit OutputFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// What a setting declares to be written: a file or, with `every`, its snapshots after each `every`
/// iterations before `iterations`.
struct Output {
  OutputPath path;
  std::vector<std::string> extensions = {};  ///< of the format; empty: any
  bool stream = false;                       ///< may be a pipe or a device, whatever its name
  std::int64_t every = 0;
  std::int64_t iterations = 0;
};

/// Refuses what would destroy a file: throws ErrorKind::usage when two of the outputs, or an output
/// and an input, are one file under whatever names, when an output lies in one of the folders
/// `records`, and for an extension of another format. Then throws ErrorKind::output for an output
/// that cannot be written, as far as that can be known before.
void check_files(std::span<const std::string> inputs, std::span<const std::string> records,
                 std::span<const Output> outputs);

}  // namespace impasto::app
