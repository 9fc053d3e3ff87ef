// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/files.hpp"
#include "host/engine/config.hpp"
#include "host/image/recolour.hpp"

namespace CLI {
class App;
}

namespace impasto::app {

using Json = nlohmann::ordered_json;

/// The texts that were given for one setting: most take exactly one.
using Words = std::vector<std::string>;
/// The texts that were given, by name of the setting.
using WordsByName = std::map<std::string, Words, std::less<>>;

/// Where a run's records are kept in its output folder.
inline constexpr std::string_view records_folder = ".impasto";

/// What only `batch`, and what continues one, takes.
struct BatchSettings {
  std::vector<std::string> contents;
  std::optional<std::string> list;
  std::optional<std::string> manifest;
  OutputFolder folder;  ///< "none": nothing is written
  std::string name = "{stem}_{style}.{ext}";
  std::optional<std::int64_t> styles_per_image;
  std::string if_exists = "error";
  std::int64_t bucket = 1;
  std::string directory;                        ///< of the run; empty: in the output folder
  std::vector<std::string> devices = {"auto"};  ///< "all", or as make_backend() takes them
  std::string shard;                            ///< as batch::find_shard() takes it
  std::optional<std::int64_t> side_by_side;
  std::optional<std::int64_t> most_failures;
  std::int64_t patience = 600;  ///< in seconds, with a silent worker
  bool retry_failed = false;
  bool sheets = false;
  bool reports = false;
  bool films = false;
  OutputPath metrics;
  bool array = false;             ///< of status
  std::vector<std::string> axes;  ///< of sweep: "style-weight=1,10"

  [[nodiscard]] bool writes() const { return folder.string() != "none"; }
};

/// What only `frames` takes. What a still does not have is absent: none of it is in its recipe.
struct FramesSettings {
  std::string in;       ///< a folder of pictures, or a video
  OutputFolder folder;  ///< of the results
  OutputPath video;     ///< or the video that they become
  std::optional<double> temporal_weight;
  std::vector<std::int64_t> distances;     ///< of earlier frames, ascending from 1; empty: 1
  std::optional<std::int64_t> iterations;  ///< of all frames but a scene's first
  std::string flow;                        ///< a folder of .flo files; empty: it is estimated
  double rate = 25;                        ///< of a video made of pictures, in frames per second
  std::optional<std::int64_t> frame;       ///< of a recipe, where its picture goes on from others

  [[nodiscard]] bool makes_video() const { return static_cast<bool>(video); }
};

/// The values of all settings, and their defaults.
struct Settings {
  std::string content;
  std::vector<std::string> styles;
  std::vector<double> style_weights;  ///< one for each style; empty: all the same
  std::vector<std::string> masks;     ///< where on the picture each style goes; empty: everywhere
  std::vector<std::string> style_masks;  ///< the part of each style picture that counts; empty: all
  std::string image;                     ///< of score and activations
  std::string source;                    ///< of weights convert and weights inspect
  std::string preparation = "auto";      ///< of weights convert
  std::string name;                      ///< of weights get
  std::string url;                       ///< of weights get: in place of the publisher's
  std::int64_t timeout = 30;             ///< of weights get: seconds without anything coming
  std::optional<std::string> weights;    ///< without: the built-in network
  std::optional<std::string> config_file;
  std::optional<std::string> from;  ///< a picture whose recipe the settings are

  OutputPath output;
  OutputPath sheet;
  OutputPath report;
  OutputPath film;
  OutputPath log;
  OutputFolder folder;  ///< of samples
  std::optional<std::int64_t> save_every;
  /// Whether a picture is saved after this iteration of so many: not at the beginning or the end.
  [[nodiscard]] bool saves_after(std::int64_t iteration, std::int64_t iterations) const {
    return save_every && iteration > 0 && iteration < iterations && iteration % *save_every == 0;
  }
  OutputPath checkpoint;
  std::optional<std::int64_t> checkpoint_every;
  bool resume = false;  ///< from the checkpoint
  bool json = false;
  bool dry_run = false;
  bool quiet = false;

  Config config = preset("impasto");
  Colours colours = Colours::style;
  std::optional<std::int64_t> depth;  ///< bits per channel of the result; none: the content's
  bool keep_profile = false;          ///< the result gets the content's ICC profile, else sRGB
  bool pooling_given = false;         ///< not the preset's or the network's own
  std::string init_file;              ///< with Init::file
  std::optional<std::int64_t> size;   ///< as given; config.size has the preset's as well
  std::optional<std::int64_t> style_size;
  std::string layer;  ///< of activations

  std::string device = "auto";  ///< as make_backend() takes it; of batch, a worker's
  std::string precision = "auto";
  std::string against = "reference";
  bool no_plan_cache = false;
  bool tune = false;

  BatchSettings batch;
  FramesSettings frames;
  WordsByName given;  ///< what was said, on the command line or elsewhere
  /// The names among these on the command line, and of a batch's item in its row.
  std::set<std::string, std::less<>> asked;
};

/// How the value of a setting is read and shown, and which files it names.
struct Value {
  std::string takes = {};  ///< "N", "FILE", "avg|max"; empty for a switch
  bool many = false;       ///< may be given more than once
  /// Throws ErrorKind::usage, naming the option, what it takes and what it got.
  std::function<void(Settings&, std::string_view option, const Words&)> read = {};
  std::function<Json(const Settings&)> show = {};
  std::function<std::vector<std::string>(const Settings&)> reads = {};  ///< files
  std::function<std::vector<Output>(const Settings&)> writes = {};      ///< files
  std::function<std::vector<std::string>(const Settings&)> keeps = {};  ///< folders of records
};

/// One setting: its row in the table, which says everything about it. From the row come the
/// option --style-weight, its line in --help, the variable IMPASTO_STYLE_WEIGHT, the key
/// style-weight in a configuration file, and style_weight in the log.
struct Setting {
  std::string_view name;         ///< "style-weight"; in capitals what is given by its place
  std::string_view letter = {};  ///< "o" for -o
  std::string_view group = {};   ///< its heading in --help
  std::vector<std::string_view> commands = {};  ///< that take it; none: only a preset sets it
  std::string help = {};
  std::string otherwise = {};  ///< its default in words, where the value does not show it
  std::string required = {};   ///< "a style picture": the command does not run without it
  /// What is taken where nobody gives a value, if the machine has it.
  std::function<std::optional<std::string>()> found = {};
  std::string_view needs = {};  ///< another option, without which this one means nothing
  bool recorded = false;        ///< belongs to the recipe of a picture: in the log and in --dry-run
  Value value;

  [[nodiscard]] bool positional() const { return name.front() >= 'A' && name.front() <= 'Z'; }
  [[nodiscard]] bool is_of(std::string_view command) const;
  [[nodiscard]] bool toggle() const { return value.takes.empty(); }
  /// As messages call it: "--style-weight", "STYLE".
  [[nodiscard]] std::string option() const;
  /// As JSON calls it: "style_weight".
  [[nodiscard]] std::string key() const;
  /// Its value in words, where nobody gave one its default.
  [[nodiscard]] std::string spoken(const Settings& settings) const;
};

/// The headings of what a picture depends on.
inline constexpr std::string_view objective_group = "Objective";
inline constexpr std::string_view run_group = "Optimisation";
inline constexpr std::string_view machine_group = "Network and machine";

/// Every setting of every command, in the order in which --help and the log have them.
const std::vector<Setting>& settings_table();

/// How much each of `count` style pictures counts. Throws ErrorKind::usage where another number of
/// weights was given.
std::vector<double> weights_of_styles(const Settings& settings, std::size_t count);

/// What --help says of a command.
struct CommandTexts {
  std::string name;
  std::string summary;
  std::string example;  ///< shown when something is missing
  std::string footer;
};

/// Adds a command with the settings that the table has for it. `run` gets their values: each from
/// the command line, else the environment, else the --config file (there first from the section
/// named after the command, then from the keys at its top), else the recipe of --from.
///
/// Before it runs, this refuses with ErrorKind::usage a value that does not fit, a key or section
/// nobody knows, what is missing, and an output that is also an input or another output; with
/// ErrorKind::output a file that cannot be written.
void add_command(CLI::App& parent, const CommandTexts& texts,
                 std::function<void(const Settings&)> run);

/// The settings of a command that was given these texts. `source` is where they stand, for messages;
/// empty for the command line. Throws ErrorKind::usage for a name that the command does not have.
Settings settings_given(std::string_view command, const WordsByName& given,
                        const std::string& source);

/// "stylize", "weights generate"; empty for the program.
std::string full_name(const CLI::App& command);

}  // namespace impasto::app
