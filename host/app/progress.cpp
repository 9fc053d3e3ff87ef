// SPDX-License-Identifier: MIT
#include "host/app/progress.hpp"

#include <algorithm>
#include <string_view>

#include "host/app/describe.hpp"
#include "host/app/terminal.hpp"

namespace impasto::app {
namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr auto print_interval = std::chrono::seconds(10);
constexpr std::int64_t widest_bar = 24;
/// Losses arrive in bunches. Over less time than this their rate says nothing.
constexpr double seconds_of_a_rate = 0.1;

std::string repeated(std::string_view text, std::int64_t times) {
  std::string result;
  for (std::int64_t i = 0; i < times; ++i) result += text;
  return result;
}

std::string bar(double done, std::int64_t width) {
  const auto filled = static_cast<std::int64_t>(done * static_cast<double>(width));
  const Terminal& screen = terminal();
  const std::string full = repeated(screen.unicode ? "━" : "#", filled);
  const std::string rest = repeated(screen.unicode ? "╌" : ".", width - filled);
  if (!screen.colour) return full + rest;
  return "\x1b[36m" + full + "\x1b[0;2m" + rest + "\x1b[0m";
}

}  // namespace

void ProgressLine::clear() {
  if (drawn_) print_message("\r\x1b[K");
  drawn_ = false;
}

void ProgressLine::prepare(std::string_view what) {
  if (quiet_ || !terminal().redraws) return;
  print_message(fmt::format("\r{}...\x1b[K", what));
  drawn_ = true;
}

void ProgressLine::show(double done, const Facts& facts) {
  if (quiet_) return;
  if (terminal().redraws) {
    redraw(done, facts);
  } else {
    print(done, facts);
  }
}

void ProgressLine::redraw(double done, const Facts& facts) {
  const Clock::time_point now = Clock::now();
  if (last_ && now - *last_ < redraw_interval && done < 1) return;
  last_ = now;
  // The last column stays free: some terminals wrap when it is written.
  const std::int64_t width = std::max(terminal().width() - 1, 1);
  std::string text = facts();
  const std::int64_t room = width - static_cast<std::int64_t>(text.size()) - 2;
  if (room >= 5) {
    text = bar(done, std::min(room, widest_bar)) + "  " + text;
  } else {
    text.resize(std::min(text.size(), static_cast<std::size_t>(width)));
  }
  print_message("\r" + text + "\x1b[K");
  drawn_ = true;
}

void ProgressLine::print(double done, const Facts& facts) {
  const Clock::time_point now = Clock::now();
  const auto tenth = static_cast<std::int64_t>(10 * done);
  if (last_ && tenth == last_tenth_ && now - *last_ < print_interval) return;
  last_ = now;
  last_tenth_ = tenth;
  print_message(facts() + "\n");
}

void IterationProgress::update(const Progress& progress) {
  count(progress);
  const bool last = progress.iteration >= config_.iterations;
  line_.show(last ? 1 : progress.work, [&] { return facts(progress); });
}

/// A pause, of a program that was stopped for a while, is no iteration's time.
void IterationProgress::count(const Progress& progress) {
  constexpr double pause = 20;  // usual iterations
  double took = progress.seconds - seen_seconds_;
  const double work = progress.work - seen_work_;
  seen_seconds_ = progress.seconds;
  seen_work_ = progress.work;
  if (++updates_ <= 2) return;
  const double usual = counted_ > 0 ? working_seconds_ / counted_work_ * work : took;
  if (counted_ >= 3 && took > pause * usual && took > 1) took = usual;
  working_seconds_ += took;
  counted_work_ += work;
  ++counted_;
}

std::string IterationProgress::facts(const Progress& progress) const {
  const std::int64_t total = config_.iterations;
  std::string text =
      fmt::format("{:>{}}/{}", progress.iteration, fmt::formatted_size("{}", total), total);
  if (working_seconds_ >= seconds_of_a_rate) {
    const double rate = static_cast<double>(counted_) / working_seconds_;
    const double left = (1 - progress.work) * working_seconds_ / counted_work_;
    text += fmt::format("  {:.{}f} it/s  ETA {}", rate, rate < 10 ? 2 : 0, human_time(left));
  }
  // Its parts are in the log: a line of 80 columns has no room for them and a bar.
  return text + fmt::format("  loss {:.3g}", progress.losses.front().total);
}

}  // namespace impasto::app
