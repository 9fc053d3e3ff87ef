// SPDX-License-Identifier: MIT
#include "python/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <utility>

#include "host/core/error.hpp"

namespace impasto::python {
namespace {

std::string type_name(const nb::dlpack::dtype& type) {
  using Code = nb::dlpack::dtype_code;
  const auto code = static_cast<Code>(type.code);
  if (code == Code::Bool) return "bool";
  const char* name = code == Code::Float  ? "float"
                     : code == Code::UInt ? "uint"
                     : code == Code::Int  ? "int"
                                          : "type";
  return fmt::format("{}{}", name, type.bits);
}

std::string shape_of(const PictureArray& array) {
  std::string text;
  for (std::size_t i = 0; i < array.ndim(); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", array.shape(i));
  }
  return fmt::format("({})", text);
}

/// An array that owns `values`.
template <class T>
nb::object owning_array(std::vector<T> values, std::initializer_list<std::size_t> shape) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  T* data = owned->data();
  const nb::capsule owner(owned.release(),
                          [](void* held) noexcept { delete static_cast<std::vector<T>*>(held); });
  return nb::cast(nb::ndarray<nb::numpy, T>(data, shape.size(), shape.begin(), owner));
}

}  // namespace

Image to_image(const PictureArray& array, const char* what) {
  const bool bytes = array.dtype() == nb::dtype<std::uint8_t>();
  const bool floats = array.dtype() == nb::dtype<float>();
  const bool picture =
      array.ndim() == 3 && array.shape(2) == 3 && array.shape(0) > 0 && array.shape(1) > 0;
  if (!picture || !(bytes || floats)) {
    fail(ErrorKind::input,
         "{}: expected an array (height, width, 3) of uint8, or of float32 from 0 to 255, found {} "
         "of {}",
         what, shape_of(array), type_name(array.dtype()));
  }
  Image image{static_cast<std::int64_t>(array.shape(0)),
              static_cast<std::int64_t>(array.shape(1)),
              std::vector<float>(array.size()),
              {},
              bytes ? 8 : 16};
  if (bytes) {
    const auto* from = static_cast<const std::uint8_t*>(array.data());
    std::copy_n(from, array.size(), image.rgb.begin());
    return image;
  }
  const auto* from = static_cast<const float*>(array.data());
  if (!std::all_of(from, from + array.size(), [](float value) { return std::isfinite(value); })) {
    fail(ErrorKind::input, "{}: expected numbers from 0 to 255, found NaN or infinity", what);
  }
  std::copy_n(from, array.size(), image.rgb.begin());
  return image;
}

nb::object to_array(std::vector<float> values, std::initializer_list<std::size_t> shape) {
  return owning_array(std::move(values), shape);
}

nb::object to_array(Image image) {
  const auto height = static_cast<std::size_t>(image.height);
  const auto width = static_cast<std::size_t>(image.width);
  return to_array(std::move(image.rgb), {height, width, 3});
}

nb::object to_bytes(const PictureArray& pixels) {
  const Image image = to_image(pixels, "pixels");
  std::vector<std::uint8_t> bytes(image.rgb.size());
  std::ranges::transform(image.rgb, bytes.begin(), [](float value) {
    return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F) + 0.5F);
  });
  return owning_array(std::move(bytes), {static_cast<std::size_t>(image.height),
                                         static_cast<std::size_t>(image.width), 3});
}

}  // namespace impasto::python
