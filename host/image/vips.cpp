// SPDX-License-Identifier: MIT
#include "host/image/vips.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "host/core/error.hpp"

namespace impasto::vips {
namespace {

using Blob =
    std::unique_ptr<VipsBlob, decltype([](VipsBlob* blob) { vips_area_unref(&blob->area); })>;

std::span<const std::byte> bytes(const VipsBlob* blob) {
  return {static_cast<const std::byte*>(blob->area.data), blob->area.length};
}

void drop_message(const char*, GLogLevelFlags, const char*, void*) {}

}  // namespace

void start() {
  static const bool started = [] {
    // Where libvips looks for its modules: formats that Impasto does not read, which in an archive
    // that has moved would be another machine's.
    g_setenv("VIPSHOME", "/nonexistent", FALSE);
    // First, because glib would print what libvips says on stdout.
    constexpr int messages = G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO;
    g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(messages), drop_message, nullptr);
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
  const std::unique_ptr<char, decltype(&g_free)> text(vips_error_buffer_copy(), g_free);
  const std::string_view all = text ? text.get() : "";
  std::string line(all.substr(0, all.find('\n')));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return line.empty() ? "libvips gives no reason" : line;
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
