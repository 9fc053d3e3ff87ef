// SPDX-License-Identifier: MIT
#include "host/engine/initial.hpp"

#include <algorithm>
#include <array>

#include "host/core/error.hpp"
#include "host/image/recolour.hpp"
#include "host/model/vgg.hpp"
#include "kernels/common/philox.hpp"

namespace impasto {
namespace {

/// The mean pixel, which the network sees as 0, plus uniform noise of ±amplitude, value i drawn from
/// counter i/4.
Image noise(const Config& config, std::int64_t height, std::int64_t width) {
  Image image{
      height, width, std::vector<float>(static_cast<std::size_t>(3 * height * width)), {}, 8};
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(config.seed),
                                            static_cast<std::uint32_t>(config.seed >> 32U)};
  const auto scale = static_cast<float>(config.objective.input_scale);
  std::array<std::uint32_t, 4> bits{};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    const std::size_t block = i / 4;
    if (i % 4 == 0) {
      bits = kernels::philox4x32(
          {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32U), 0, 0}, key);
    }
    const double uniform = 2.0 * static_cast<double>(kernels::philox_uniform(bits[i % 4])) - 1.0;
    image.rgb[i] = vgg_mean[i % 3] / scale + static_cast<float>(config.noise_amplitude * uniform);
  }
  return image;
}

/// The colours of a style picture, of the part that its mask shows.
ColourStatistics colours_of(const Style& style) {
  const Image& image = style.image;
  const bool masked = style.style_mask.has_value();
  const Mask own = masked ? averaged(*style.style_mask, image.height, image.width) : Mask();
  return colour_statistics(image, own.values);
}

/// The colours of the style pictures together, each with its share.
ColourStatistics colours_of(std::span<const Style> styles) {
  double sum = 0;
  for (const Style& style : styles) sum += style.weight;
  std::vector<ColourStatistics> parts;
  std::vector<double> shares;
  for (const Style& style : styles) {
    parts.push_back(colours_of(style));
    shares.push_back(style.weight / sum);
  }
  return mixture(parts, shares);
}

/// The picture in the colours of each style where its mask is, and in its own where none is. Where
/// masks overlap it gets their mean.
Image recoloured_by_masks(const Image& picture, std::span<const Style> styles) {
  std::vector<float> sums(picture.rgb.size());
  std::vector<float> weights(static_cast<std::size_t>(picture.pixels()));
  for (const Style& style : styles) {
    const Image own = recoloured(picture, colours_of(style));
    const Mask mask = averaged(*style.mask, picture.height, picture.width);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += mask.values[i / 3] * own.rgb[i];
    }
    for (std::size_t p = 0; p < weights.size(); ++p) weights[p] += mask.values[p];
  }
  Image image = picture;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const float weight = weights[i / 3];
    image.rgb[i] = weight < 1 ? sums[i] + (1 - weight) * picture.rgb[i] : sums[i] / weight;
  }
  return image;
}

/// The picture in the colours of the styles, each where it goes.
Image in_colours_of(std::span<const Style> styles, const Image& picture, bool guided) {
  if (styles.empty()) return picture;
  const bool masked =
      guided && std::ranges::all_of(styles, [](const Style& s) { return s.mask.has_value(); });
  return masked ? recoloured_by_masks(picture, styles) : recoloured(picture, colours_of(styles));
}

}  // namespace

Image make_initial(const Config& config, const Image& content, std::span<const Style> styles,
                   const Image* file) {
  switch (config.init) {
    case Init::content: return content;
    case Init::recoloured: return in_colours_of(styles, content, config.objective.guided);
    case Init::style_statistics:
      return in_colours_of(styles, noise(config, content.height, content.width),
                           config.objective.guided);
    case Init::random: return noise(config, content.height, content.width);
    case Init::mix: {
      Image image = noise(config, content.height, content.width);
      const auto ratio = static_cast<float>(config.noise_ratio);
      for (std::size_t i = 0; i < image.rgb.size(); ++i) {
        image.rgb[i] = ratio * image.rgb[i] + (1 - ratio) * content.rgb[i];
      }
      return image;
    }
    case Init::file:
      require(file != nullptr && file->height == content.height && file->width == content.width,
              "the initial picture must have the content's size");
      return *file;
  }
  fail(ErrorKind::internal, "unknown initial picture");
}

}  // namespace impasto
