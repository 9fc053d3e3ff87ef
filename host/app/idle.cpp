// SPDX-License-Identifier: MIT
#include "host/app/idle.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

#include "host/app/values.hpp"

namespace impasto::app {
namespace {

bool begins_with_noise(const Settings& settings, bool of_any_amplitude) {
  const Init init = settings.config.init;
  return init == Init::random || init == Init::mix ||
         (of_any_amplitude && init == Init::style_statistics);
}

bool weighs(const Settings& settings, std::string_view name) {
  return std::ranges::any_of(settings.config.objective.losses, [&](const AnyLoss& loss) {
    return common(loss).name == name && common(loss).weight > 0;
  });
}

bool has_power(const Settings& settings) {
  return std::ranges::any_of(settings.config.objective.losses, [](const AnyLoss& loss) {
    const auto* tv = std::get_if<TotalVariationLoss>(&loss);
    return tv != nullptr && tv->form == kernels::VariationForm::power;
  });
}

bool content_counts(const Settings& settings) { return weighs(settings, "content"); }
bool style_counts(const Settings& settings) { return weighs(settings, "style"); }

struct Idle {
  std::string_view option;
  bool (*works)(const Settings&);
  std::string_view lacks;
};

constexpr std::array all_idle = {
    Idle{"content-layers", content_counts, "the content has the weight 0"},
    Idle{"content-relu", content_counts, "the content has the weight 0"},
    // The layers of statistics are those of the style where nobody says others.
    Idle{"style-layers",
         [](const Settings& s) { return style_counts(s) || weighs(s, "statistics"); },
         "the style has the weight 0"},
    Idle{"style-relu", style_counts, "the style has the weight 0"},
    Idle{"statistics-layers", [](const Settings& s) { return weighs(s, "statistics"); },
         "it takes --statistics-weight"},
    Idle{"style-weights", [](const Settings& s) { return s.styles.size() != 1; },
         "there is one style"},
    Idle{"tv-form", [](const Settings& s) { return weighs(s, "tv"); },
         "total variation has the weight 0"},
    Idle{"tv-power", has_power, "it takes --tv-form power"},
    Idle{"stop-window", [](const Settings& s) { return s.config.stop.below > 0; },
         "it takes --stop-below"},
    Idle{"scale-detail", [](const Settings& s) { return s.config.scales.count > 1; },
         "it takes --scales of 2 or more"},
    Idle{"rate-decay-steps",
         [](const Settings& s) {
           const kernels::RateDecay* decay = decay_of(s.config.optimizer);
           return decay == nullptr || decay->factor < 1;
         },
         "it takes --rate-decay"},
    Idle{"noise-ratio", [](const Settings& s) { return s.config.init == Init::mix; },
         "it takes --init mix"},
    Idle{"noise-amplitude", [](const Settings& s) { return begins_with_noise(s, false); },
         "it takes --init random or mix"},
    Idle{"seed",
         [](const Settings& s) {
           return begins_with_noise(s, true) || s.batch.styles_per_image.has_value();
         },
         "it takes --init random, mix or style-statistics"},
    Idle{"save-every",
         [](const Settings& s) { return !s.save_every || *s.save_every < s.config.iterations; },
         "the run is shorter"}};

}  // namespace

void IdleOptions::look_at(const Settings& settings) {
  for (const Idle& idle : all_idle) {
    if (!settings.asked.contains(idle.option)) continue;
    bool& works = works_[idle.option];
    works = works || idle.works(settings);
  }
}

bool IdleOptions::contains(std::string_view option) const {
  const auto found = works_.find(option);
  return found != works_.end() && !found->second;
}

std::vector<std::string> IdleOptions::notes() const {
  std::vector<std::string> notes;
  for (const Idle& idle : all_idle) {
    if (!contains(idle.option)) continue;
    notes.push_back(fmt::format("--{} changes nothing: {}", idle.option, idle.lacks));
  }
  return notes;
}

std::vector<std::string> notes_of_idle_options(const Settings& settings) {
  IdleOptions options;
  options.look_at(settings);
  return options.notes();
}

std::vector<std::string> notes_of_scales(const Settings& settings, std::size_t scales) {
  const std::int64_t asked = settings.config.scales.count;
  if (asked <= static_cast<std::int64_t>(scales)) return {};
  std::vector<std::string> notes;
  if (settings.asked.contains("scales")) {
    notes.push_back(
        fmt::format("--scales {}: there are {}; a coarser one would have a side under 64 pixels, "
                    "or no iteration",
                    asked, scales));
  }
  if (settings.asked.contains("scale-detail") && scales == 1) {
    notes.emplace_back("--scale-detail changes nothing: there is one scale at this size");
  }
  return notes;
}

}  // namespace impasto::app
