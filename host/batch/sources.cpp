// SPDX-License-Identifier: MIT
#include "host/batch/sources.hpp"

#include <algorithm>
#include <filesystem>
#include <glob.h>
#include <system_error>

#include "host/batch/archives.hpp"
#include "host/batch/text_file.hpp"
#include "host/core/error.hpp"
#include "host/core/paths.hpp"
#include "host/image/encode.hpp"

namespace impasto::batch {
namespace {

namespace fs = std::filesystem;

bool is_sample(const std::string& name) { return name.starts_with("sample:"); }

std::string absolute(const std::string& path) {
  return is_sample(path) ? path : fs::absolute(path).string();
}

Source single(const std::string& path) {
  const std::string name =
      is_sample(path) ? path.substr(path.find(':') + 1) : fs::path(path).filename().string();
  return {.path = absolute(path), .id = name};
}

bool same_folder(const fs::path& one, const fs::path& other) {
  std::error_code ignored;
  return !other.empty() && fs::equivalent(one, other, ignored);
}

/// Throws where what was found by `name` is beside the results, which would be found by it as well, the
/// next time.
void refuse_results(const std::string& name, const fs::path& folder, const std::string& results) {
  if (!same_folder(folder, results)) return;
  fail(ErrorKind::usage,
       "{}: the results go to the same folder, and the same command again would take them for "
       "pictures: expected another folder, which may be one in it",
       name);
}

/// The pictures in an archive, in their order.
void visit_archive(const std::string& archive, const VisitSource& visit) {
  const fs::path path = fs::absolute(archive).lexically_normal();
  const std::string name = path.filename().string();
  bool any = false;
  Samples samples(path.string(), [&](const TarMember& picture) {
    any = true;
    visit({.path = name_of(InArchive{path.string(), picture.name}),
           .id = name + "/" + picture.name,
           .tree = (parts_folder(name) / fs::path(picture.name).parent_path()).string()});
  });
  while (samples.next()) {
  }
  if (!any) fail(ErrorKind::input, "{}: no picture is in this archive", archive);
}

/// The pictures below a folder, folder by folder, in the order of their names.
class Walk {
 public:
  Walk(fs::path top, const std::string& results, const VisitSource& visit)
      : top_(std::move(top)), results_(results), visit_(visit) {}

  /// How many pictures there are.
  std::size_t enter(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (!entry.path().filename().string().starts_with(".")) names.push_back(entry.path());
    }
    if (error) fail_to_read(folder.string(), error.value());
    std::ranges::sort(names);
    std::size_t count = 0;
    for (const fs::path& path : names) {
      std::error_code ignored;
      // A link to a folder may lead back here.
      if (fs::is_directory(fs::symlink_status(path, ignored))) {
        if (!same_folder(path, results_)) count += enter(path);
      } else if (is_picture_name(path.string()) && !fs::is_directory(path, ignored)) {
        const fs::path below = path.lexically_relative(top_);
        visit_({.path = path.string(), .id = below.string(), .tree = below.parent_path().string()});
        ++count;
      }
    }
    return count;
  }

 private:
  fs::path top_;
  const std::string& results_;
  const VisitSource& visit_;
};

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

void visit_one(const std::string& name, const std::string& results, const VisitSource& visit) {
  std::error_code error;
  const fs::file_status status = fs::status(name, error);
  const bool sample = is_sample(name);
  if (!sample && fs::is_directory(status)) {
    const fs::path folder = fs::absolute(name);
    refuse_results(name, folder, results);
    if (Walk(folder, results, visit).enter(folder) == 0) {
      fail(ErrorKind::input, "{}: no picture is in this folder", name);
    }
  } else if (!sample && fs::is_regular_file(status) && is_archive_name(name)) {
    visit_archive(name, visit);
  } else if (sample || status.type() != fs::file_type::not_found) {
    visit(single(name));
  } else {
    const std::vector<std::string> paths = matches(name);
    if (paths.empty()) fail_to_read(name, error ? error.value() : ENOENT);
    for (const std::string& path : paths) {
      if (!fs::is_directory(path)) refuse_results(name, fs::absolute(path).parent_path(), results);
      visit_one(path, results, visit);
    }
  }
}

}  // namespace

void visit_named(std::span<const std::string> names, const std::string& results,
                 const VisitSource& visit) {
  for (const std::string& name : names) visit_one(name, results, visit);
}

void visit_list(const std::string& file, const VisitSource& visit) {
  TextFile text(file);
  const char end = text.holds_early('\0') ? '\0' : '\n';
  while (const auto name = text.next(end)) {
    if (!name->empty()) visit(single(*name));
  }
}

}  // namespace impasto::batch
