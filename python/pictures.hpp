// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <initializer_list>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <vector>

#include "host/image/image.hpp"

namespace impasto::python {

namespace nb = nanobind;

/// A picture as Python has it: an array (H,W,3) of uint8, or of float32 in [0,255], in the memory
/// of the host. NumPy's arrays and whatever speaks DLPack are taken as they are; only an array that
/// is not contiguous is copied first.
using PictureArray = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

/// A mask as Python has it: (H,W) of float32 from 0 to 1.
using MaskArray = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

/// Throws ErrorKind::input, naming `what`, for an array that is no such picture.
Image to_image(const PictureArray& array, const char* what);

/// A NumPy array of float32 that takes over the values, without copying them.
nb::object to_array(std::vector<float> values, std::initializer_list<std::size_t> shape);

/// The pixels of a picture, (H,W,3) in float32, neither rounded nor clamped.
nb::object to_array(Image image);

/// The pixels of a picture, rounded and clamped as in a file of 8 bits: (H,W,3) in uint8.
nb::object to_bytes(const PictureArray& pixels);

}  // namespace impasto::python
