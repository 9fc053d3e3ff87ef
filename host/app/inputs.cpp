// SPDX-License-Identifier: MIT
#include "host/app/inputs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <span>
#include <unistd.h>
#include <vector>

#include "host/api/engine.hpp"
#include "host/app/failure.hpp"
#include "host/app/terminal.hpp"
#include "host/app/values.hpp"
#include "host/backend/registry.hpp"
#include "host/batch/archives.hpp"
#include "host/core/file_descriptor.hpp"
#include "host/core/printable.hpp"
#include "host/core/suggest.hpp"
#include "host/engine/initial.hpp"
#include "host/image/decode.hpp"
#include "host/image/encode.hpp"
#include "host/image/mask.hpp"
#include "host/image/resize.hpp"
#include "host/model/vgg.hpp"

namespace impasto::app {
namespace {

constexpr std::int64_t sample_size = 512;
constexpr std::string_view sample_prefix = "sample:";

}  // namespace

std::unique_ptr<Backend> open_backend(const Settings& settings) {
  return make_backend(settings.device, parse_precision(settings.precision),
                      {.tuning = settings.no_plan_cache ? Tuning::off : Tuning::cached});
}

std::vector<std::unique_ptr<Backend>> open_backends(const Settings& settings) {
  std::vector<std::unique_ptr<Backend>> devices;
  Settings one = settings;
  for (const std::string_view device : split(settings.device, ',')) {
    one.device = device;
    devices.push_back(open_backend(one));
  }
  return devices;
}

std::string unused_gpu(std::string_view device) {
  std::error_code ignored;
  if (device != "auto" || !std::filesystem::exists("/proc/driver/nvidia", ignored)) {
    return {};
  }
  for (const BackendEntry& entry : list_backends()) {
    if (entry.name == "cuda" && !entry.unavailable.empty()) {
      return fmt::format("this machine has an NVIDIA GPU that is not used: {}", entry.unavailable);
    }
  }
  return {};
}

namespace {

std::vector<std::byte> read_standard_input() {
  if (::isatty(STDIN_FILENO) != 0) {
    throw HintedError(ErrorKind::usage, "standard input is a terminal: expected a picture for '-'",
                      "try: impasto stylize - style.jpg -o out.png < photo.jpg");
  }
  constexpr std::size_t part = 1 << 20U;
  const auto most = static_cast<std::size_t>(ImageLimits().max_bytes);
  const FileDescriptor file(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  std::vector<std::byte> bytes;
  std::optional<std::size_t> count = part;
  while (count == part && bytes.size() <= most) {
    const std::size_t held = bytes.size();
    bytes.resize(held + part);
    count = read_all(file, std::span(bytes).subspan(held));
    if (!count) fail(ErrorKind::input, "cannot read standard input: {}", std::strerror(errno));
    bytes.resize(held + *count);
  }
  if (bytes.empty()) fail(ErrorKind::input, "cannot read standard input: it is empty");
  if (bytes.size() > most) {
    fail(ErrorKind::input, "cannot read standard input: more than {} bytes, which is the limit",
         most);
  }
  return bytes;
}

}  // namespace

Image load_picture(const std::string& name, std::optional<std::int64_t> size) {
  if (name == standard_stream) return decode_image(read_standard_input(), "standard input", size);
  // A folder may be called a.tar as well.
  const auto packed = batch::in_archive(name);
  if (packed && std::filesystem::is_regular_file(packed->archive)) {
    return decode_image(batch::read_in_archive(*packed, ImageLimits().max_bytes), name, size);
  }
  if (!name.starts_with(sample_prefix)) return load_image(name, size);
  const std::vector<std::string> names = {"sample:scene", "sample:painting"};
  if (std::ranges::find(names, name) != names.end()) {
    return draw_sample(name.substr(sample_prefix.size()), size.value_or(sample_size));
  }
  throw HintedError(ErrorKind::usage, fmt::format("there is no picture '{}'", name),
                    did_you_mean(name, names, "there are sample:scene and sample:painting"));
}

Image load_picture_like(const std::string& name, const Image& other) {
  const Image picture = load_picture(name, std::max(other.height, other.width));
  if (std::abs(picture.height - other.height) > 1 || std::abs(picture.width - other.width) > 1) {
    fail(ErrorKind::input, "{}: expected the shape of the picture, {}x{}, found {}x{}", name,
         other.width, other.height, picture.width, picture.height);
  }
  Image resized = resize(picture, other.height, other.width);
  resized.notes = picture.notes;
  return resized;
}

std::vector<Style> load_styles(const Settings& settings, std::int64_t size, const Image& content) {
  const std::vector<double> weights = weights_of_styles(settings, settings.styles.size());
  std::vector<Style> styles;
  for (const std::string& style : settings.styles) {
    styles.push_back({load_picture(style, size), weights[styles.size()]});
  }
  add_masks(settings, content, styles);
  return styles;
}

void require_mask(const Mask& mask, const Image& picture, std::string_view what) {
  const PictureSize to = fit({mask.height, mask.width}, std::max(picture.height, picture.width));
  if (std::abs(to.height - picture.height) > 1 || std::abs(to.width - picture.width) > 1) {
    fail(ErrorKind::input, "{}: expected the shape of the picture, {}x{}, found {}x{}", what,
         picture.width, picture.height, mask.width, mask.height);
  }
  if (mask.black()) {
    fail(ErrorKind::input,
         "{}: the mask is black everywhere: expected white where the style counts", what);
  }
}

namespace {

/// A mask of a picture, at its size.
Mask load_mask(const std::string& name, const Image& picture) {
  Mask mask = mask_of(load_picture_like(name, picture));
  require_mask(mask, picture, name);
  return mask;
}

void require_count(std::string_view option, const std::vector<std::string>& masks,
                   std::size_t styles) {
  if (masks.empty() || masks.size() == styles) return;
  fail(ErrorKind::usage, "{}: expected {}, one for each style picture, found {}", option, styles,
       masks.size());
}

}  // namespace

void add_masks(const Settings& settings, const Image& content, std::span<Style> styles) {
  require_count("--mask", settings.masks, styles.size());
  require_count("--style-mask", settings.style_masks, styles.size());
  for (std::size_t i = 0; i < settings.masks.size(); ++i) {
    if (!styles[i].mask) styles[i].mask = load_mask(settings.masks[i], content);
  }
  for (std::size_t i = 0; i < settings.style_masks.size(); ++i) {
    if (styles[i].style_mask) continue;
    styles[i].style_mask = load_mask(settings.style_masks[i], styles[i].image);
  }
}

namespace {

/// Says what --init takes where a picture for it cannot be had.
template <class Load>
auto for_initial(const Load& load) {
  try {
    return load();
  } catch (const Error& error) {
    throw HintedError(error.kind(), error.what(),
                      "--init takes content, recoloured, style-statistics, random, mix or a "
                      "picture of the content's shape");
  }
}

/// The size of a picture with both sides brought to multiples of `step`.
PictureSize rounded(const Image& picture, std::int64_t step) {
  const auto nearest = [step](std::int64_t side) {
    return std::max<std::int64_t>((side + step / 2) / step, 1) * step;
  };
  return {nearest(picture.height), nearest(picture.width)};
}

/// A picture at another size, or itself.
Image in_size(Image picture, const PictureSize& to) {
  const bool fits = to.height == picture.height && to.width == picture.width;
  return fits ? std::move(picture) : resize(picture, to.height, to.width);
}

/// `unrounded`: the content as its file has it, whose shape a picture of --init has.
Image load_initial(const Settings& settings, const StylizeInputs& inputs, const Image& unrounded) {
  if (settings.config.init != Init::file) {
    return make_initial(settings.config, inputs.content, inputs.styles);
  }
  return for_initial([&] {
    Image start = load_picture_like(settings.init_file, unrounded);
    const PictureSize size = rounded(start, settings.batch.bucket);
    start = in_size(std::move(start), size);
    return make_initial(settings.config, inputs.content, inputs.styles, &start);
  });
}

}  // namespace

void require_fit(const Settings& settings) {
  static_cast<void>(weights_of_styles(settings, settings.styles.size()));
  require_count("--mask", settings.masks, settings.styles.size());
  require_count("--style-mask", settings.style_masks, settings.styles.size());
  if (!settings.style_masks.empty() && settings.masks.empty()) {
    fail(ErrorKind::usage, "--style-mask requires --mask");
  }
  if (settings.depth == 16 && settings.output && !holds_16_bits(settings.output.picture_name())) {
    fail(ErrorKind::usage, "--depth 16: '{}' holds 8 bits per channel: expected PNG or TIFF",
         settings.output.string());
  }
}

void require_initial(const Settings& settings) {
  if (settings.config.init != Init::file) return;
  constexpr std::int64_t small = 16;
  static_cast<void>(for_initial([&] { return load_picture(settings.init_file, small); }));
}

StylizeInputs load_inputs(const Settings& settings) {
  require_fit(settings);
  const std::int64_t size = settings.config.size;
  return inputs_of(settings,
                   load_picture(settings.content, size == 0 ? std::nullopt : std::optional(size)));
}

StylizeInputs inputs_of(const Settings& settings, Image content) {
  StylizeInputs inputs;
  const std::int64_t size = settings.config.size;
  const PictureSize to = rounded(content, settings.batch.bucket);
  const bool fits = to.height == content.height && to.width == content.width;
  inputs.content = fits ? std::move(content) : resize(content, to.height, to.width);
  const Image& unrounded = fits ? inputs.content : content;
  const std::int64_t style_size = settings.style_size.value_or(
      size == 0 ? std::max(inputs.content.height, inputs.content.width) : size);
  inputs.styles = load_styles(settings, style_size, unrounded);  // masks have the shape of the file
  for (Style& style : inputs.styles) {
    style.image = style_in(settings.colours, inputs.content, std::move(style.image));
  }
  inputs.initial = load_initial(settings, inputs, unrounded);
  return inputs;
}

void say_note(const Settings& settings, const std::string& note) {
  if (!settings.quiet && !note.empty()) message("note: {}\n", note);
}

void say_notes(const Image& picture) {
  for (const std::string& note : picture.notes) message("note: {}\n", printable(note));
}

std::string note_of_preset(const Settings& settings) {
  const NetworkTraits network = network_of(settings.weights);
  const std::string& chosen = settings.config.preset;
  if (suits(chosen, network)) return {};
  return fmt::format(
      "the preset '{}' is balanced for another kind of network; --preset {} suits this one", chosen,
      preset_for(network));
}

void suit_to_network(Settings& settings) {
  if (settings.pooling_given) return;
  Config& config = settings.config;
  if (settings.weights) config.objective.pool = pool_for(network_of(settings.weights), config);
}

const VggLayers& network_layers(const Settings& settings) {
  return *network_of(settings.weights).layers;
}

Weights open_weights(const Settings& settings, Backend& backend) {
  const VggLayers& layers = network_layers(settings);
  const std::size_t deepest = deepest_layer(settings.config.objective, layers);
  return open_weights(settings, backend, layers[deepest].name);
}

Weights open_weights(const Settings& settings, Backend& backend, std::string_view deepest_layer) {
  if (!settings.weights && !settings.quiet) {
    print_message(fmt::format("note: {}\n", random_weights_note));
  }
  return impasto::open_weights(settings.weights, backend, deepest_layer);
}

}  // namespace impasto::app
