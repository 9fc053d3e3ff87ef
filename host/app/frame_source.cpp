// SPDX-License-Identifier: MIT
#include "host/app/frame_source.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "host/core/digest.hpp"
#include "host/core/error.hpp"
#include "host/core/paths.hpp"
#include "host/film/video.hpp"
#include "host/image/decode.hpp"
#include "host/image/encode.hpp"
#include "host/image/resize.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;

bool is_digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }

/// The digits at the front of `text`, which it loses, without zeros in front.
std::string_view take_number(std::string_view& text) {
  const std::size_t end =
      static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

/// Whether a name comes before another: frame9 before frame10. Names that are equal so are ordered by
/// their letters.
bool comes_before(const std::string& one, const std::string& other) {
  std::string_view a = one;
  std::string_view b = other;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view m = take_number(a);
      const std::string_view n = take_number(b);
      if (m.size() != n.size()) return m.size() < n.size();
      if (m != n) return m < n;
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return one < other;
}

class Pictures final : public FrameSource {
 public:
  explicit Pictures(const fs::path& folder) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename().string();
      std::error_code ignored;
      if (name.starts_with(".") || !is_picture_name(name) || entry.is_directory(ignored)) continue;
      names_.push_back(name);
    }
    if (error) fail_to_read(folder.string(), error.value());
    if (names_.empty()) fail(ErrorKind::input, "{}: no picture is in this folder", folder.string());
    std::ranges::sort(names_, comes_before);
    folder_ = folder;
    refuse_equal_results();
  }

  std::optional<Image> next(std::optional<std::int64_t> size) override {
    if (!skip()) return std::nullopt;
    return load_image(path_of(at_ - 1), size);
  }
  bool skip() override {
    if (at_ == names_.size()) return false;
    ++at_;
    return true;
  }
  std::int64_t count() const override { return static_cast<std::int64_t>(names_.size()); }
  std::string result_name(std::int64_t frame) const override {
    return fs::path(names_[static_cast<std::size_t>(frame)]).stem().string() + ".png";
  }
  std::string spoken() const override { return path_of(at_ - 1); }
  std::string sha256(std::int64_t frame) const override {
    return sha256_file(path_of(static_cast<std::size_t>(frame)));
  }

 private:
  [[nodiscard]] std::string path_of(std::size_t frame) const {
    return (folder_ / names_[frame]).string();
  }
  void refuse_equal_results() const {
    std::vector<std::pair<std::string, std::string>> results;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      results.emplace_back(result_name(static_cast<std::int64_t>(i)), names_[i]);
    }
    std::ranges::sort(results);
    const auto twice =
        std::ranges::adjacent_find(results, {}, &std::pair<std::string, std::string>::first);
    if (twice == results.end()) return;
    fail(ErrorKind::input, "{}: the results of {} and {} would both be called {}", folder_.string(),
         twice->second, std::next(twice)->second, twice->first);
  }

  fs::path folder_;
  std::vector<std::string> names_;
  std::size_t at_ = 0;
};

class Video final : public FrameSource {
 public:
  explicit Video(std::string path)
      : path_(std::move(path)), facts_(film::inspect_video(path_)), reader_(path_, facts_) {}

  std::optional<Image> next(std::optional<std::int64_t> size) override {
    std::optional<Image> frame = reader_.next();
    if (!frame) return frame;
    ++at_;
    if (!size) return frame;
    const PictureSize to = fit({frame->height, frame->width}, *size);
    return resize(*frame, to.height, to.width);
  }
  bool skip() override {
    if (!reader_.next()) return false;
    ++at_;
    return true;
  }
  std::int64_t count() const override { return std::max(facts_.frames, at_); }
  std::string result_name(std::int64_t frame) const override { return film::frame_name(frame + 1); }
  std::string spoken() const override { return fmt::format("{}, frame {}", path_, at_); }
  std::optional<std::string> rate() const override { return facts_.rate; }

 private:
  std::string path_;
  film::VideoFacts facts_;
  film::VideoReader reader_;
  std::int64_t at_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> open_frames(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) return std::make_unique<Pictures>(path);
  if (fs::is_regular_file(status)) return std::make_unique<Video>(path);
  if (error || !fs::exists(status)) fail_to_read(path, error ? error.value() : ENOENT);
  fail(ErrorKind::input, "cannot read '{}': expected a folder of pictures or a video", path);
}

}  // namespace impasto::app
