// SPDX-License-Identifier: MIT
#include "host/batch/item_list.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "host/batch/archives.hpp"
#include "host/batch/sources.hpp"
#include "host/core/error.hpp"
#include "host/core/lower_case.hpp"
#include "host/image/encode.hpp"
#include "host/image/formats.hpp"

namespace impasto::batch {
namespace {

namespace fs = std::filesystem;

std::string stem_of(const std::string& path) {
  const std::string name = path.starts_with("sample:") ? path.substr(7) : path;
  return fs::path(name).stem().string();
}

/// The content's own extension where a result can have it, else "png".
std::string extension_for(const std::string& content) {
  return is_picture_name(content) ? extension_of(content).substr(1) : "png";
}

/// The template with its fields filled in. Throws ErrorKind::usage for a field that does not exist.
std::string filled(const std::string& name, const Source& content,
                   const std::vector<std::string>& styles) {
  std::string result;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t open = std::min(name.find('{', at), name.size());
    result += name.substr(at, open - at);
    if (open == name.size()) break;
    const std::size_t close = name.find('}', open);
    const std::string field =
        close == std::string::npos ? name.substr(open) : name.substr(open + 1, close - open - 1);
    if (field == "stem") {
      result += stem_of(content.path);
    } else if (field == "style") {
      for (std::size_t i = 0; i < styles.size(); ++i) {
        if (i > 0) result += '+';
        result += stem_of(styles[i]);
      }
    } else if (field == "ext") {
      result += extension_for(content.path);
    } else if (field == "id") {
      result += content.id;
    } else {
      fail(ErrorKind::usage,
           "--name '{}': it may hold {{stem}}, {{style}}, {{id}} and {{ext}}, not '{}'", name,
           field);
    }
    at = close + 1;
  }
  return result;
}

/// An output stays in its folder, and is a picture.
std::string checked(const std::string& output) {
  const fs::path path = fs::path(output).lexically_normal();
  const bool leaves = path.is_absolute() || path.begin() == path.end() || *path.begin() == "..";
  if (leaves || path.filename().empty()) {
    fail(ErrorKind::usage, "the output '{}' is no file inside the output folder", output);
  }
  static_cast<void>(format_of_extension(output));
  return path.string();
}

class Visitor {
 public:
  Visitor(const Selection& selection, const VisitItem& visit)
      : selection_(selection), visit_(visit) {}

  Needed visit_all() {
    visit_named(selection_.styles, selection_.folder,
                [this](const Source& style) { styles_.push_back(style.path); });
    if (selection_.styles_per_image &&
        *selection_.styles_per_image > static_cast<std::int64_t>(styles_.size())) {
      fail(ErrorKind::usage, "--styles-per-image {}: there are {} styles",
           *selection_.styles_per_image, styles_.size());
    }
    const VisitSource add = [this](const Source& content) { add_content(content); };
    visit_named(selection_.contents, selection_.folder, add);
    if (selection_.list) visit_list(*selection_.list, add);
    if (selection_.manifest) visit_manifest(*selection_.manifest, add);
    return needed_;
  }

 private:
  void add_content(const Source& content) {
    if (!content.styles.empty()) return add(content, content.styles);
    needed_.styles = true;
    if (styles_.empty()) fail(ErrorKind::usage, "{}: there is no style for it", content.path);
    if (!content.output.empty() && styles_drawn() != 1) {
      fail(ErrorKind::usage, "{}: its row names one output for {} styles", content.path,
           styles_drawn());
    }
    if (!selection_.styles_per_image) {
      for (const std::string& style : styles_) add(content, {style});
      return;
    }
    for (const std::size_t i :
         draw_styles(selection_.seed, content.id, styles_.size(), styles_drawn())) {
      add(content, {styles_[i]});
    }
  }

  [[nodiscard]] std::size_t styles_drawn() const {
    return selection_.styles_per_image ? static_cast<std::size_t>(*selection_.styles_per_image)
                                       : styles_.size();
  }

  void add(const Source& content, const std::vector<std::string>& styles) {
    needed_.name = needed_.name || content.output.empty();
    const std::string output =
        content.output.empty()
            ? (fs::path(content.tree) / filled(selection_.name, content, styles)).string()
            : content.output;
    const Item item = {.output = checked(output),
                       .content = content.path,
                       .styles = styles,
                       .options = content.options};
    if (is_part(item.output) && archive_of(item).empty()) {
      fail(ErrorKind::usage, "the output '{}' is where the results of an archive are made", output);
    }
    visit_(item);
  }

  const Selection& selection_;
  const VisitItem& visit_;
  std::vector<std::string> styles_;
  Needed needed_;
};

}  // namespace

Needed visit_items(const Selection& selection, const VisitItem& visit) {
  return Visitor(selection, visit).visit_all();
}

std::vector<std::size_t> draw_styles(std::uint64_t seed, std::string_view id, std::size_t all,
                                     std::size_t count) {
  // A shuffle of the first `count`, each place drawn by a hash of its own: the same on every
  // machine and with every standard library.
  std::vector<std::size_t> order(all);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t drawn = stable_hash(fmt::format("{}/{}/{}", seed, i, id));
    std::swap(order[i], order[i + static_cast<std::size_t>(drawn % (all - i))]);
  }
  order.resize(count);
  return order;
}

}  // namespace impasto::batch
