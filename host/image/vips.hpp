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

/// Returns libvips' last error message in one line, and clears it. libvips keeps one message for
/// the whole process.
std::string take_error();

/// Returns what a JPEG decoder found damaged in a picture that it read all the same, and clears it.
/// Empty if nothing was damaged.
std::optional<std::string> take_damage();

/// Whether this error message of libvips says that memory or threads ran out.
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
