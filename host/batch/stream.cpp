// SPDX-License-Identifier: MIT
#include "host/batch/stream.hpp"

#include <utility>

#include "host/batch/grouping.hpp"
#include "host/core/error.hpp"

namespace impasto::batch {

Session& Stream::session_for(const Objective& objective) {
  if (session_ && see_alike(opened_for_, objective) &&
      deepest_layer(objective, *layers_) <= deepest_) {
    return *session_;
  }
  forget_plan();
  session_.reset();
  Weights weights = open_network_(*backend_, objective);
  layers_ = weights.layers;
  deepest_ = deepest_layer(objective, *layers_);
  opened_for_ = objective;
  session_ = std::make_shared<Session>(*backend_, std::move(weights), objective);
  return *session_;
}

void Stream::forget_plan() {
  plan_.reset();
  planned_.clear();
}

Stylization& Stream::plan_for(std::span<const Work> works) {
  const Work& first = works.front();
  Session& session = session_for(first.config.objective);
  const std::string plan = plan_of(first);
  if (plan_ && planned_ == plan && planned_count_ == works.size()) return *plan_;
  forget_plan();
  Shape pixels = pixel_shape(std::span(&first.content, 1));
  pixels.batch = static_cast<std::int64_t>(works.size());
  plan_.emplace(session, first.config, pixels, shapes_of(first.styles));
  planned_ = plan;
  planned_count_ = works.size();
  return *plan_;
}

std::optional<std::vector<Outcome>> Stream::compute(std::span<const Work> works,
                                                    const Stylization::Report& report,
                                                    Checkpoints checkpoints) {
  Stylization& plan = plan_for(works);
  std::vector<Image> contents;
  std::vector<Image> initials;
  for (const Work& work : works) {
    contents.push_back(work.content);
    initials.push_back(work.initial);
    if (work.from) checkpoints.from.push_back(*work.from);
  }
  Stylized made = plan.run(contents, works.front().styles, initials, 1, report, checkpoints);
  if (made.ending == Ending::stopped) return std::nullopt;
  if (made.ending == Ending::diverged) {
    forget_plan();  // a target that it remembers may be no number
    fail(ErrorKind::diverged, "the loss became infinite or no number after {} iterations",
         made.iterations);
  }
  std::vector<Outcome> outcomes;
  for (std::size_t n = 0; n < works.size(); ++n) {
    outcomes.push_back({.picture = std::move(made.pictures[n]),
                        .course = std::move(made.courses[n]),
                        .session = session_,
                        .iterations = made.iterations,
                        .seconds = made.seconds,
                        .side_by_side = static_cast<std::int64_t>(works.size())});
  }
  return outcomes;
}

}  // namespace impasto::batch
