// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "host/film/flow.hpp"

namespace impasto::film {

/// Reads a file of optical flow in the format of Middlebury: the tag "PIEH", width and height as 32-bit
/// integers, then u and v of each pixel, row by row, as 32-bit floats, all little-endian. Throws
/// ErrorKind::input, naming the file, what was expected and what was found.
/// Source: Baker et al. 2011, https://vision.middlebury.edu/flow/data/
Flow load_flow(const std::string& path);

}  // namespace impasto::film
