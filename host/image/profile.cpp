// SPDX-License-Identifier: MIT
#include "host/image/profile.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "host/core/error.hpp"

namespace impasto {
namespace {

using vips::Handle;

/// Values of sRGB at 16 bits, (height, width, 3), in the space of a profile. Empty if libvips cannot.
Handle converted(std::span<const std::uint16_t> srgb, int width, int height,
                 std::span<const std::byte> profile) {
  const Handle raw(vips_image_new_from_memory_copy(srgb.data(), srgb.size_bytes(), width, height, 3,
                                                   VIPS_FORMAT_USHORT));
  if (!raw) return {};
  const Handle wide = vips::call([&](VipsImage** out) {
    return vips_copy(raw.get(), out, "interpretation", VIPS_INTERPRETATION_RGB16, nullptr);
  });
  if (!wide) return {};
  const Handle colours = vips::call([&](VipsImage** out) {
    return vips_icc_import(wide.get(), out, "input_profile", "srgb", "embedded", FALSE, "intent",
                           VIPS_INTENT_RELATIVE, "black_point_compensation", TRUE, nullptr);
  });
  if (!colours) return {};
  // Where no output profile is named, libvips takes the image's own.
  vips_image_set_blob_copy(colours.get(), VIPS_META_ICC_NAME, profile.data(), profile.size());
  const Handle exported = vips::call([&](VipsImage** out) {
    return vips_icc_export(colours.get(), out, "intent", VIPS_INTENT_RELATIVE,
                           "black_point_compensation", TRUE, "depth", 16, nullptr);
  });
  if (!exported || vips_image_get_bands(exported.get()) != 3) return {};
  return Handle(vips_image_copy_memory(exported.get()));
}

}  // namespace

std::vector<std::byte> profile_to_keep(VipsImage* image) {
  constexpr std::size_t largest = 4 << 20U;
  if (!vips::has_foreign_profile(image)) return {};
  const void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_get_blob(image, VIPS_META_ICC_NAME, &data, &size) != 0 || size > largest)
    return {};
  const std::span profile(static_cast<const std::byte*>(data), size);
  if (!converted(std::array<std::uint16_t, 3>{}, 1, 1, profile)) {
    vips_error_clear();
    return {};
  }
  return {profile.begin(), profile.end()};
}

Image in_own_profile(const Image& picture) {
  constexpr float scale = 257;
  std::vector<std::uint16_t> srgb;
  srgb.reserve(picture.rgb.size());
  for (const float value : picture.rgb) {
    // Written so that NaN becomes 0.
    const float inside = value > 0 ? std::min(value, 255.0F) : 0.0F;
    srgb.push_back(static_cast<std::uint16_t>(inside * scale + 0.5F));
  }
  const Handle own = converted(srgb, static_cast<int>(picture.width),
                               static_cast<int>(picture.height), picture.profile);
  if (!own) {
    const std::string reason = vips::take_error();
    fail(vips::lacks_memory(reason) ? ErrorKind::out_of_memory : ErrorKind::internal,
         "the colours cannot be brought to the profile of the content: {}", reason);
  }
  Image result = picture;
  const auto* values = static_cast<const std::uint16_t*>(vips_image_get_data(own.get()));
  for (std::size_t i = 0; i < result.rgb.size(); ++i) {
    result.rgb[i] = static_cast<float>(values[i]) / scale;
  }
  return result;
}

}  // namespace impasto
