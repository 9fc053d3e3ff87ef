// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/settings.hpp"
#include "host/backend/backend.hpp"
#include "host/engine/plan.hpp"
#include "host/image/image.hpp"
#include "host/image/mask.hpp"
#include "host/model/weights.hpp"

namespace impasto::app {

/// The backend of --device. Throws with a suggestion for a name that does not exist.
std::unique_ptr<Backend> open_backend(const Settings& settings);

/// The backends of --device, which may name several.
std::vector<std::unique_ptr<Backend>> open_backends(const Settings& settings);

/// What the user of the device "auto" should know: why a GPU that the machine seems to have is not used;
/// empty where there is none, or it is, or where another device was asked for.
std::string unused_gpu(std::string_view device);

/// A picture by file name, or one of the program's own: "sample:scene" or "sample:painting", or what
/// standard input has, "-". With `size`, its longer side becomes that.
Image load_picture(const std::string& name, std::optional<std::int64_t> size = std::nullopt);

/// The picture at exactly the size of another. A rounded side may differ by one pixel; throws
/// ErrorKind::input for a picture of another shape.
Image load_picture_like(const std::string& name, const Image& other);

/// The style pictures, their longer side at `size`, with their weights, and with the masks that say
/// where on `content` they go.
std::vector<Style> load_styles(const Settings& settings, std::int64_t size, const Image& content);

/// Throws ErrorKind::input, naming `what`, for a mask of another shape than its picture, whatever its
/// size, or a black one.
void require_mask(const Mask& mask, const Image& picture, std::string_view what);

/// Brings the masks that the settings name to these styles, where they have none yet, for a picture
/// like `content`. Throws as require_mask() does.
void add_masks(const Settings& settings, const Image& content, std::span<Style> styles);

/// Throws ErrorKind::usage where settings do not fit one another: another number of weights or masks
/// than of styles, or more bits than the format of the output holds.
void require_fit(const Settings& settings);

/// Throws ErrorKind::input where --init names a file that is no picture. Its shape is not looked at.
void require_initial(const Settings& settings);

/// The pictures of one stylization, ready for the engine.
struct StylizeInputs {
  Image content;
  std::vector<Style> styles;
  Image initial;
};

/// The pictures that the settings name, at their sizes.
StylizeInputs load_inputs(const Settings& settings);

/// The same for a content that is there already, at its size.
StylizeInputs inputs_of(const Settings& settings, Image content);

/// Tells the user something, unless it is empty or --quiet was given.
void say_note(const Settings& settings, const std::string& note);

/// Tells the user what is odd about a picture's file.
void say_notes(const Image& picture);

/// What the user of the built-in network should know.
inline constexpr auto random_weights_note =
    "the network has random weights; a trained one paints better: impasto weights get";

/// What the user of a preset should know whose weights are for other networks than this; else empty.
std::string note_of_preset(const Settings& settings);

/// What --weights decide where the user did not: a network that was trained with a blur in its
/// pooling keeps it, in place of the preset's average or maximum of 2×2 cells.
void suit_to_network(Settings& settings);

/// The layers of the network: of --weights, which may be what the store has, else the built-in one.
const VggLayers& network_layers(const Settings& settings);

/// That network, as deep as the objective or a layer needs. The built-in one is made and calibrated
/// on the spot, and the user is told.
Weights open_weights(const Settings& settings, Backend& backend);
Weights open_weights(const Settings& settings, Backend& backend, std::string_view deepest_layer);

}  // namespace impasto::app
