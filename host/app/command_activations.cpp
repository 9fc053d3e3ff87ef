// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/core/atomic_file.hpp"
#include "host/core/error.hpp"
#include "host/model/vgg.hpp"
#include "weights/hdf5_handle.hpp"

namespace impasto::app {
namespace {

constexpr auto activations_examples = R"(Example:
  impasto activations photo.jpg --layer conv4_2 -o conv4_2.h5

The file holds one float32 dataset 'activation' (height, width, channels), after the
layer's ReLU, with the attributes layer, image and weights.)";

/// Where an activation comes from; the attributes of its dataset.
struct Origin {
  std::string layer;
  std::string image;
  std::string weights;
};

void write_attribute(const Hdf5Dataset& dataset, const char* name, const std::string& text) {
  const Hdf5Space scalar(H5Screate(H5S_SCALAR));
  const Hdf5Type type(H5Tcopy(H5T_C_S1));
  const bool typed =
      H5Tset_size(type.get(), text.size() + 1) >= 0 && H5Tset_cset(type.get(), H5T_CSET_UTF8) >= 0;
  const Hdf5Attribute attribute(
      typed ? H5Acreate2(dataset.get(), name, type.get(), scalar.get(), H5P_DEFAULT, H5P_DEFAULT)
            : H5I_INVALID_HID);
  if (!attribute || H5Awrite(attribute.get(), type.get(), text.c_str()) < 0) {
    fail(ErrorKind::output, "cannot write the attribute {}: {}", name, hdf5_reason());
  }
}

/// Writes an activation as an HDF5 file, atomically: one float32 dataset `activation` (H,W,C) with
/// its origin as attributes. Throws ErrorKind::output.
void save_activation(const Activation& activation, const Origin& origin, const OutputPath& path) {
  const Hdf5Session session;
  // Asked while the handles are open: closing them clears what HDF5 remembers.
  const auto check = [&path](bool done) {
    if (done) return;
    fail(ErrorKind::output, "{}: cannot be written: {}", path.string(), hdf5_reason());
  };
  AtomicFile target(path.string());
  const Hdf5Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_file_locking(access.get(), false, true);  // some file systems cannot lock
  Hdf5FileId file(
      H5Fcreate(target.temporary_path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
  check(static_cast<bool>(file));
  const std::array<hsize_t, 3> shape = {static_cast<hsize_t>(activation.height),
                                        static_cast<hsize_t>(activation.width),
                                        static_cast<hsize_t>(activation.channels)};
  const Hdf5Space space(H5Screate_simple(3, shape.data(), nullptr));
  // Without the time of writing, so that the same values give the same bytes.
  const Hdf5Properties timeless(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(timeless.get(), false);
  Hdf5Dataset dataset(H5Dcreate2(file.get(), "activation", H5T_IEEE_F32LE, space.get(), H5P_DEFAULT,
                                 timeless.get(), H5P_DEFAULT));
  check(static_cast<bool>(dataset));
  check(H5Dwrite(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                 activation.values.data()) >= 0);
  write_attribute(dataset, "layer", origin.layer);
  write_attribute(dataset, "image", origin.image);
  write_attribute(dataset, "weights", origin.weights);
  check(dataset.close());
  check(file.close());
  target.commit();
}

void print_summary(const Settings& settings, const Activation& activation) {
  const std::vector<float>& values = activation.values;
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  if (settings.json) {
    print_result(dump({{"layer", settings.layer},
                       {"output", settings.output ? Json(settings.output.string()) : Json()},
                       {"shape", {activation.height, activation.width, activation.channels}},
                       {"min", *lowest},
                       {"mean", mean},
                       {"max", *highest}}) +
                 "\n");
    return;
  }
  print_result(
      fmt::format("{}: {}x{}x{} (height, width, channels), min {:.6g}, mean {:.6g}, max "
                  "{:.6g}\n",
                  settings.layer, activation.height, activation.width, activation.channels, *lowest,
                  mean, *highest));
}

void show_activations(const Settings& settings) {
  const std::string layer(vgg_layer_name(settings.layer));
  const std::unique_ptr<Backend> backend = open_backend(settings);
  const Image image = load_picture(settings.image, settings.size);
  say_notes(image);
  Weights weights = open_weights(settings, *backend, layer);
  const std::size_t deepest = weights.layers->index(layer);
  Session session(*backend, std::move(weights), settings.config.objective.pool, deepest,
                  settings.config.objective.padding, settings.config.objective.input_scale);
  const Activation values = activation(session, image, layer);
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::ranges::all_of(values.values, finite)) refuse_infinite_losses(settings.image);
  if (settings.output) {
    const std::string name = std::filesystem::path(settings.image).filename().string();
    save_activation(values, {layer, name, session.network().traits().description}, settings.output);
  }
  print_summary(settings, values);
}

}  // namespace

void add_activations_command(CLI::App& program) {
  add_command(program,
              {.name = "activations",
               .summary = "Show what one layer of the network makes of a picture",
               .example = "impasto activations photo.jpg --layer conv4_2 -o conv4_2.h5",
               .footer = activations_examples},
              show_activations);
}

}  // namespace impasto::app
