// SPDX-License-Identifier: MIT
#pragma once

#include "host/film/flow.hpp"

namespace impasto::film {

/// Whether this program was built with what estimate_flow() needs, OpenCV.
bool can_estimate_flow();

/// The optical flow between two pictures of one size, by their luminance: dense inverse search, at its
/// finest scale and with OpenCV's variational refinement (Kroeger, Timofte, Dai, Van Gool 2016). The same
/// bits on any number of threads. Throws ErrorKind::backend without OpenCV.
Flow estimate_flow(const Image& from, const Image& to);

}  // namespace impasto::film
