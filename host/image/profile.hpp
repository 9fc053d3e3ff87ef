// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "host/image/image.hpp"
#include "host/image/vips.hpp"

namespace impasto {

/// The image's ICC profile, if a picture in sRGB can be written with it: one of RGB colours, with a
/// way into its space and not only out of it, of at most 4 MiB. Else empty.
std::vector<std::byte> profile_to_keep(VipsImage* image);

/// The picture with the values that mean its colours in the space of `picture.profile`: relative
/// colorimetric, black point compensation, at 16 bits. Throws ErrorKind::internal where the profile
/// cannot be used, ErrorKind::out_of_memory.
Image in_own_profile(const Image& picture);

}  // namespace impasto
