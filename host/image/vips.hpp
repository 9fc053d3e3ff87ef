// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <vips/vips.h>

namespace impasto::vips {

struct Unref {
  void operator()(void* object) const noexcept { g_object_unref(object); }
};
using Handle = std::unique_ptr<VipsImage, Unref>;

/// Starts libvips, once per process: loaders that upstream does not trust blocked, no cache of
/// operations (it would outlive the buffers they read), nothing printed.
void start();

/// What libvips last complained about, in one line; it is forgotten. As libvips keeps it for the
/// whole process, so do we.
std::string take_error();

/// What a JPEG decoder found damaged in a picture that it read all the same, or nothing. Forgotten
/// like errors.
std::optional<std::string> take_damage();

/// Whether that is for want of memory or threads.
bool lacks_memory(std::string_view reason);

/// The result of a libvips operation, called with the place for it; empty when it failed.
template <class Operation>
Handle call(Operation operation) {
  VipsImage* result = nullptr;
  return operation(&result) == 0 ? Handle(result) : Handle();
}

/// The bytes of the sRGB profile that libvips carries.
const std::vector<std::byte>& srgb_profile();

/// Whether the image carries an ICC profile other than that one.
bool has_foreign_profile(VipsImage* image);

}  // namespace impasto::vips
