// SPDX-License-Identifier: MIT
#include "host/batch/stream.hpp"

#include <utility>

#include "host/batch/grouping.hpp"
#include "host/core/error.hpp"

namespace impasto::batch {

void BusyTime::add_stream() {
  const std::lock_guard lock(mutex_);
  ++streams_;
}

void BusyTime::begin() {
  const std::lock_guard lock(mutex_);
  sum_ = sum();
  since_ = std::chrono::steady_clock::now();
  ++computing_;
}

void BusyTime::end() {
  const std::lock_guard lock(mutex_);
  sum_ = sum();
  since_ = std::chrono::steady_clock::now();
  --computing_;
}

double BusyTime::seconds() const {
  const std::lock_guard lock(mutex_);
  return streams_ > 0 ? sum() / static_cast<double>(streams_) : 0;
}

double BusyTime::sum() const {
  if (computing_ == 0) return sum_;
  const std::chrono::duration<double> more = std::chrono::steady_clock::now() - since_;
  return sum_ + static_cast<double>(computing_) * more.count();
}

Session& Stream::session_for(const Objective& objective) {
  if (session_ && see_alike(opened_for_, objective) &&
      deepest_layer(objective, session_->network().layers()) <= deepest_) {
    return *session_;
  }
  forget_plan();
  session_.reset();
  session_ = std::make_shared<Session>(*backend_, open_network_(*backend_, objective));
  deepest_ = deepest_layer(objective, session_->network().layers());
  opened_for_ = objective;
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
  const struct Busy {
    BusyTime& time;
    explicit Busy(BusyTime& of_device) : time(of_device) { time.begin(); }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy() { time.end(); }
  } busy(busy_);
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
                        .ending = made.ending,
                        .early = made.early,
                        .session = session_,
                        .iterations = made.iterations,
                        .seconds = made.seconds,
                        .side_by_side = static_cast<std::int64_t>(works.size())});
  }
  return outcomes;
}

}  // namespace impasto::batch
