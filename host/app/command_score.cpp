// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/engine/stylizer.hpp"

namespace impasto::app {
namespace {

constexpr auto score_examples = R"(Example:
  impasto score out.png --content photo.jpg --style starry_night.jpg

The content is brought to the picture's size. The result is one line of JSON:
loss, content, style, tv, content_layers, style_layers.)";

void score_picture(const Settings& settings) {
  const std::unique_ptr<Backend> backend = open_backend(settings);
  const Image image = load_picture(settings.image, settings.size);
  const Image content = load_picture_like(settings.content, image);
  const std::int64_t style_size = settings.style_size.value_or(std::max(image.height, image.width));
  const std::vector<Style> styles = load_styles(settings, style_size);
  say_notes(image);
  say_notes(content);
  for (const Style& style : styles) say_notes(style.image);
  Session session(*backend, open_weights(settings, *backend), settings.config.objective);
  const Losses losses = score(session, settings.config, image, content, styles);
  if (!losses.finite()) refuse_infinite_losses(settings.image);
  print_result(dump(describe(losses)) + "\n");
}

}  // namespace

void add_score_command(CLI::App& program) {
  add_command(program,
              {.name = "score",
               .summary = "Give the losses of any picture, as JSON on stdout",
               .example = "impasto score out.png --content photo.jpg --style style.jpg",
               .footer = score_examples},
              score_picture);
}

}  // namespace impasto::app
