// SPDX-License-Identifier: MIT
#include "host/app/report.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "host/core/printable.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

constexpr std::size_t most_points = 1000;

constexpr std::string_view style_sheet = R"(
:root { color-scheme: light dark; --ink: #27313d; --quiet: #5b6672; --page: #f2f4f6; --card: #fff; --line: #dfe4e9; }
.c0 { --of: #2563a8; } .c1 { --of: #c2571d; } .c2 { --of: #23794a; }
.c3 { --of: #7a4fb0; } .c4 { --of: #a8316a; } .c5 { --of: #7a6a14; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --quiet: #9aa5b1; --page: #14181d; --card: #1e242b;
  --line: #343d47; }
.c0 { --of: #6fa8e8; } .c1 { --of: #f0955c; } .c2 { --of: #62c48c; }
.c3 { --of: #b591e6; } .c4 { --of: #ea7fb0; } .c5 { --of: #d0be5a; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0 auto;
  max-width: 1600px; padding: 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
h1, h2 { line-height: 1.2; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr));
  align-items: start; }
figure { background: var(--card); border-radius: 8px; margin: 0; padding: .8rem 1rem; min-width: 0; }
figcaption { color: var(--quiet); font-size: .85rem; margin-top: .4rem; overflow-wrap: anywhere; }
img { display: block; width: 100%; height: auto; border-radius: 4px; }
.compare { position: relative; --split: 50%; } .compare img + img { position: absolute; inset: 0;
  clip-path: inset(0 0 0 var(--split)); }
.compare::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--split); width: 2px; background: #fff;
  box-shadow: 0 0 3px #000; pointer-events: none; }
input { width: 100%; margin: .6rem 0 0; }
pre { background: var(--card); border-radius: 8px; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: .85rem; margin: 0; }
svg { display: block; width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: var(--quiet); }
.grid { stroke: var(--line); fill: none; } .curve { fill: none; stroke: var(--of); stroke-width: 1.6; }
.key { display: inline-block; margin-right: .9rem; } .key::before { content: ""; display: inline-block; width: .9rem;
  border-top: 3px solid var(--of); margin-right: .3rem; vertical-align: middle; }
.scroll { overflow-x: auto; background: var(--card); border-radius: 8px; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
td, th { padding: .25rem 1rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; } th { font-weight: 400; color: var(--quiet); white-space: nowrap; }
@media (max-width: 600px) { svg { overflow: visible; } svg text { font-size: 16px; } }
)";

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += c;
    }
  }
  return safe;
}

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= count ? digits[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

std::string img(const Image& image, std::string_view alternative) {
  return fmt::format(R"(<img width="{}" height="{}" alt="{}" src="data:image/jpeg;base64,{}">)",
                     image.width, image.height, alternative,
                     base64(encode_image(image, "picture.jpg")));
}

/// One line of a chart: a value at each point.
struct Curve {
  std::string name;
  std::vector<double> values;
};

/// Losses over iterations, with a logarithmic axis. Losses at different sizes are of different pictures,
/// so a line breaks where the size changes.
class Chart {
 public:
  Chart(std::span<const Curves::Point> points, std::vector<Curve> curves)
      : points_(points), curves_(std::move(curves)) {
    for (const Curve& curve : curves_) {
      for (const double value : curve.values) {
        if (!drawable(value)) continue;
        lowest_ = std::min(lowest_, value);
        highest_ = std::max(highest_, value);
      }
    }
  }

  [[nodiscard]] std::string figure(std::string_view title) const {
    if (!(lowest_ <= highest_)) return {};  // nothing to draw: a loss that is 0, say
    std::string keys;
    std::string lines;
    for (std::size_t i = 0; i < curves_.size(); ++i) {
      const bool dashed = i >= colours;  // more curves than colours
      keys += fmt::format(R"(<span class="key c{}">{}{}</span>)", i % colours,
                          escaped(curves_[i].name), dashed ? " (dashed)" : "");
      lines += fmt::format(R"(<path class="curve c{}"{} d="{}"/>)", i % colours,
                           dashed ? R"( stroke-dasharray="5 3")" : "", path(curves_[i]));
    }
    return fmt::format(
        "<figure><strong>{}</strong>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" "
        "aria-label=\"{}\">{}{}"
        "</svg>\n<figcaption>{}</figcaption></figure>\n",
        title, width, height, title, axes(), lines, keys);
  }

 private:
  static constexpr std::size_t colours = 6;
  static constexpr double width = 560, height = 240, left = 62, right = 10, top = 10, bottom = 24;

  static bool drawable(double value) { return std::isfinite(value) && value > 0; }

  [[nodiscard]] double x(std::int64_t iteration) const {
    const auto last = static_cast<double>(std::max<std::int64_t>(points_.back().iteration, 1));
    return left + static_cast<double>(iteration) / last * (width - left - right);
  }

  [[nodiscard]] double y(double value) const {
    const double range = std::log(highest_ / lowest_);
    const double share = range > 0 ? std::log(value / lowest_) / range : 0.5;
    return height - bottom - share * (height - top - bottom);
  }

  [[nodiscard]] std::string path(const Curve& curve) const {
    std::string d;
    bool drawing = false;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const double value = curve.values[i];
      if (i > 0 && points_[i].size != points_[i - 1].size) drawing = false;
      if (!drawable(value)) {
        drawing = false;
        continue;
      }
      d += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", x(points_[i].iteration), y(value));
      drawing = true;
    }
    return d;
  }

  [[nodiscard]] std::string axes() const {
    std::string marks;
    for (const double share : {0.0, 0.5, 1.0}) {
      const double value = lowest_ * std::pow(highest_ / lowest_, share);
      marks += fmt::format(
          R"(<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{:.3g}</text>)",
          left, y(value), width - right, left - 6, y(value) + 4, value);
    }
    for (std::size_t i = 1; i < points_.size(); ++i) {
      if (points_[i].size == points_[i - 1].size) continue;
      marks += fmt::format(
          R"(<path class="grid" d="M{:.1f} {}V{}"/><text x="{:.1f}" y="{}">{} px</text>)",
          x(points_[i].iteration), top, height - bottom, x(points_[i].iteration) + 3, top + 9,
          points_[i].size);
    }
    return marks +
           fmt::format(
               R"(<text x="{}" y="{}">iteration 0</text><text x="{}" y="{}" text-anchor="end">{}</text>)",
               left, height - 7, width - right, height - 7, points_.back().iteration);
  }

  std::span<const Curves::Point> points_;
  std::vector<Curve> curves_;
  double lowest_ = std::numeric_limits<double>::infinity();
  double highest_ = 0;
};

/// The sum with its parts, and a chart for each part that has layers.
std::string charts(std::span<const Curves::Point> points) {
  if (points.size() < 2) return {};
  const std::vector<Losses::Part>& parts = points.back().losses.parts;
  const auto curve = [&](std::string name, auto value) {
    Curve made{std::move(name), {}};
    for (const Curves::Point& point : points) made.values.push_back(value(point.losses));
    return made;
  };
  std::vector<Curve> sum = {curve("loss", [](const Losses& losses) { return losses.total; })};
  std::string others;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    sum.push_back(
        curve(parts[p].name, [p](const Losses& losses) { return losses.parts[p].weighted; }));
    std::vector<Curve> layers;
    for (std::size_t l = 0; l < parts[p].layers.size() && !parts[p].of_pixels; ++l) {
      layers.push_back(curve(parts[p].layers[l].first, [p, l](const Losses& losses) {
        return losses.parts[p].layers[l].second;
      }));
    }
    others += Chart(points, std::move(layers))
                  .figure(fmt::format("{}, by layer, before the weights", parts[p].name));
  }
  return fmt::format("<h2>Losses</h2>\n<div class=\"cards\">\n{}{}</div>\n",
                     Chart(points, std::move(sum)).figure("loss and its weighted parts"), others);
}

std::string row(std::string_view name, const std::string& value) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped(name), escaped(value));
}

std::string table(std::string_view title, const std::string& rows) {
  return fmt::format("<h2>{}</h2>\n<div class=\"scroll\"><table>\n{}</table></div>\n", title, rows);
}

std::string run_rows(const Json& start, const Json& end) {
  const Json& backend = start["backend"];
  const Json& network = start["network"];
  std::string rows =
      row("program", fmt::format("impasto {}", in_words(start["versions"]["impasto"])));
  rows += row("started", in_words(start["time"]));
  rows += row("machine", fmt::format("{}, {}, {}", in_words(backend["name"]),
                                     in_words(backend["precision"]), in_words(backend["device"])));
  rows += row("network", in_words(network["description"]));
  if (network.contains("licence")) rows += row("its licence", in_words(network["licence"]));
  rows += row("ending", in_words(end["ending"]));
  for (const Json& early : end["ended_early"]) {
    rows += row("ended early",
                fmt::format("with iteration {} at {} pixels: {}", in_words(early["iteration"]),
                            in_words(early["size"]), in_words(early["reason"])));
  }
  rows += row("iterations", in_words(end["iterations"]));
  rows +=
      row("time", fmt::format("{:.2f} s, {:.2f} iterations a second", end["seconds"].get<double>(),
                              end["iterations_per_second"].get<double>()));
  rows += row("most memory", human_bytes(end["peak_memory_bytes"].get<std::size_t>()));
  rows += row("SHA-256 of the result", in_words(end["sha256"]));
  return rows;
}

std::string in_quotes(std::string_view word) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,=+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos)
    return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

void Curves::add(const Progress& progress, std::size_t n) {
  last_ = {progress.iteration, progress.size, progress.losses[n]};
  if (progress.iteration % stride_ != 0) return;
  points_.push_back(last_);
  if (points_.size() < most_points) return;
  stride_ *= 2;
  std::erase_if(points_, [this](const Point& point) { return point.iteration % stride_ != 0; });
}

std::vector<Curves::Point> Curves::points() const {
  std::vector<Point> all = points_;
  if (!all.empty() && all.back().iteration != last_.iteration) all.push_back(last_);
  return all;
}

std::string command_to_repeat(const Settings& settings) {
  std::string places;
  std::string options;
  for (const Setting& row : settings_table()) {
    const auto given = settings.given.find(row.name);
    if (!row.is_of("stylize") || given == settings.given.end()) continue;
    if (row.name == "config" || row.name == "from") continue;  // their settings are among these
    if (row.positional()) {
      for (const std::string& word : given->second) places += " " + in_quotes(word);
    } else if (row.toggle()) {
      if (row.value.show(settings).get<bool>()) options += " " + row.option();
    } else {
      for (const std::string& word : given->second)
        options += " " + row.option() + " " + in_quotes(word);
    }
  }
  const std::int64_t rounded = settings.batch.bucket;
  const std::string note =
      rounded == 1 ? "" : fmt::format("  # but for sides rounded as by batch --bucket {}", rounded);
  return "impasto stylize" + places + options + note;
}

std::string page(const Report& report) {
  const Json& start = report.start;
  std::string pictures = fmt::format(
      R"html(<figure><div class="compare">{}{}</div>
<input type="range" value="50" aria-label="how much of the content is shown"
oninput="this.previousElementSibling.style.setProperty('--split', this.value + '%')">
<figcaption>content, and result: {} × {}</figcaption></figure>
)html",
      img(report.content, "the content"), img(report.result, "the result"), report.result.width,
      report.result.height);
  for (std::size_t i = 0; i < report.styles.size(); ++i) {
    pictures += fmt::format("<figure>{}\n<figcaption>style: {}</figcaption></figure>\n",
                            img(*report.styles[i], "a style"), escaped(report.settings.styles[i]));
  }
  std::string settings;
  for (const auto& [name, value] : start["config"].items()) {
    if (const std::string words = in_words(value); !words.empty()) settings += row(name, words);
  }
  const std::string title = escaped(report.settings.output.spoken());
  return fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title>
<link rel="icon" href="data:,">
<style>{}</style>
</head>
<body>
<h1>{}</h1>
<div class="cards">
{}</div>
<h2>The command</h2>
<pre>{}</pre>
{}{}{}</body>
</html>
)",
                     title, style_sheet, title, pictures,
                     escaped(command_to_repeat(report.settings)), charts(report.curves.points()),
                     table("The run", run_rows(start, report.end)), table("Settings", settings));
}

}  // namespace impasto::app
