// SPDX-License-Identifier: MIT
#include "host/app/files.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "host/app/failure.hpp"
#include "host/core/atomic_file.hpp"
#include "host/core/lower_case.hpp"
#include "host/core/paths.hpp"
#include "host/core/suggest.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;

/// The file that a path leads to, whether it is there or not: through links, the last of which may
/// dangle, by the one name that its folder has.
fs::path destination(const fs::path& path) {
  constexpr int most_links = 40;  // as Linux has it
  std::error_code error;
  fs::path place = path;
  for (int i = 0; i < most_links && fs::is_symlink(fs::symlink_status(place, error)); ++i) {
    if (fs::exists(place, error)) break;
    const fs::path target = fs::read_symlink(place, error);
    if (error) break;
    place = target.is_absolute() ? target : place.parent_path() / target;
  }
  if (const fs::path there = fs::canonical(place, error); !error) return there;
  const fs::path folder = fs::canonical(place.has_parent_path() ? place.parent_path() : ".", error);
  return error ? fs::absolute(place, error).lexically_normal() : folder / place.filename();
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  if (fs::equivalent(a, b, ignored)) return true;
  return destination(a) == destination(b);
}

/// The iteration whose snapshot of `output` the file would be.
std::optional<std::int64_t> snapshot_number(const fs::path& output, const fs::path& file) {
  const std::string name = file.filename().string();
  const std::string stem = output.stem().string() + "_";
  const std::string extension = output.extension().string();
  if (!name.starts_with(stem) || !name.ends_with(extension) ||
      name.size() <= stem.size() + extension.size()) {
    return std::nullopt;
  }
  const std::string digits = name.substr(stem.size(), name.size() - stem.size() - extension.size());
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

/// Whether the file is one of the snapshots that will be written.
bool is_snapshot(const Output& output, const fs::path& file) {
  for (const fs::path& name : {file, destination(file)}) {
    const auto number = snapshot_number(output.path.string(), name);
    if (number && *number > 0 && *number < output.iterations && *number % output.every == 0 &&
        same_file(output.path.snapshot(*number, output.iterations).string(), file.string())) {
      return true;
    }
  }
  return false;
}

/// The output as files: itself, or those of its snapshots that are there already, which may be
/// links to anything.
std::vector<std::string> files_to_write(const Output& output) {
  if (output.every == 0) return {output.path.string()};
  std::vector<std::string> files;
  std::error_code ignored;
  const fs::path folder = fs::path(output.path.string()).parent_path();
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder.empty() ? "." : folder, ignored)) {
    const auto number = snapshot_number(output.path.string(), entry.path());
    if (!number) continue;
    const std::string name = output.path.snapshot(*number, output.iterations).string();
    if (fs::path(name).filename() == entry.path().filename() && is_snapshot(output, name)) {
      files.push_back(name);
    }
  }
  return files;
}

bool writes_over(const Output& output, const std::string& path) {
  if (output.every > 0 && is_snapshot(output, path)) return true;
  for (const std::string& file : files_to_write(output)) {
    if (same_file(file, path)) return true;
  }
  return false;
}

std::string described(const Output& output) {
  return output.every == 0 ? output.path.string()
                           : output.path.snapshot(output.every, output.iterations).string() + "...";
}

bool lies_in(const fs::path& file, const fs::path& folder) {
  std::error_code error;
  const fs::path inside = fs::canonical(folder, error);
  if (error) return false;  // nothing is in it yet
  const fs::path place = destination(file);
  return std::ranges::mismatch(inside, place).in1 == inside.end();
}

/// Two outputs may be one device; what is a file, only one.
bool is_device(const Output& output) {
  std::error_code ignored;
  return output.stream && fs::is_other(fs::status(output.path.string(), ignored));
}

void refuse_overwriting(std::span<const std::string> inputs, std::span<const Output> outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (const std::string& input : inputs) {
      if (writes_over(outputs[i], input)) {
        fail(ErrorKind::usage, "{}: would be overwritten, but it is an input", input);
      }
    }
    if (is_device(outputs[i])) continue;
    for (std::size_t j = 0; j < i; ++j) {
      const bool same = outputs[i].every == 0   ? writes_over(outputs[j], outputs[i].path.string())
                        : outputs[j].every == 0 ? writes_over(outputs[i], outputs[j].path.string())
                                                : false;
      if (same) {
        fail(ErrorKind::usage, "two outputs would be one file: {} and {}", described(outputs[j]),
             described(outputs[i]));
      }
    }
  }
}

void refuse_extension(const Output& output) {
  const std::string extension = extension_of(output.path.string());
  if (output.extensions.empty() || is_device(output)) return;
  if (std::ranges::find(output.extensions, extension) != output.extensions.end()) return;
  std::error_code ignored;
  if (fs::is_directory(output.path.string(), ignored)) {
    throw HintedError(ErrorKind::usage,
                      fmt::format("cannot write '{}': it is a folder", output.path.string()),
                      "'impasto batch' makes many pictures into a folder");
  }
  fail(ErrorKind::usage, "cannot write '{}': expected a name that ends in {}, found '{}'",
       output.path.string(), one_of(output.extensions), extension);
}

/// A log that is also standard output or standard error would be written over by what is said
/// there; with a picture on standard output, so would a pipe.
void refuse_standard_streams(const Output& output, bool picture_on_stdout) {
  struct stat file {};
  if (::stat(output.path.string().c_str(), &file) != 0) return;
  if (!S_ISREG(file.st_mode) && !picture_on_stdout) return;
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat stream {};
    if (::fstat(descriptor, &stream) == 0 && stream.st_dev == file.st_dev &&
        stream.st_ino == file.st_ino) {
      fail(ErrorKind::usage, "{}: is also where standard {} goes", output.path.string(),
           descriptor == STDOUT_FILENO ? "output" : "error");
    }
  }
}

/// A log is written where it is, not replaced.
void check_can_append(const std::string& path) {
  std::error_code ignored;
  const int reason = fs::is_directory(path, ignored)                              ? EISDIR
                     : ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0 ? errno
                                                                                  : 0;
  if (reason != 0) fail_to_write(path, reason);
}

}  // namespace

std::string OutputPath::extension() const { return fs::path(path_).extension().string(); }

OutputPath OutputPath::beside(const std::string& suffix, const std::string& extension) const {
  const fs::path path(path_);
  return OutputPath((path.parent_path() / (path.stem().string() + suffix + extension)).string());
}

OutputPath OutputPath::snapshot(std::int64_t iteration, std::int64_t iterations) const {
  const std::size_t digits = std::max<std::size_t>(fmt::formatted_size("{}", iterations), 4);
  return beside(fmt::format("_{:0{}}", iteration, digits), extension());
}

OutputPath OutputFolder::file(const std::string& name) const {
  return OutputPath((fs::path(path_) / name).string());
}

void check_files(std::span<const std::string> inputs, std::span<const std::string> records,
                 std::span<const Output> outputs) {
  const auto to_stdout = [](const Output& output) { return output.path.is_standard_output(); };
  const bool picture_on_stdout = std::ranges::any_of(outputs, to_stdout);
  std::vector<Output> files(outputs.begin(), outputs.end());
  std::erase_if(files, to_stdout);
  refuse_overwriting(inputs, files);
  for (const Output& output : files) {
    for (const std::string& folder : records) {
      if (!lies_in(output.path.string(), folder)) continue;
      fail(ErrorKind::usage, "{}: would be among the records of a run, which are kept in {}",
           output.path.string(), folder);
    }
    refuse_standard_streams(output, picture_on_stdout);
    refuse_extension(output);
  }
  std::error_code ignored;
  for (const Output& output : files) {
    if (output.stream && fs::exists(fs::status(output.path.string(), ignored))) {
      check_can_append(output.path.string());
      continue;
    }
    for (const std::string& file : files_to_write(output)) check_writable(file);
    if (output.every > 0 && output.iterations > output.every) {
      // All their names are as long as the last one's.
      const std::int64_t last = (output.iterations - 1) / output.every * output.every;
      check_writable(output.path.snapshot(last, output.iterations).string());
    }
  }
}

}  // namespace impasto::app
