// SPDX-License-Identifier: MIT
#include "host/image/vips.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <span>
#include <utility>

#include "host/core/error.hpp"

namespace impasto::vips {
namespace {

using Blob =
    std::unique_ptr<VipsBlob, decltype([](VipsBlob* blob) { vips_area_unref(&blob->area); })>;

std::span<const std::byte> bytes(const VipsBlob* blob) {
  return {static_cast<const std::byte*>(blob->area.data), blob->area.length};
}

/// The last warning that libvips gave of its own accord: some decoders tell what is wrong only so.
class LastWarning {
 public:
  void keep(std::string_view text) {
    const std::lock_guard lock(mutex_);
    text_ = text;
  }
  std::string take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(text_, {});
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

LastWarning& last_warning() {
  static LastWarning warning;
  return warning;
}

void take_message(const char* /*domain*/, GLogLevelFlags level, const char* text, void* /*data*/) {
  if ((level & G_LOG_LEVEL_WARNING) != 0) last_warning().keep(text);
}

/// The texts of the error buffer, which is emptied.
std::string take_error_buffer() {
  const std::unique_ptr<char, decltype(&g_free)> text(vips_error_buffer_copy(), g_free);
  return text ? text.get() : "";
}

std::string first_line(const std::string& text) {
  std::string line(text.substr(0, text.find('\n')));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return line;
}

}  // namespace

void start() {
  static const bool started = [] {
    // Where libvips looks for its modules: formats that Impasto does not read, which in an archive
    // that has moved would be another machine's.
    g_setenv("VIPSHOME", "/nonexistent", FALSE);
    // A WebP is decoded as a whole, and from 100 MB on libvips would do it in a file on disk.
    g_setenv("VIPS_DISC_THRESHOLD", "1000g", TRUE);
    // First, because glib would print what libvips says on stdout.
    constexpr int messages = G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO;
    g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(messages), take_message, nullptr);
    if (vips_init("impasto") != 0) {
      fail(ErrorKind::internal, "libvips does not start: {}", take_error());
    }
    vips_block_untrusted_set(TRUE);
    vips_cache_set_max(0);
    return true;
  }();
  static_cast<void>(started);
}

std::string take_error() {
  const std::string warning = last_warning().take();
  const std::string error = take_error_buffer();
  const std::string line = first_line(error.empty() ? warning : error);
  return line.empty() ? "libvips gives no reason" : line;
}

std::optional<std::string> take_damage() {
  // A JPEG's warnings stay in the error buffer, those of a JPEG within a TIFF are messages.
  const std::string warning = last_warning().take();
  for (const std::string& text : {take_error_buffer(), warning}) {
    const std::size_t begin = text.find("Corrupt JPEG data");
    if (begin != std::string::npos) return first_line(text.substr(begin));
  }
  return std::nullopt;
}

bool lacks_memory(std::string_view reason) {
  return reason.find("out of memory") != std::string_view::npos ||
         reason.find("creating thread") != std::string_view::npos;
}

const std::vector<std::byte>& srgb_profile() {
  static const std::vector<std::byte> profile = [] {
    VipsBlob* loaded = nullptr;
    if (vips_profile_load("srgb", &loaded, nullptr) != 0 || loaded == nullptr) {
      fail(ErrorKind::internal, "libvips has no sRGB profile: {}", take_error());
    }
    const Blob blob(loaded);
    return std::vector<std::byte>(bytes(loaded).begin(), bytes(loaded).end());
  }();
  return profile;
}

bool has_foreign_profile(VipsImage* image) {
  if (vips_image_get_typeof(image, VIPS_META_ICC_NAME) == 0) return false;
  const void* data = nullptr;
  std::size_t length = 0;
  if (vips_image_get_blob(image, VIPS_META_ICC_NAME, &data, &length) != 0) return false;
  const auto& srgb = srgb_profile();
  return length != srgb.size() || std::memcmp(data, srgb.data(), length) != 0;
}

}  // namespace impasto::vips
