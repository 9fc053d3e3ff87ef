// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "host/app/describe.hpp"
#include "host/app/settings.hpp"
#include "host/app/values.hpp"
#include "host/film/video_formats.hpp"
#include "host/image/encode.hpp"
#include "host/model/weights.hpp"
#include "weights/store.hpp"

namespace impasto::app {
namespace {

using kernels::RateDecay;

// Where the settings hold this one.
#define AT(member) Place(+[](Settings & settings) -> auto& { return settings.member; })

constexpr std::array<std::pair<std::string_view, Init>, 5> init_words = {
    {{"content", Init::content},
     {"recoloured", Init::recoloured},
     {"style-statistics", Init::style_statistics},
     {"random", Init::random},
     {"mix", Init::mix}}};

/// --init: one of the words, or else a file.
Value initial_picture() {
  Value value = {.takes = "content|recoloured|style-statistics|random|mix|FILE"};
  value.read = [takes = value.takes](Settings& settings, std::string_view option,
                                     const Words& words) {
    refuse_empty(option, takes, words.front());
    settings.config.init = Init::file;
    settings.init_file = words.front();
    for (const auto& [word, init] : init_words) {
      if (settings.init_file != word) continue;
      settings.config.init = init;
      settings.init_file.clear();
      return;
    }
  };
  value.show = [](const Settings& settings) {
    for (const auto& [word, init] : init_words) {
      if (settings.config.init == init) return Json(word);
    }
    return Json("file");
  };
  value.reads = [](const Settings& settings) { return files_of(settings.init_file); };
  return value;
}

/// --size: that of the result, in place of the preset's; 0 is the content's own.
Value result_size(Whole type) {
  Value size = value(type, AT(config.size));
  size.read = [type](Settings& settings, std::string_view option, const Words& words) {
    settings.size = settings.config.size =
        words.front() == "0" ? 0 : type.read(option, words.front());
  };
  return size;
}

/// --preset: replaces what the settings after it start from.
Value starting_point() {
  const Choice names{preset_names()};
  Value value = {.takes = names.takes()};
  value.read = [names](Settings& settings, std::string_view option, const Words& words) {
    settings.config = preset(names.read(option, words.front()));
  };
  value.show = [](const Settings& settings) { return Json(settings.config.preset); };
  return value;
}

Value pooling() {
  Choice names;
  for (const auto& [word, mode] : pool_words) names.words.emplace_back(word);
  Value value = {.takes = names.takes()};
  value.read = [names](Settings& settings, std::string_view option, const Words& words) {
    const std::string chosen = names.read(option, words.front());
    for (const auto& [word, mode] : pool_words) {
      if (word == chosen) settings.config.objective.pool.mode = mode;
    }
    settings.pooling_given = true;
  };
  value.show = [](const Settings& settings) {
    return Json(pool_word(settings.config.objective.pool.mode));
  };
  return value;
}

/// One of a few words, each of which stands for a value of the member.
template <class T, std::size_t n>
Value word_for(const std::array<std::pair<std::string_view, T>, n>& words, Place<T> member) {
  Choice names;
  for (const auto& [word, meant] : words) names.words.emplace_back(word);
  Value value = {.takes = names.takes()};
  value.read = [=](Settings& settings, std::string_view option, const Words& given) {
    const std::string chosen = names.read(option, given.front());
    for (const auto& [word, meant] : words) {
      if (word == chosen) member(settings) = meant;
    }
  };
  value.show = [=](const Settings& settings) {
    for (const auto& [word, meant] : words) {
      if (member(settings) == meant) return Json(word);
    }
    return Json();
  };
  return value;
}

constexpr std::array<std::pair<std::string_view, Padding>, 2> padding_words = {
    {{"zero", Padding::zero}, {"replicate", Padding::replicate}}};

constexpr std::array<std::pair<std::string_view, Box>, 3> box_words = {
    {{"end", Box::end}, {"step", Box::step}, {"evaluation", Box::evaluation}}};

constexpr std::array<std::pair<std::string_view, Colours>, 4> colour_words = {
    {{"style", Colours::style},
     {"luminance", Colours::luminance},
     {"histogram", Colours::histogram},
     {"linear", Colours::linear}}};

/// What a loss looks at, as Loss::before_relu has it.
constexpr std::array<std::pair<std::string_view, bool>, 2> relu_words = {
    {{"after", false}, {"before", true}}};

constexpr std::array<std::pair<std::string_view, kernels::VariationForm>, 5> variation_words = {
    {{"squares", kernels::VariationForm::squares},
     {"absolute", kernels::VariationForm::absolute},
     {"means", kernels::VariationForm::means},
     {"power", kernels::VariationForm::power},
     {"nine-point", kernels::VariationForm::nine_point}}};

/// The total variation, which every preset has.
TotalVariationLoss& variation(Settings& settings) {
  auto& losses = settings.config.objective.losses;
  const auto is_variation = [](const AnyLoss& loss) {
    return std::holds_alternative<TotalVariationLoss>(loss);
  };
  return std::get<TotalVariationLoss>(*std::ranges::find_if(losses, is_variation));
}
auto& variation_form(Settings& settings) { return variation(settings).form; }
auto& variation_beta(Settings& settings) { return variation(settings).beta; }

const Loss* find_statistics(const Settings& settings) {
  for (const AnyLoss& loss : settings.config.objective.losses) {
    if (std::holds_alternative<StatisticsLoss>(loss)) return &common(loss);
  }
  return nullptr;
}

/// The loss on means and deviations. An objective that has none gets one with the weight 0, on the
/// layers of the style.
Loss& statistics(Settings& settings) {
  Objective& objective = settings.config.objective;
  if (find_statistics(settings) == nullptr) {
    StatisticsLoss added{{.name = "statistics", .weight = 0, .layers = objective["style"].layers},
                         {.factor = 1, .channel_power = 1}};
    objective.losses.insert(objective.losses.end() - 1, std::move(added));
  }
  return objective["statistics"];
}

Value statistics_weight(Real type) {
  return {.takes = type.takes(),
          .read =
              [type](Settings& settings, std::string_view option, const Words& words) {
                statistics(settings).weight = type.read(option, words.front());
              },
          .show =
              [](const Settings& settings) {
                const Loss* loss = find_statistics(settings);
                return shown(loss == nullptr ? 0 : loss->weight);
              }};
}

Value statistics_layers() {
  const Layers type;
  return {.takes = type.takes(),
          .read =
              [type](Settings& settings, std::string_view option, const Words& words) {
                statistics(settings).layers = type.read(option, words.front());
              },
          .show =
              [](const Settings& settings) {
                const Loss* loss = find_statistics(settings);
                return loss == nullptr ? Json() : shown(loss->layers);
              }};
}

/// Masks, one for each style picture. What is shown is their number: a recipe names no files.
Value masks(Place<std::vector<std::string>> member) {
  Value value = inputs(member);
  value.read = [read = value.read](Settings& settings, std::string_view option,
                                   const Words& words) {
    read(settings, option, words);
    settings.config.objective.guided = true;
  };
  value.show = [member](const Settings& settings) { return Json(member(settings).size()); };
  return value;
}

/// --depth: 8 or 16.
Value depth() {
  const Choice type{{"8", "16"}};
  Value value = {.takes = type.takes()};
  value.read = [type](Settings& settings, std::string_view option, const Words& words) {
    settings.depth = type.read(option, words.front()) == "8" ? 8 : 16;
  };
  value.show = [](const Settings& settings) { return shown(settings.depth); };
  return value;
}

/// --memory: null where nothing is said.
Value memory() {
  const Bytes type;
  return {.takes = type.takes(),
          .read =
              [type](Settings& settings, std::string_view option, const Words& words) {
                settings.config.memory = type.read(option, words.front());
              },
          .show =
              [](const Settings& settings) {
                const std::size_t bytes = settings.config.memory;
                return bytes == 0 ? Json() : Json(in_units(bytes));
              }};
}

/// --save-every: snapshots beside the result.
Value snapshots() {
  Value every = value(Whole{1}, AT(save_every));
  every.writes = [](const Settings& settings) {
    std::vector<Output> outputs;
    if (settings.save_every && settings.output) {
      outputs.push_back({.path = settings.output,
                         .every = *settings.save_every,
                         .iterations = settings.config.iterations});
    }
    return outputs;
  };
  return every;
}

/// FOLDER: the two samples are written into it.
Value sample_folder() {
  Value folder = value(WritesInto{}, AT(folder));
  folder.writes = [](const Settings& settings) {
    std::vector<Output> outputs;
    for (const char* name : {"scene.png", "painting.png"}) {
      outputs.push_back({.path = settings.folder.file(name)});
    }
    return outputs;
  };
  return folder;
}

/// The output folder of a batch, or its --run folder.
Value begun_run() {
  Value run = value(Text{"FOLDER"}, AT(batch.directory));
  run.keeps = [](const Settings& settings) {
    const std::filesystem::path folder(settings.batch.directory);
    std::vector<std::string> folders = {(folder / records_folder).string()};
    std::error_code ignored;
    if (std::filesystem::exists(folder / "run.json", ignored)) folders.push_back(folder.string());
    return folders;
  };
  return run;
}

/// --output of a batch, where it keeps its records unless --run names another folder.
Value results_folder() {
  Value folder = value(WritesInto{}, AT(batch.folder));
  folder.keeps = [](const Settings& settings) {
    const BatchSettings& batch = settings.batch;
    return batch.directory.empty()
               ? std::vector{batch.folder.file(std::string(records_folder)).string()}
               : std::vector{batch.directory};
  };
  return folder;
}

/// --output of a sweep, which puts two files of its own beside the results.
Value sweep_folder() {
  Value folder = results_folder();
  folder.writes = [](const Settings& settings) {
    std::vector<Output> outputs;
    std::error_code ignored;
    if (std::filesystem::is_directory(settings.batch.folder.string(), ignored)) {
      outputs.push_back({.path = settings.batch.folder.file("sheet.png")});
      outputs.push_back({.path = settings.batch.folder.file("scores.csv")});
    }
    return outputs;
  };
  return folder;
}

/// The extensions of the videos that we write.
std::vector<std::string> video_extensions() {
  std::vector<std::string> extensions;
  for (const film::VideoFormat& format : film::video_formats) {
    extensions.emplace_back(format.extension);
  }
  return extensions;
}

/// OUT of a film: a video by its extension, else a folder. Its records are in that folder, or where the
/// video's frames are until they are complete.
Value film_output() {
  const std::vector<std::string> extensions = video_extensions();
  return {.takes = "FOLDER|FILE",
          .read =
              [extensions](Settings& settings, std::string_view option, const Words& words) {
                FramesSettings& frames = settings.frames;
                const std::string& out = words.front();
                if (film::format_of(out) != nullptr) {
                  frames.video = Writes{extensions}.read(option, out);
                  return;
                }
                std::error_code ignored;
                const bool a_file = is_picture_name(out) || film::is_other_video(out);
                if (a_file && !std::filesystem::is_directory(out, ignored)) {
                  fail(ErrorKind::usage, "{} takes a folder or a video ({}), found '{}'", option,
                       fmt::join(extensions, " "), out);
                }
                frames.folder = WritesInto{}.read(option, out);
              },
          .show = [](const Settings&) { return Json(); },
          .writes =
              [extensions](const Settings& settings) {
                std::vector<Output> outputs;
                if (settings.frames.makes_video()) {
                  outputs.push_back({.path = settings.frames.video, .extensions = extensions});
                }
                return outputs;
              },
          .keeps =
              [](const Settings& settings) {
                return std::vector{
                    (settings.frames.makes_video()
                         ? settings.frames.video.frames()
                         : settings.frames.folder.file(std::string(records_folder)).string())};
              }};
}

/// --axis: texts that the sweep takes apart.
Value axes() {
  return {.takes = "NAME=V,...",
          .many = true,
          .read =
              [](Settings& settings, std::string_view option, const Words& words) {
                for (const std::string& word : words) refuse_empty(option, "NAME=V,...", word);
                settings.batch.axes = words;
              },
          .show = [](const Settings& settings) { return shown(settings.batch.axes); }};
}

/// Every optimiser has one.
double& learning_rate(Settings& settings) {
  return std::visit(
      [](auto& optimizer) -> auto& { return optimizer.learning_rate; }, settings.config.optimizer);
}

/// A value that only a preset sets and only one kind of optimiser has; null with another.
template <class Options, class T>
Value of_optimizer(T Options::*member) {
  return fixed([member](const Settings& settings) {
    const auto* options = std::get_if<Options>(&settings.config.optimizer);
    return options != nullptr ? std::optional<T>(options->*member) : std::nullopt;
  });
}

/// Every optimiser by its name, as it begins.
constexpr std::array<std::pair<std::string_view, OptimizerSettings>, 3> optimizers = {
    {{"adam", AdamOptions{}}, {"lbfgs", LbfgsOptions{.reach = 3}}, {"descent", DescentOptions{}}}};

std::string_view optimizer_name(const Settings& settings) {
  return optimizers.at(settings.config.optimizer.index()).first;
}

/// --optimizer: another kind than the preset's begins with its own defaults.
Value optimizer_kind() {
  Choice names;
  for (const auto& [name, options] : optimizers) names.words.emplace_back(name);
  Value value = {.takes = names.takes()};
  value.read = [names](Settings& settings, std::string_view option, const Words& words) {
    const std::string chosen = names.read(option, words.front());
    if (chosen == optimizer_name(settings)) return;
    for (const auto& [name, options] : optimizers) {
      if (name == chosen) settings.config.optimizer = options;
    }
    settings.config.pyramid_levels = 1;
    settings.config.box = Box::end;
  };
  value.show = [](const Settings& settings) { return Json(optimizer_name(settings)); };
  return value;
}

Value rate_decay(Real type, double RateDecay::*member) {
  Value value = {.takes = type.takes()};
  value.read = [=](Settings& settings, std::string_view option, const Words& words) {
    const double number = type.read(option, words.front());
    RateDecay* decay = decay_of(settings.config.optimizer);
    if (decay == nullptr) fail(ErrorKind::usage, "{}: L-BFGS has no rate that falls", option);
    decay->*member = number;
  };
  value.show = [=](const Settings& settings) {
    const RateDecay* decay = decay_of(settings.config.optimizer);
    return decay == nullptr ? Json() : Json(decay->*member);
  };
  return value;
}

template <class Type, class Member>
Value of_lbfgs(Member LbfgsOptions::*member, Type type) {
  Value value = of_optimizer(member);
  value.takes = type.takes();
  value.read = [=](Settings& settings, std::string_view option, const Words& words) {
    const Member read = type.read(option, words.front());
    auto* lbfgs = std::get_if<LbfgsOptions>(&settings.config.optimizer);
    if (lbfgs == nullptr) {
      fail(ErrorKind::usage, "{}: the optimiser is {}: expected lbfgs", option,
           optimizer_name(settings));
    }
    lbfgs->*member = read;
  };
  return value;
}

/// A bound that pixels are kept in; null where they are free until the end.
std::optional<double> bound(const Settings& settings, double value) {
  return settings.config.box == Box::end ? std::nullopt : std::optional(value);
}

/// The help of an output: what it is, and the extensions that it may have.
std::string listed(const char* help, const Writes& type) {
  return fmt::format("{} {}", help, fmt::join(type.extensions, " "));
}

// A value that only a preset sets.
#define OF(expression) [](const Settings& settings) { return settings.config.expression; }

using Commands = std::vector<std::string_view>;
const Commands one_picture = {"stylize"};
const Commands one_content = {"stylize", "sweep"};
const Commands many_pictures = {"batch"};
// What may differ each time that a batch goes on.
const Commands going_on = {"batch", "resume"};
const Commands stylize = {"stylize", "batch", "sweep", "frames"};
const Commands score = {"score"};
const Commands frames = {"frames"};
const Commands losses = {"stylize", "batch", "sweep", "frames", "score"};
const Commands networks = {"stylize", "batch", "sweep", "frames", "score", "activations"};
const Commands computing = {"stylize", "batch", "sweep", "frames", "score", "activations", "check"};
const Commands configured = {"stylize",     "batch", "sweep",   "frames",  "score",
                             "activations", "check", "samples", "devices", "weights generate"};

constexpr auto output_group = "Output";
constexpr auto batch_group = "Batch";
constexpr auto film_group = "Film";

const Writes hdf5{{".h5", ".hdf5"}};
const Whole side{16, 32768};  // up to the longest side that ImageLimits admits
const Real weight{.highest = largest_weight};

std::vector<Setting> files_to_read() {
  return {
      {.name = "CONTENT",
       .commands = one_content,
       .help = "the picture whose structure is kept",
       .required = "a content picture",
       .value = input(AT(content))},
      {.name = "STYLE",
       .commands = one_content,
       .help = "one or more pictures whose style is taken",
       .required = "a style picture",
       .value = inputs(AT(styles))},
      {.name = "axis",
       .commands = {"sweep"},
       .help = "an option of the picture and its values:\nstyle-weight=1,10,100; with ; between "
               "values that\nhave commas. Several axes: each with each",
       .required = "an axis (--axis style-weight=1,10)",
       .value = axes()},
      {.name = "CONTENT",
       .commands = many_pictures,
       .help = "pictures, folders, patterns ('in/*.jpg') and archives of\nthem (.tar)",
       .value = inputs(AT(batch.contents))},
      {.name = "IN",
       .commands = frames,
       .help = "a folder of pictures, in the order of their names and\nnumbers, or a video",
       .required = "the film (IN)",
       .value = input(AT(frames.in))},
      {.name = "OUT",
       .commands = frames,
       .help = fmt::format("a folder for the results, or a video: {}",
                           fmt::join(video_extensions(), " ")),
       .required = "where the results go (OUT)",
       .value = film_output()},
      {.name = "RUN",
       .commands = {"resume", "status"},
       .help = "the output folder of the batch, or its --run folder",
       .required = "the folder of a batch (RUN)",
       .value = begun_run()},
      {.name = "styles",
       .commands = many_pictures,
       .help = "pictures and folders: each content in each style",
       .otherwise = "those of the manifest",
       .value = inputs(AT(styles))},
      {.name = "styles-per-image",
       .commands = many_pictures,
       .help = "draw N of the styles for each content, by --seed\nand the content's name",
       .otherwise = "all of them",
       .value = value(Whole{1}, AT(batch.styles_per_image))},
      {.name = "list",
       .commands = many_pictures,
       .help = "more contents: a file with a name in each line or\nbefore each NUL; - for standard "
               "input",
       .value = input(AT(batch.list))},
      {.name = "manifest",
       .commands = many_pictures,
       .help = "JSON lines or CSV: content, styles, output, id and\nany setting of the picture in "
               "each row",
       .value = input(AT(batch.manifest))},
      {.name = "IMAGE",
       .commands = score,
       .help = "the picture to score",
       .required = "a picture",
       .value = input(AT(image))},
      {.name = "content",
       .commands = score,
       .help = "the content picture",
       .required = "its content (--content)",
       .value = input(AT(content))},
      {.name = "style",
       .commands = score,
       .help = "one or more style pictures",
       .required = "its style (--style)",
       .value = inputs(AT(styles))},
      {.name = "IMAGE",
       .commands = {"activations"},
       .help = "the picture to show to the network",
       .required = "a picture",
       .value = input(AT(image))},
      {.name = "layer",
       .commands = {"activations"},
       .help = "conv1_1 to conv5_4, pool1 to pool5",
       .required = "a layer (--layer)",
       .value = value(Text{"NAME"}, AT(layer))},
      {.name = "style",
       .commands = frames,
       .help = "one or more style pictures",
       .required = "its style (--style)",
       .value = inputs(AT(styles))},
      {.name = "IN",
       .commands = {"weights convert"},
       .help = "the published file",
       .required = "a file to read (IN)",
       .value = input(AT(source))},
      {.name = "preparation",
       .commands = {"weights convert"},
       .help = "of pixels, for PyTorch's and safetensors files:\ncaffe is BGR of 0 to 255 without "
               "the mean,\n"
               "torchvision RGB of 0 to 1, normalised",
       .value = value(Choice{{"auto", "caffe", "torchvision"}}, AT(preparation))},
      {.name = "NAME",
       .commands = {"weights get"},
       .help = "which weights; without it, a list of them",
       .value = value(Text{"NAME"}, AT(name))},
      {.name = "url",
       .commands = {"weights get"},
       .help = "fetch the file from this address",
       .otherwise = "the publisher's",
       .value = value(Text{"URL"}, AT(url))},
      {.name = "timeout",
       .commands = {"weights get"},
       .help = "seconds to wait while nothing comes",
       .value = value(Whole{1, 3600}, AT(timeout))},
      {.name = "FILE",
       .commands = {"weights inspect"},
       .help = "a file that convert or generate wrote",
       .required = "a weight file (FILE)",
       .value = input(AT(source))},
      {.name = "OUT",
       .commands = {"weights convert", "weights generate"},
       .help = listed("the weight file to write:", hdf5),
       .required = "a file to write (OUT)",
       .value = output(hdf5, AT(output))},
      {.name = "FOLDER",
       .commands = {"samples"},
       .help = "gets scene.png and painting.png",
       .required = "a folder to write to",
       .value = sample_folder()},
  };
}

std::vector<Setting> outputs() {
  const Writes picture{writable_extensions()};
  const Writes picture_or_stdout{writable_extensions(), false, true};
  const Writes json_lines{{".jsonl", ".ndjson", ".json", ".log", ".txt"}, true};
  return {
      {.name = "output",
       .letter = "o",
       .group = output_group,
       .commands = one_picture,
       .help = listed("the result:", picture) + "\nor - for standard output, as PNG",
       .required = "a file for the result (-o result.png)",
       .value = output(picture_or_stdout, AT(output))},
      {.name = "output",
       .letter = "o",
       .group = output_group,
       .commands = many_pictures,
       .help = "the results; none only computes them",
       .required = "a folder for the results (-o FOLDER)",
       .value = results_folder()},
      {.name = "output",
       .letter = "o",
       .group = output_group,
       .commands = {"sweep"},
       .help = "the results, sheet.png and scores.csv",
       .required = "a folder for the results (-o FOLDER)",
       .value = sweep_folder()},
      {.name = "name",
       .group = output_group,
       .commands = many_pictures,
       .help = "of a result: {stem}, {style}, {id} and {ext} of its\ncontent",
       .value = value(Text{"TEMPLATE"}, AT(batch.name))},
      {.name = "if-exists",
       .group = output_group,
       .commands = {"batch", "sweep"},
       .help = "what to do with files that were there before",
       .value = value(Choice{{"error", "skip", "overwrite"}}, AT(batch.if_exists))},
      {.name = "run",
       .group = output_group,
       .commands = many_pictures,
       .help = "where to keep what is done and what failed",
       .otherwise = ".impasto in the output folder",
       .value = value(Text{"FOLDER"}, AT(batch.directory))},
      {.name = "output",
       .letter = "o",
       .commands = {"activations"},
       .help = listed("an HDF5 file for the values:", hdf5),
       .value = output(hdf5, AT(output))},
      {.name = "sheet",
       .group = output_group,
       .commands = one_picture,
       .help = "also a picture of content, style and result\nside by side",
       .value = output(picture, AT(sheet))},
      {.name = "report",
       .group = output_group,
       .commands = one_picture,
       .help = "also a page of pictures, losses, settings, time and\nmemory (.html)",
       .value = output(Writes{{".html"}}, AT(report))},
      {.name = "film",
       .group = output_group,
       .commands = one_picture,
       .help = "also how the picture came about, as an animation\n(.webp)",
       .value = output(Writes{{".webp"}}, AT(film))},
      {.name = "sheets",
       .group = output_group,
       .commands = many_pictures,
       .help = "also OUT_sheet.png beside each result: content,\nstyles and result side by side",
       .value = toggle(AT(batch.sheets))},
      {.name = "reports",
       .group = output_group,
       .commands = many_pictures,
       .help = "also OUT_report.html: pictures, losses, settings,\ntime and memory",
       .value = toggle(AT(batch.reports))},
      {.name = "films",
       .group = output_group,
       .commands = many_pictures,
       .help = "also OUT_film.webp: how the picture came about",
       .value = toggle(AT(batch.films))},
      {.name = "save-every",
       .group = output_group,
       .commands = {"stylize", "batch", "sweep"},
       .help = "also the picture after every N iterations:\nOUT_0100.png",
       .value = snapshots()},
      {.name = "checkpoint",
       .group = output_group,
       .commands = one_picture,
       .help = "keep the state of the run when a signal stops it,\nfor --resume (.checkpoint)",
       .value = output(Writes{{".checkpoint"}}, AT(checkpoint))},
      {.name = "checkpoint-every",
       .group = output_group,
       .commands = one_picture,
       .help = "keep it after every N iterations as well",
       .needs = "--checkpoint",
       .value = value(Whole{1}, AT(checkpoint_every))},
      {.name = "checkpoint-every",
       .group = output_group,
       .commands = going_on,
       .help =
           "keep the state of running items after every N\niterations; a signal always keeps it",
       .value = value(Whole{1}, AT(checkpoint_every))},
      {.name = "resume",
       .group = output_group,
       .commands = one_picture,
       .help = "go on from the --checkpoint, if it is there",
       .needs = "--checkpoint",
       .value = toggle(AT(resume))},
      {.name = "log",
       .group = output_group,
       .commands = one_picture,
       .help = listed("write every iteration's losses as JSON lines\nto", json_lines),
       .value = output(json_lines, AT(log))},
      {.name = "log",
       .group = output_group,
       .commands = going_on,
       .help = listed("write what becomes of every item as JSON lines\nto", json_lines),
       .value = output(json_lines, AT(log))},
      {.name = "log",
       .group = output_group,
       .commands = frames,
       .help = listed("write what becomes of every frame as JSON lines\nto", json_lines),
       .value = output(json_lines, AT(log))},
      {.name = "metrics",
       .group = output_group,
       .commands = going_on,
       .help = "keep counts and rates in a file for Prometheus'\nnode_exporter (.prom)",
       .value = output(Writes{{".prom"}}, AT(batch.metrics))},
      {.name = "json",
       .group = output_group,
       .commands = {"stylize", "frames"},
       .help = "say on stdout, as JSON, what was done",
       .value = toggle(AT(json))},
      {.name = "json",
       .group = output_group,
       .commands = going_on,
       .help = "say on stdout, as JSON lines, what was done",
       .value = toggle(AT(json))},
      {.name = "json",
       .commands = {"activations", "weights inspect", "devices", "check", "status"},
       .help = "as JSON on stdout",
       .value = toggle(AT(json))},
      {.name = "dry-run",
       .group = output_group,
       .commands = stylize,
       .help = "say what would be done, its memory and its time",
       .value = toggle(AT(dry_run))},
      {.name = "quiet",
       .letter = "q",
       .group = output_group,
       .commands = stylize,
       .help = "no progress, no summary",
       .value = toggle(AT(quiet))},
  };
}

std::vector<Setting> batches() {
  return {
      {.name = "max-failures",
       .group = batch_group,
       .commands = going_on,
       .help = "stop when N items have failed",
       .otherwise = "go on",
       .value = value(Whole{1}, AT(batch.most_failures))},
      {.name = "retry-failed",
       .group = batch_group,
       .commands = going_on,
       .help = "make the items that failed, not those that are\nmissing",
       .value = toggle(AT(batch.retry_failed))},
      {.name = "batch-size",
       .group = batch_group,
       .commands = going_on,
       .help = "pictures of one size that are computed side by\nside",
       .otherwise = "what suits the device and its memory",
       .value = value(Whole{1, 1024}, AT(batch.side_by_side))},
      {.name = "bucket",
       .group = run_group,
       .commands = many_pictures,
       .help = "round both sides to multiples of N, so that more\npictures have one size",
       .recorded = true,
       .value = value(Whole{1, 1024}, AT(batch.bucket))},
      {.name = "devices",
       .group = batch_group,
       .commands = {"batch", "sweep", "resume"},
       .help = "a worker on each: all, GPUs as 0,2, cpu, auto",
       .otherwise = "auto, one on the best there is",
       .value = value(DeviceNames{}, AT(batch.devices))},
      {.name = "watchdog",
       .group = batch_group,
       .commands = going_on,
       .help = "seconds after which a silent worker is ended",
       .value = value(Whole{1}, AT(batch.patience))},
      {.name = "shard",
       .group = batch_group,
       .commands = going_on,
       .help =
           "only the items of shard I of N, the first is 0/N;\nauto: by the variables of Slurm or "
           "Kubernetes",
       .otherwise = "all items",
       .value = value(Text{"auto|I/N"}, AT(batch.shard))},
      {.name = "array",
       .commands = {"status"},
       .help = "print the shards with missing items, as --array of\nsbatch has them",
       .value = toggle(AT(batch.array))},
  };
}

std::vector<Setting> films() {
  return {
      {.name = "flow",
       .group = film_group,
       .commands = frames,
       .help = "a folder with the optical flow: forward_1_2.flo from\nframe 1 to 2, "
               "backward_2_1.flo back",
       .otherwise = "estimated",
       .value = value(Text{"FOLDER"}, AT(frames.flow))},
      {.name = "frame-rate",
       .group = film_group,
       .commands = frames,
       .help = "frames per second of a video made of pictures",
       .value = value(Real{.zero = false, .highest = 1000}, AT(frames.rate))},
  };
}

std::vector<Setting> course() {
  return {
      {.name = "preset",
       .group = objective_group,
       .commands = networks,
       .help = "the settings to start from",
       .otherwise = "what suits the network: impasto or\ntrained",
       .recorded = true,
       .value = starting_point()},
      {.name = "size",
       .group = run_group,
       .commands = stylize,
       .help = "longer side of the result in pixels; 0: as the\ncontent is",
       .recorded = true,
       .value = result_size(side)},
      {.name = "size",
       .group = run_group,
       .commands = {"score", "activations"},
       .help = "longer side of the picture in pixels",
       .otherwise = "the picture's own",
       .value = value(side, AT(size))},
      {.name = "size",
       .commands = {"samples"},
       .help = "longer side in pixels",
       .otherwise = "512",
       .value = value(side, AT(size))},
      {.name = "size",
       .commands = {"devices"},
       .help = "with --tune: side of the picture to tune for",
       .otherwise = "the preset's",
       .needs = "--tune",
       .value = value(side, AT(size))},
      {.name = "style-size",
       .group = run_group,
       .commands = losses,
       .help = "longer side the styles are seen at; smaller shows\nfiner strokes",
       .otherwise = "as the result",
       .recorded = true,
       .value = value(side, AT(style_size))},
      {.name = "iterations",
       .group = run_group,
       .commands = stylize,
       .help = "steps to take, at all scales together",
       .recorded = true,
       .value = value(Whole{1, 1'000'000}, AT(config.iterations))},
      {.name = "frame-iterations",
       .group = film_group,
       .commands = frames,
       .help = "steps of every frame but the first of a scene",
       .otherwise = "a quarter of --iterations",
       .recorded = true,
       .value = value(Whole{1, 1'000'000}, AT(frames.iterations))},
      {.name = "temporal-weight",
       .group = film_group,
       .commands = frames,
       .help = "how much it counts that a frame looks as the last:\na difference of 10 grey levels "
               "costs "
               "this times the\nloss of the scene's first frame",
       .otherwise = "1",
       .recorded = true,
       .value = value(weight, AT(frames.temporal_weight))},
      {.name = "long-term",
       .group = film_group,
       .commands = frames,
       .help = "earlier frames that a frame looks like where the\nnearer ones do not show it: "
               "1,2,4 frames back",
       .otherwise = "1",
       .recorded = true,
       .value = value(Distances{}, AT(frames.distances))},
      {.name = "frame", .recorded = true, .value = fixed([](const Settings& settings) {
                                            return settings.frames.frame;
                                          })},
      {.name = "stop-below",
       .group = run_group,
       .commands = stylize,
       .help = "end a scale early where the loss fell by less than\nthis part of itself in "
               "--stop-window iterations, as\n0.001; 0: never",
       .recorded = true,
       .value = value(Real{.highest = 1}, AT(config.stop.below))},
      {.name = "stop-window",
       .group = run_group,
       .commands = stylize,
       .help = "iterations that --stop-below looks back over",
       .recorded = true,
       .value = value(Whole{1, 10000}, AT(config.stop.window))},
      {.name = "scales",
       .group = run_group,
       .commands = stylize,
       .help = "sizes to go through, coarse to fine; those under\n64 pixels are left out",
       .recorded = true,
       .value = value(Whole{1, 12}, AT(config.scales.count))},
      {.name = "scale-detail",
       .group = run_group,
       .commands = stylize,
       .help =
           "how much a finer scale adds of the detail of the\nfirst picture that the coarser one "
           "could not show: 0\npaints broader, 1 keeps eyes",
       .recorded = true,
       .value = value(Real{.highest = 1}, AT(config.scales.detail))},
      {.name = "scale-ratio", .recorded = true, .value = fixed(OF(scales.ratio))},
      {.name = "iteration-ratio", .recorded = true, .value = fixed(OF(scales.iteration_ratio))},
      {.name = "step-ratio", .recorded = true, .value = fixed(OF(scales.step_ratio))},
  };
}

std::vector<Setting> objective() {
  return {
      {.name = "content-weight",
       .group = objective_group,
       .commands = losses,
       .help = "how much the content's structure counts",
       .recorded = true,
       .value = value(weight, AT(config.objective["content"].weight))},
      {.name = "style-weight",
       .group = objective_group,
       .commands = losses,
       .help = "how much the style counts",
       .recorded = true,
       .value = value(weight, AT(config.objective["style"].weight))},
      {.name = "tv-weight",
       .group = objective_group,
       .commands = losses,
       .help = "how much smoothness counts (total variation)",
       .recorded = true,
       .value = value(weight, AT(config.objective["tv"].weight))},
      {.name = "content-layers",
       .group = objective_group,
       .commands = losses,
       .help = "layers compared with the content, with weights:\n"
               "conv4_2 or conv4_2:0.7,conv5_2:0.3",
       .recorded = true,
       .value = value(Layers{}, AT(config.objective["content"].layers))},
      {.name = "style-layers",
       .group = objective_group,
       .commands = losses,
       .help = "layers compared with the style; without weights they\nshare 1 evenly",
       .recorded = true,
       .value = value(Layers{}, AT(config.objective["style"].layers))},
      {.name = "style-octaves",
       .group = objective_group,
       .commands = losses,
       .help =
           "compare the style at so many sizes of the picture at\nonce, each half the one before",
       .recorded = true,
       .value = value(Whole{1, 8}, AT(config.objective.octaves))},
      {.name = "statistics-weight",
       .group = objective_group,
       .commands = losses,
       .help = "how much means and deviations of channels count,\nbeside their Gram matrices",
       .recorded = true,
       .value = statistics_weight(weight)},
      {.name = "statistics-layers",
       .group = objective_group,
       .commands = losses,
       .help = "layers whose means and deviations are compared",
       .otherwise = "the style's; of spst its own",
       .recorded = true,
       .value = statistics_layers()},
      {.name = "content-relu",
       .group = objective_group,
       .commands = losses,
       .help = "compare the content's layers as they are after\ntheir ReLU, or before",
       .recorded = true,
       .value = word_for(relu_words, AT(config.objective["content"].before_relu))},
      {.name = "style-relu",
       .group = objective_group,
       .commands = losses,
       .help = "the same of the style's",
       .recorded = true,
       .value = word_for(relu_words, AT(config.objective["style"].before_relu))},
      {.name = "style-weights",
       .group = objective_group,
       .commands = losses,
       .help = "how much each of several styles counts: 0.7,0.3",
       .otherwise = "all the same",
       .recorded = true,
       .value = value(Shares{}, AT(style_weights))},
      {.name = "several-styles", .recorded = true, .value = fixed([](const Settings& settings) {
                                                     switch (
                                                         settings.config.objective.several_styles) {
                                                       case SeveralStyles::sum_of_losses:
                                                         return "sum_of_losses";
                                                       case SeveralStyles::mean_of_losses:
                                                         return "mean_of_losses";
                                                       default: return "mean_of_targets";
                                                     }
                                                   })},
      {.name = "normalize-gradients",
       .group = objective_group,
       .commands = stylize,
       .help = "bring the gradient of each loss at each layer to the\nsize of its weight, whatever "
               "its own",
       .recorded = true,
       .value = toggle(AT(config.objective.normalize_gradients))},
      {.name = "mask",
       .group = objective_group,
       .commands = losses,
       .help = "where each style goes: a grey picture of the content's\nshape for each, white "
               "where it counts",
       .otherwise = "everywhere",
       .recorded = true,
       .value = masks(AT(masks))},
      {.name = "style-mask",
       .group = objective_group,
       .commands = losses,
       .help = "the part of each style picture that counts, one of its\nshape for each",
       .otherwise = "all of it",
       .needs = "--mask",
       .recorded = true,
       .value = masks(AT(style_masks))},
      {.name = "tv-form",
       .group = objective_group,
       .commands = losses,
       .help = "what total variation adds up: squares of the\ndifferences, absolute values, a mean "
               "of squares in\neach direction, powers of the slope, or squares to\nall eight "
               "neighbours",
       .recorded = true,
       .value = word_for(variation_words, Place(variation_form))},
      {.name = "tv-power",
       .group = objective_group,
       .commands = losses,
       .help = "the exponent of --tv-form power; 2 is its square",
       .recorded = true,
       .value = value(Real{.zero = false, .highest = 8}, Place(variation_beta))},
      {.name = "content-scale",
       .recorded = true,
       .value = fixed(OF(objective.normaliser("content_scale")))},
      {.name = "gram-scale",
       .recorded = true,
       .value = fixed(OF(objective.normaliser("gram_scale")))},
      {.name = "style-scale",
       .recorded = true,
       .value = fixed(OF(objective.normaliser("style_scale")))},
      {.name = "statistics-scale",
       .recorded = true,
       .value = fixed(OF(objective.normaliser("statistics_scale")))},
      {.name = "wasserstein-scale",
       .recorded = true,
       .value = fixed(OF(objective.normaliser("wasserstein_scale")))},
      {.name = "tv-scale", .recorded = true, .value = fixed(OF(objective.normaliser("tv_scale")))},
      {.name = "tv-in-total", .recorded = true, .value = fixed(OF(objective["tv"].in_total))},
      {.name = "input-scale", .recorded = true, .value = fixed(OF(objective.input_scale))},
      {.name = "pooling",
       .group = objective_group,
       .commands = networks,
       .help = "how the network shrinks its feature maps",
       .recorded = true,
       .value = pooling()},
      {.name = "pool-rounding", .recorded = true, .value = fixed([](const Settings& settings) {
                                                    const bool up =
                                                        settings.config.objective.pool.rounding ==
                                                        kernels::PoolRounding::up;
                                                    return up ? "up" : "down";
                                                  })},
      {.name = "padding",
       .group = objective_group,
       .commands = networks,
       .help =
           "how the first convolution continues the picture:\nreplicate leaves no coloured fringes",
       .recorded = true,
       .value = word_for(padding_words, AT(config.objective.padding))},
  };
}

std::vector<Setting> optimisation() {
  return {
      {.name = "optimizer",
       .group = run_group,
       .commands = stylize,
       .help = "how the picture follows its gradient",
       .recorded = true,
       .value = optimizer_kind()},
      {.name = "learning-rate",
       .group = run_group,
       .commands = stylize,
       .help =
           "the step: of Adam in pixel values of 0 to 255,\nof L-BFGS as a multiple of its own, "
           "of descent as a\nmultiple of the gradient",
       .recorded = true,
       .value = value(Real{.zero = false}, Place(learning_rate))},
      {.name = "rate-decay",
       .group = run_group,
       .commands = stylize,
       .help = "what the rate of Adam or descent is multiplied by\nin --rate-decay-steps",
       .otherwise = "1",
       .recorded = true,
       .value = rate_decay(Real{.zero = false, .highest = 1}, &RateDecay::factor)},
      {.name = "rate-decay-steps",
       .group = run_group,
       .commands = stylize,
       .help = "steps in which it falls by --rate-decay",
       .otherwise = "100",
       .recorded = true,
       .value = rate_decay(Real{.zero = false}, &RateDecay::steps)},
      {.name = "beta1", .recorded = true, .value = of_optimizer(&AdamOptions::beta1)},
      {.name = "beta2", .recorded = true, .value = of_optimizer(&AdamOptions::beta2)},
      {.name = "epsilon", .recorded = true, .value = of_optimizer(&AdamOptions::epsilon)},
      {.name = "adam",
       .recorded = true,
       .value = fixed([](const Settings& settings) {
         const auto* adam = std::get_if<AdamOptions>(&settings.config.optimizer);
         if (adam == nullptr) return std::optional<std::string>();
         const bool pytorch = adam->form == kernels::AdamEpsilon::pytorch;
         return std::optional<std::string>(pytorch ? "pytorch" : "tensorflow");
       })},
      {.name = "pyramid",
       .group = run_group,
       .commands = stylize,
       .help = "levels of the Laplacian pyramid that is optimised;\n1: the pixels",
       .recorded = true,
       .value = value(Whole{1, 16}, AT(config.pyramid_levels))},
      {.name = "decorrelate",
       .group = run_group,
       .commands = stylize,
       .help =
           "let Adam work on colours that natural pictures have\nuncorrelated, in place of red, "
           "green and blue",
       .recorded = true,
       .value = toggle(AT(config.decorrelated))},
      {.name = "average",
       .group = run_group,
       .commands = stylize,
       .help = "the result is a mean of the iterates, each\ncounting this times as much as the "
               "next; 0: the last",
       .recorded = true,
       .value = value(Real{.highest = 0.9999}, AT(config.average))},
      {.name = "lbfgs-history",
       .group = run_group,
       .commands = stylize,
       .help = "pairs of pictures that L-BFGS keeps; fewer take\nless memory",
       .recorded = true,
       .value = of_lbfgs(&LbfgsOptions::history, Whole{1, 1000})},
      {.name = "lbfgs-reach",
       .group = run_group,
       .commands = stylize,
       .help = "how far L-BFGS's first step moves the pixels, and no\nlater one further: root mean "
               "square of their values;\n0: PyTorch's rule",
       .recorded = true,
       .value = of_lbfgs(&LbfgsOptions::reach, Real{})},
      {.name = "lbfgs-unit", .recorded = true, .value = of_optimizer(&LbfgsOptions::unit)},
      {.name = "lbfgs-tolerance-grad",
       .recorded = true,
       .value = of_optimizer(&LbfgsOptions::tolerance_grad)},
      {.name = "lbfgs-tolerance-change",
       .recorded = true,
       .value = of_optimizer(&LbfgsOptions::tolerance_change)},
      {.name = "lbfgs-call-steps",
       .recorded = true,
       .value = of_optimizer(&LbfgsOptions::call_steps)},
      {.name = "box",
       .group = run_group,
       .commands = stylize,
       .help = "when pixels are kept within 0 to 255: at the end,\nafter each step, or before each "
               "evaluation",
       .recorded = true,
       .value = word_for(box_words, AT(config.box))},
      {.name = "lowest", .recorded = true, .value = fixed([](const Settings& settings) {
                                             return bound(settings, box_lowest);
                                           })},
      {.name = "highest", .recorded = true, .value = fixed([](const Settings& settings) {
                                              return bound(settings, box_highest);
                                            })},
      {.name = "init",
       .group = run_group,
       .commands = stylize,
       .help = "the picture to start from",
       .recorded = true,
       .value = initial_picture()},
      {.name = "noise-ratio",
       .group = run_group,
       .commands = stylize,
       .help = "the share of noise in --init mix",
       .recorded = true,
       .value = value(Real{.highest = 1}, AT(config.noise_ratio))},
      {.name = "noise-amplitude",
       .group = run_group,
       .commands = stylize,
       .help = "the noise of --init random and mix is within this\nof the mean pixel",
       .recorded = true,
       .value = value(Real{.highest = 255}, AT(config.noise_amplitude))},
      {.name = "colors",
       .group = run_group,
       .commands = stylize,
       .help =
           "whose colours the result has: the style's; or the\ncontent's, by its luminance alone, "
           "or by giving the\nstyle the content's histogram or covariance before",
       .recorded = true,
       .value = word_for(colour_words, AT(colours))},
      {.name = "depth",
       .group = run_group,
       .commands = stylize,
       .help = "bits per channel of the result: 8, or 16 in PNG\nand TIFF",
       .otherwise = "the content's",
       .recorded = true,
       .value = depth()},
      {.name = "keep-profile",
       .group = run_group,
       .commands = stylize,
       .help =
           "write the result in the content's ICC profile, where\nit has one of RGB, in place of "
           "sRGB",
       .recorded = true,
       .value = toggle(AT(keep_profile))},
      {.name = "seed",
       .group = run_group,
       .commands = stylize,
       .help = "of the noise in --init random, mix and\nstyle-statistics, and of the styles that a "
               "batch draws",
       .recorded = true,
       .value = value(Whole{}, AT(config.seed))},
      {.name = "seed",
       .commands = {"weights generate"},
       .help = "of its random weights",
       .value = value(Whole{}, AT(config.seed))},
  };
}

std::vector<Setting> machine() {
  const Choice precisions{{"auto", "fp32", "winograd", "tf32", "bf16", "fp16"}};
  return {
      {.name = "weights",
       .group = machine_group,
       .commands = networks,
       .help = "a network as 'impasto weights convert' writes it",
       .otherwise = "what 'impasto weights get' has\nfetched, else a built-in network",
       .found = find_stored_weights,
       .value = input(AT(weights))},
      {.name = "device",
       .group = machine_group,
       .commands = {"stylize"},
       .help = "where to compute; auto is the best there is,\nsee 'impasto devices'; 1 is the "
               "second GPU; several,\nas 0,1: a strip of the picture on each",
       .value = value(DeviceList{device_name({"auto"})}, AT(device))},
      {.name = "device",
       .group = machine_group,
       .commands = {"frames", "score", "activations"},
       .help = "where to compute; auto is the best there is,\nsee 'impasto devices'; 1 is the "
               "second GPU",
       .value = value(device_name({"auto"}), AT(device))},
      {.name = "device",
       .commands = {"devices"},
       .help = "with --tune: the GPU to tune for, as 1",
       .otherwise = "the first GPU",
       .needs = "--tune",
       .value = value(device_name({"auto"}), AT(device))},
      {.name = "backend",
       .group = machine_group,
       .commands = {"check"},
       .help = "the backend to check",
       .value = value(device_name({"auto"}), AT(device))},
      {.name = "precision",
       .group = machine_group,
       .commands = computing,
       .help = "of feature maps; auto is the backend's own;\nwinograd is fp32, faster, on the CPU",
       .value = value(precisions, AT(precision))},
      {.name = "precision",
       .commands = {"devices"},
       .help = "with --tune: to tune for",
       .otherwise = "the GPU's own",
       .needs = "--tune",
       .value = value(precisions, AT(precision))},
      {.name = "memory",
       .group = machine_group,
       .commands = stylize,
       .help = "what a picture's computation may take of the device's\nmemory, as 8G or 500M: a "
               "larger one "
               "is computed in\ntiles, with the same result",
       .otherwise = "all there is, without tiles",
       .recorded = true,
       .value = memory()},
      {.name = "no-plan-cache",
       .group = machine_group,
       .commands = computing,
       .help = "on a GPU: take the libraries' first plans; time\nnothing, read and keep nothing",
       .value = toggle(AT(no_plan_cache))},
      {.name = "against",
       .commands = {"check"},
       .help = "the backend to compare with",
       .value = value(device_name({}), AT(against))},
      {.name = "tune",
       .commands = {"devices"},
       .help = "time the GPU's plans anew and keep the fastest",
       .value = toggle(AT(tune))},
      {.name = "from",
       .commands = stylize,
       .help = "the settings of a picture that stylize or batch wrote",
       .value = input(AT(from))},
      {.name = "config",
       .commands = configured,
       .help = "read settings from a TOML file: size = 640",
       .value = input(AT(config_file))},
  };
}

std::vector<Setting> make_table() {
  std::vector<Setting> table;
  for (const auto& part :
       {files_to_read, outputs, batches, films, course, objective, optimisation, machine}) {
    std::ranges::move(part(), std::back_inserter(table));
  }
  return table;
}

#undef AT
#undef OF

}  // namespace

std::string Setting::option() const {
  return positional() ? std::string(name) : fmt::format("--{}", name);
}

std::vector<double> weights_of_styles(const Settings& settings, std::size_t count) {
  if (settings.style_weights.empty()) return std::vector<double>(count, 1);
  if (settings.style_weights.size() != count) {
    fail(ErrorKind::usage, "--style-weights: expected {}, one for each style picture, found {}",
         count, settings.style_weights.size());
  }
  return settings.style_weights;
}

bool Setting::is_of(std::string_view command) const {
  return std::ranges::find(commands, command) != commands.end();
}

std::string Setting::spoken(const Settings& settings) const {
  const std::string given = in_words(value.show(settings));
  return given.empty() ? otherwise : given;
}

std::string Setting::key() const {
  std::string key(name);
  std::ranges::replace(key, '-', '_');
  return key;
}

const std::vector<Setting>& settings_table() {
  static const std::vector<Setting> table = make_table();
  return table;
}

}  // namespace impasto::app
