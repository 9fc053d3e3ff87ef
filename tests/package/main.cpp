// SPDX-License-Identifier: MIT
// Paints one picture in the style of another: user CONTENT STYLE OUT.
#include <cstdio>
#include <exception>
#include <impasto.hpp>

int main(int count, char** words) try {
  if (count != 4) {
    std::fprintf(stderr, "usage: user CONTENT STYLE OUT\n");
    return 2;
  }
  impasto::Engine engine({.backend = "cpu"});
  impasto::Config config = impasto::preset(impasto::preset_for(engine.network()));
  config.size = 96;
  config.iterations = 10;
  config.objective["style"].weight = 2;

  const impasto::Image content = impasto::load_image(words[1], config.size);
  const impasto::Style style{impasto::load_image(words[2], config.size)};

  const impasto::Stylized result =
      engine.stylize(config, content, {&style, 1}, [](const impasto::Progress& progress) {
        std::printf("%3lld  %.4g\n", static_cast<long long>(progress.iteration),
                    progress.losses.front().total);
        return true;
      });
  impasto::save_image(result.pictures.front(), words[3]);
} catch (const impasto::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.kind());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
