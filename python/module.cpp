// SPDX-License-Identifier: MIT
// The part of the Python package that is C++: python/impasto/ is what users see of it.
#include <cstdint>
#include <exception>
#include <fmt/format.h>
#include <impasto.hpp>
#include <memory>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/measures.hpp"
#include "host/app/version.hpp"
#include "host/core/suggest.hpp"
#include "python/pictures.hpp"
#include "python/settings.hpp"

namespace impasto::python {
namespace {

std::span<const Image> only(const Image& image) { return {&image, 1}; }

/// A mask that is an array, of the shape of its picture; none where there is no array.
std::optional<Mask> to_mask(const nb::handle& array, const char* what, const Image& picture) {
  if (array.is_none()) return std::nullopt;
  const auto values = nb::cast<MaskArray>(array);
  Mask mask{static_cast<std::int64_t>(values.shape(0)),
            static_cast<std::int64_t>(values.shape(1)),
            {values.data(), values.data() + values.size()}};
  app::require_mask(mask, picture, what);
  return mask;
}

/// Each is a picture, its weight, and its masks or None.
std::vector<Style> to_styles(const nb::list& styles, const app::Settings& settings,
                             const Image& content) {
  const std::vector<double> weights = app::weights_of_styles(settings, styles.size());
  std::vector<Style> result;
  for (const nb::handle style : styles) {
    const auto parts = nb::cast<nb::tuple>(style);
    Image image = to_image(nb::cast<PictureArray>(parts[0]), "style");
    Style made{style_in(settings.colours, content, std::move(image)),
               weights[result.size()] * nb::cast<double>(parts[1])};
    made.mask = to_mask(parts[2], "mask", content);
    made.style_mask = to_mask(parts[3], "style_mask", made.image);
    result.push_back(std::move(made));
  }
  app::add_masks(settings, content, result);
  return result;
}

/// The picture to start from: one of Python's, else what the settings say.
Image to_initial(const Config& config, const Image& content, std::span<const Style> styles,
                 const std::optional<PictureArray>& initial) {
  if (!initial) return make_initial(config, content, styles);
  Image image = to_image(*initial, "init");
  if (image.height != content.height || image.width != content.width) {
    fail(ErrorKind::input, "init: expected the content's size, {}x{}, found {}x{}", content.width,
         content.height, image.width, image.height);
  }
  return image;
}

/// What a caller's function is told. It is good while that function runs.
class Reported {
 public:
  explicit Reported(const Progress& progress) : progress_(&progress) {}
  void end() { progress_ = nullptr; }

  [[nodiscard]] std::int64_t iteration() const { return now().iteration; }
  [[nodiscard]] double seconds() const { return now().seconds; }
  [[nodiscard]] nb::object losses() const { return to_python(app::describe(now().losses.front())); }
  [[nodiscard]] nb::object pixels() const { return to_array(now().picture(0)); }

 private:
  [[nodiscard]] const Progress& now() const {
    if (progress_ == nullptr) {
      fail(ErrorKind::usage, "progress can be looked at only while the function runs that got it");
    }
    return *progress_;
  }
  const Progress* progress_;
};

/// Whether to go on: signals have been looked at, and the caller's function, if any, did not return
/// False. Throws what either of them raises. Holds the interpreter.
bool ask(const nb::object& callback, const Progress& progress) {
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
  if (callback.is_none()) return true;
  const auto reported = std::make_shared<Reported>(progress);
  struct Ending {
    Reported& reported;
    ~Ending() { reported.end(); }
  } ending{*reported};
  return !callback(reported).is(nb::bool_(false));
}

nb::dict describe(const Course::Point& point) {
  nb::dict dict;
  dict["iteration"] = point.iteration;
  dict["losses"] = to_python(app::describe(point.losses));
  return dict;
}

/// Returns what is known at the end, whatever ended it; with "failure", what the caller's function
/// or a signal raised.
nb::dict stylize(Engine& engine, const app::Settings& settings, const PictureArray& content_array,
                 const nb::list& style_arrays, const std::optional<PictureArray>& initial_array,
                 const nb::object& callback) {
  const Config& config = settings.config;
  const Image content = to_image(content_array, "content");
  const std::vector<Style> styles = to_styles(style_arrays, settings, content);
  const Image initial = to_initial(config, content, styles, initial_array);
  std::vector<float> history;
  std::optional<nb::python_error> failure;
  const Stylization::Report report = [&](const Progress& progress) {
    history.push_back(static_cast<float>(progress.losses.front().total));
    const nb::gil_scoped_acquire interpreter;
    try {
      return ask(callback, progress);
    } catch (nb::python_error& error) {
      failure.emplace(std::move(error));
      return false;
    }
  };
  Stylized done;
  {
    const nb::gil_scoped_release others_may_run;
    done = engine.stylize(config, content, styles, report, &initial);
  }
  nb::dict result;
  result["ending"] = std::string(app::word_for(done.ending));
  result["iterations"] = done.iterations;
  result["seconds"] = done.seconds;
  result["pixels"] =
      to_array(result_in(settings.colours, content, std::move(done.pictures.front())));
  const std::size_t count = history.size();
  result["history"] = to_array(std::move(history), {count});
  app::Settings used = settings;
  if (initial_array) used.config.init = Init::file;
  result["recipe"] = to_python(app::describe(used));
  if (!done.courses.empty()) {
    const Course& course = done.courses.front();
    result["first"] = describe(course.first);
    result["result"] = describe(course.result());
    result["rose"] = course.rose;
  }
  result["failure"] = failure ? nb::borrow(failure->value()) : nb::none();
  return result;
}

nb::object score(Engine& engine, const app::Settings& settings, const PictureArray& image_array,
                 const PictureArray& content_array, const nb::list& style_arrays) {
  const Image image = to_image(image_array, "image");
  const Image content = to_image(content_array, "content");
  const std::vector<Style> styles = to_styles(style_arrays, settings, content);
  app::Json result;
  {
    const nb::gil_scoped_release others_may_run;
    const Config& config = settings.config;
    const app::Measures measures =
        app::measures_of(engine.weights(), config.objective, image, styles);
    const std::shared_ptr<Session> session = engine.session(config.objective, measures.deepest);
    result = app::describe(impasto::score(*session, config, image, content, styles));
    result["quality"] = app::describe(assess(*session, measures.layers, image, content, styles));
  }
  return to_python(result);
}

nb::object activations(Engine& engine, const app::Settings& settings,
                       const PictureArray& image_array, const std::string& layer) {
  const Image image = to_image(image_array, "image");
  Activation map;
  {
    const nb::gil_scoped_release others_may_run;
    map = engine.activation(image, layer, settings.config.objective.pool);
  }
  return to_array(std::move(map.values),
                  {static_cast<std::size_t>(map.height), static_cast<std::size_t>(map.width),
                   static_cast<std::size_t>(map.channels)});
}

/// A stylization in single steps, at one size.
class Steps {
 public:
  Steps(Engine& engine, const app::Settings& settings, const PictureArray& content_array,
        const nb::list& style_arrays, const std::optional<PictureArray>& initial_array) {
    const Image content = to_image(content_array, "content");
    const std::vector<Style> styles = to_styles(style_arrays, settings, content);
    const Image initial = to_initial(settings.config, content, styles, initial_array);
    const nb::gil_scoped_release others_may_run;
    session_ = engine.session(settings.config.objective);
    stylizer_ = std::make_unique<Stylizer>(*session_, settings.config, only(content), styles,
                                           only(initial));
  }

  [[nodiscard]] std::int64_t iteration() const { return iteration_; }

  /// Takes `count` steps; the losses that the last of them began with.
  nb::object step(std::int64_t count) {
    if (count < 1) fail(ErrorKind::usage, "step takes a number from 1, not {}", count);
    Losses losses;
    for (std::int64_t i = 0; i < count; ++i) {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      const nb::gil_scoped_release others_may_run;
      stylizer_->step();
      ++iteration_;
      has_gradient_ = true;
      losses = stylizer_->losses().front();
      if (!losses.finite()) {
        fail(ErrorKind::diverged, "the loss is not finite after iteration {}", iteration_ - 1);
      }
    }
    return to_python(app::describe(losses));
  }

  nb::object losses() {
    Losses losses;
    {
      const nb::gil_scoped_release others_may_run;
      has_gradient_ = false;
      losses = stylizer_->evaluate().front();
    }
    return to_python(app::describe(losses));
  }

  nb::object pixels() {
    Image image;
    {
      const nb::gil_scoped_release others_may_run;
      image = stylizer_->image();
    }
    return to_array(std::move(image));
  }

  void set_pixels(const PictureArray& array) {
    const Image image = to_image(array, "pixels");
    const Tensor& pixels = stylizer_->plan().pixels();
    if (image.height != pixels.shape.height || image.width != pixels.shape.width) {
      fail(ErrorKind::input, "pixels: expected {}x{}, found {}x{}", pixels.shape.width,
           pixels.shape.height, image.width, image.height);
    }
    const nb::gil_scoped_release others_may_run;
    write_pictures(session_->backend(), pixels, only(image));
  }

  nb::object gradient() {
    if (!has_gradient_) fail(ErrorKind::usage, "there is a gradient after a step only");
    Image image;
    {
      const nb::gil_scoped_release others_may_run;
      image = read_picture(session_->backend(), stylizer_->plan().gradient(), 0);
      const auto scale = static_cast<float>(stylizer_->plan().gradient_scale());
      for (float& value : image.rgb) value /= scale;
    }
    return to_array(std::move(image));
  }

 private:
  std::shared_ptr<Session> session_;
  std::unique_ptr<Stylizer> stylizer_;
  std::int64_t iteration_ = 0;
  bool has_gradient_ = false;  ///< whether nothing was computed since the last step
};

nb::list devices() {
  nb::list list;
  for (const BackendEntry& entry : list_backends()) {
    nb::list precisions;
    for (const Precision precision : entry.precisions()) precisions.append(to_string(precision));
    nb::dict dict;
    dict["name"] = entry.name;
    dict["description"] = entry.description;
    dict["available"] = entry.unavailable.empty();
    dict["reason"] =
        entry.unavailable.empty() ? nb::none() : nb::object(nb::str(entry.unavailable.c_str()));
    dict["precisions"] = precisions;
    list.append(dict);
  }
  return list;
}

nb::object load(const std::string& path, std::optional<std::int64_t> size) {
  Image image;
  {
    const nb::gil_scoped_release others_may_run;
    constexpr std::string_view sample = "sample:";
    image = path.starts_with(sample) ? draw_sample(path.substr(sample.size()), size.value_or(512))
                                     : load_image(path, size);
  }
  return to_array(std::move(image));
}

/// The picture with its longer side at `size`.
nb::object resized(const PictureArray& array, std::int64_t size) {
  Image image = to_image(array, "picture");
  {
    const nb::gil_scoped_release others_may_run;
    const Shape to = scaled_to(pixel_shape(only(image)), size);
    image = resize(image, to.height, to.width);
  }
  return to_array(std::move(image));
}

void save(const PictureArray& array, const std::string& path, const std::string& comment) {
  const Image image = to_image(array, "picture");
  const nb::gil_scoped_release others_may_run;
  check_output_path(path);
  save_image(image, path, comment);
}

/// Tells `callback`, unless it is None, how much of a stage is done; looks at signals.
void tell(const nb::object& callback, std::string_view stage, std::uint64_t done,
          std::uint64_t total) {
  const nb::gil_scoped_acquire interpreter;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
  if (!callback.is_none()) callback(stage, done, total);
}

nb::dict convert(const std::string& source, const std::string& out, const nb::object& callback) {
  ConversionReport report;
  {
    const nb::gil_scoped_release others_may_run;
    report = convert_weights(source, out, Preparation::automatic, [&](const ConvertProgress& at) {
      tell(callback, at.stage, at.done, at.total);
    });
  }
  nb::dict dict;
  dict["format"] = report.source_format;
  dict["sha256"] = report.header.origin.source_sha256;
  dict["known"] = report.known == nullptr ? nb::none() : nb::cast(report.known->name);
  dict["notes"] = report.notes;
  return dict;
}

const KnownFile& published(const std::string& name) {
  const KnownFile* file = find_in_catalogue(name);
  if (file != nullptr) return *file;
  std::vector<std::string> names;
  for (const KnownFile& known : known_files()) {
    if (!known.id.empty()) names.emplace_back(known.id);
  }
  throw app::HintedError(ErrorKind::usage, fmt::format("there are no weights '{}'", name),
                         did_you_mean(name, names, "there are " + one_of(names)));
}

std::string fetch(const std::string& name, const std::string& url, const nb::object& callback) {
  const KnownFile& file = published(name);
  const nb::gil_scoped_release others_may_run;
  if (is_stored(file)) return stored_path(file);
  if (file.url.empty() && url.empty()) {
    fail(ErrorKind::usage, "{} is in a Python package: pip download it, and convert {}", file.id,
         file.name);
  }
  FetchOptions options;
  options.url = url;
  options.fetching = [&](std::uint64_t done, std::uint64_t total) {
    tell(callback, "fetching", done, total);
  };
  options.converting = [&](const ConvertProgress& at) {
    tell(callback, at.stage, at.done, at.total);
  };
  return fetch_weights(file, options).path;
}

nb::object inspect(const std::string& path) {
  WeightsReport report;
  {
    const nb::gil_scoped_release others_may_run;
    report = inspect_weights(path);
  }
  return to_python(app::describe(report));
}

/// Errors become the classes of impasto/errors.py, by their kind.
void raise_errors(const std::exception_ptr& failure, void* /*unused*/) {
  const auto raise = [](const Error& error, const std::string& hint) {
    const nb::object raised = nb::module_::import_("impasto.errors")
                                  .attr("make")(static_cast<int>(error.kind()), error.what(), hint);
    PyErr_SetObject(raised.type().ptr(), raised.ptr());
  };
  try {
    std::rethrow_exception(failure);
  } catch (const app::HintedError& error) {
    raise(error, error.hint());
  } catch (const Error& error) {
    raise(error, {});
  }
}

}  // namespace
}  // namespace impasto::python

NB_MODULE(_impasto, module) {
  namespace nb = nanobind;
  using namespace nb::literals;
  using namespace impasto;
  using namespace impasto::python;
  nb::register_exception_translator(raise_errors);
  module.attr("__version__") = app::version;

  nb::class_<app::Settings>(module, "Settings", "Settings that were read and checked.")
      .def_prop_ro("size", [](const app::Settings& settings) { return settings.config.size; })
      .def_prop_ro("style_size", [](const app::Settings& settings) { return settings.style_size; })
      .def_prop_ro("init_file", [](const app::Settings& settings) { return settings.init_file; });

  nb::class_<Engine>(module, "Engine", "A backend and a network.")
      .def(
          "__init__",
          [](Engine* self, const app::Settings& settings) {
            const nb::gil_scoped_release others_may_run;
            new (self) Engine(engine_options(settings));
          },
          "settings"_a)
      .def_prop_ro("backend", [](Engine& self) { return self.backend().name(); })
      .def_prop_ro("device", [](Engine& self) { return self.backend().description(); })
      .def_prop_ro("precision", [](Engine& self) { return to_string(self.backend().precision()); })
      .def("stylize", stylize, "settings"_a, "content"_a, "styles"_a, "initial"_a.none(),
           "callback"_a.none())
      .def("score", python::score, "settings"_a, "image"_a, "content"_a, "styles"_a)
      .def("activations", activations, "settings"_a, "image"_a, "layer"_a);

  nb::class_<Reported>(
      module, "Progress",
      "How far a stylization is. Good while the function runs that it is given to.")
      .def_prop_ro("iteration", &Reported::iteration, "Steps done; 0 is the initial picture.")
      .def_prop_ro("seconds", &Reported::seconds, "Since the first iteration began.")
      .def_prop_ro("losses", &Reported::losses, nb::sig("def losses(self) -> dict"),
                   "As in the log.")
      .def_prop_ro("pixels", &Reported::pixels,
                   nb::sig("def pixels(self) -> numpy.typing.NDArray[numpy.float32]"),
                   "The picture with these losses, (height, width, 3), not rounded.");

  nb::class_<Steps>(module, "Steps", "A stylization in single steps.")
      .def(nb::init<Engine&, const app::Settings&, const PictureArray&, const nb::list&,
                    const std::optional<PictureArray>&>(),
           "engine"_a, "settings"_a, "content"_a, "styles"_a, "initial"_a.none(),
           nb::keep_alive<1, 2>())
      .def_prop_ro("iteration", &Steps::iteration)
      .def("step", &Steps::step, "count"_a)
      .def("losses", &Steps::losses)
      .def("gradient", &Steps::gradient)
      .def_prop_rw("pixels", &Steps::pixels, &Steps::set_pixels);

  module.def("read_settings", read_settings, "taker"_a, "given"_a, "engine"_a.none());
  module.def("list_settings", list_settings, "taker"_a);
  module.def("devices", devices);
  module.def("load", load, "path"_a, "size"_a.none());
  module.def("resized", resized, "picture"_a, "size"_a);
  module.def("save", save, "picture"_a, "path"_a, "comment"_a);
  module.def("convert_weights", convert, "source"_a, "out"_a, "progress"_a.none());
  module.def("fetch_weights", fetch, "name"_a, "url"_a, "progress"_a.none());
  module.def(
      "stored_path", [](const std::string& name) { return stored_path(published(name)); },
      "name"_a);
  module.def("inspect_weights", inspect, "path"_a);
  module.def("to_bytes", to_bytes, "pixels"_a);
}
