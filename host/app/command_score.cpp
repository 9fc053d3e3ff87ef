// SPDX-License-Identifier: MIT
#include "host/app/command_score.hpp"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/measures.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/engine/stylizer.hpp"

namespace impasto::app {
namespace {

constexpr auto score_examples = R"(Example:
  impasto score out.png --content photo.jpg --style starry_night.jpg

The content is brought to the picture's size. The result is one line of JSON: the
losses, and under "quality" what no run minimises.)";

}  // namespace

Json score_of(const Settings& settings) {
  require_fit(settings);
  const std::unique_ptr<Backend> backend = open_backend(settings);
  const Image image = load_picture(settings.image, settings.size);
  const Image content = load_picture_like(settings.content, image);
  const std::int64_t style_size = settings.style_size.value_or(std::max(image.height, image.width));
  const std::vector<Style> styles = load_styles(settings, style_size, content);
  if (!settings.quiet) {
    say_notes(image);
    say_notes(content);
    for (const Style& style : styles) say_notes(style.image);
  }

  const Objective& objective = settings.config.objective;
  const Measures measures = measures_of(settings.weights, objective, image, styles);
  Weights weights = open_weights(settings, *backend, measures.deepest);
  const std::size_t deepest = weights.layers->index(measures.deepest);
  Session session(*backend, std::move(weights), objective.pool, deepest, objective.padding,
                  objective.input_scale);
  const Losses losses = score(session, settings.config, image, content, styles);
  if (!losses.finite()) refuse_infinite_losses(settings.image);
  Json result = describe(losses);
  result["quality"] = describe(assess(session, measures.layers, image, content, styles));
  say_note(settings, measures.why_no_e);
  return result;
}

void add_score_command(CLI::App& program) {
  add_command(program,
              {.name = "score",
               .summary = "Say how good any picture is, as JSON on stdout",
               .example = "impasto score out.png --content photo.jpg --style style.jpg",
               .footer = score_examples},
              [](const Settings& settings) { print_result(dump(score_of(settings)) + "\n"); });
}

}  // namespace impasto::app
