// SPDX-License-Identifier: MIT
#include "host/app/batch_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/app/describe.hpp"
#include "host/app/terminal.hpp"
#include "host/core/atomic_file.hpp"

namespace impasto::app {

BatchReport::BatchReport(const Settings& settings, const BatchCounts& counts,
                         const std::vector<std::string>& devices)
    : settings_(settings), counts_(counts), done_before_(counts.done), line_(settings.quiet) {
  for (const std::string& device : devices) uses_.push_back({device});
  log_.open(settings.log);
  log_.write({{"event", "start"},
              {"time", utc_now()},
              {"versions", describe_versions()},
              {"total", counts.total},
              {"done", counts.done},
              {"failed", counts.failed}});
}

double BatchReport::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

/// Pictures in a second, since this process began.
double BatchReport::rate() const {
  return seconds() > 0 ? static_cast<double>(counts_.done - done_before_) / seconds() : 0;
}

/// How much of the time since this process began, so many seconds, each device has computed, from 0 to 1.
std::vector<double> BatchReport::shares(double elapsed) const {
  std::vector<double> shares;
  for (const Use& use : uses_) {
    shares.push_back(elapsed > 0 ? std::clamp(use.busy / elapsed, 0.0, 1.0) : 0);
  }
  return shares;
}

/// "cuda:0 97%  cpu 88%", or where that is too long for so many columns, "8 devices 88-97%".
std::string BatchReport::use_in_words(std::size_t room) const {
  const std::vector<double> all = shares(seconds());
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    text += fmt::format("{}{} {:.0f}%", i == 0 ? "" : "  ", uses_[i].device, 100 * all[i]);
  }
  if (text.size() <= room) return text;
  const auto [least, most] = std::ranges::minmax(all);
  return fmt::format("{} devices {:.0f}-{:.0f}%", all.size(), 100 * least, 100 * most);
}

Json BatchReport::use(double elapsed) const {
  const std::vector<double> all = shares(elapsed);
  Json list = Json::array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    list.push_back({{"device", uses_[i].device}, {"busy", all[i]}});
  }
  return list;
}

void BatchReport::busy(std::size_t device, double seconds) {
  uses_.at(device).busy = seconds;
  show();
  keep_metrics();
}

void BatchReport::done(const Json& record) {
  ++counts_.done;
  made_until_ = seconds();
  if (!settings_.quiet && record.value("loss_rose", false)) {
    line_.clear();
    message("note: {}: the loss rose; it is the best picture, of iteration {}\n",
            record.at("output").get<std::string>(),
            record.at("result_iteration").get<std::int64_t>());
  }
  if (!settings_.quiet && record.value("profile_missing", false)) {
    line_.clear();
    message("note: {}: the content has no other profile than sRGB to keep\n",
            record.at("output").get<std::string>());
  }
  if (!settings_.quiet && record.value("alpha_missing", false)) {
    line_.clear();
    message("note: {}: the content is transparent in parts, which are put over white\n",
            record.at("output").get<std::string>());
  }
  tell("done", record);
}

void BatchReport::failed(const Json& record) {
  ++counts_.failed;
  if (!settings_.quiet) {
    line_.clear();
    message("impasto: {}: {}\n", record.at("output").get<std::string>(),
            record.at("reason").get<std::string>());
  }
  tell("failed", record);
}

void BatchReport::tell(std::string_view event, const Json& record) {
  Json line = {{"event", event}};
  line.update(record);
  const double elapsed = seconds();
  line["elapsed"] = elapsed;
  line["devices"] = use(elapsed);
  log_.write(line);
  if (settings_.json) print_result(dump(line) + "\n");
  show();
  keep_metrics();
}

void BatchReport::keep_metrics() {
  constexpr auto often = std::chrono::seconds(5);
  if (std::chrono::steady_clock::now() - metrics_written_ > often) write_metrics();
}

void BatchReport::show() {
  const std::int64_t over = counts_.done + counts_.failed;
  line_.show(static_cast<double>(over) / static_cast<double>(counts_.total),
             [this] { return facts(); });
}

std::string BatchReport::facts() const {
  const std::int64_t over = counts_.done + counts_.failed;
  std::string text = fmt::format("{}/{}", over, counts_.total);
  if (counts_.done > done_before_ && made_until_ > 0) {
    // As things stood when the last picture was done: with every moment since, less is left, not more.
    const double rate = static_cast<double>(counts_.done - done_before_) / made_until_;
    const double left = static_cast<double>(counts_.missing()) / rate - (seconds() - made_until_);
    text += fmt::format("  {:.3g} images/s  ETA {}", rate, human_time(std::max(left, 0.0)));
  }
  if (counts_.failed > 0) text += fmt::format("  {} failed", counts_.failed);
  constexpr std::size_t columns = 79;
  const std::size_t taken = text.size() + 2;
  return text + "  " + use_in_words(columns - std::min(columns, taken));
}

/// In the text form that node_exporter's textfile collector reads. A file that cannot be written
/// does not stop the batch.
void BatchReport::write_metrics() {
  if (!settings_.batch.metrics) return;
  metrics_written_ = std::chrono::steady_clock::now();
  std::string text = fmt::format(
      "# HELP impasto_batch_items Items of the batch by what became of them.\n"
      "# TYPE impasto_batch_items gauge\n"
      "impasto_batch_items{{state=\"done\"}} {}\n"
      "impasto_batch_items{{state=\"failed\"}} {}\n"
      "impasto_batch_items{{state=\"missing\"}} {}\n"
      "# HELP impasto_batch_images_per_second Pictures a second since this process began.\n"
      "# TYPE impasto_batch_images_per_second gauge\n"
      "impasto_batch_images_per_second {:.6g}\n"
      "# HELP impasto_batch_seconds Seconds since this process began.\n"
      "# TYPE impasto_batch_seconds gauge\n"
      "impasto_batch_seconds {:.6g}\n",
      counts_.done, counts_.failed, counts_.missing(), rate(), seconds());
  text +=
      "# HELP impasto_batch_device_busy_seconds_total Seconds that a device computed since this "
      "process began.\n"
      "# TYPE impasto_batch_device_busy_seconds_total counter\n";
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    text += fmt::format(
        "impasto_batch_device_busy_seconds_total{{worker=\"{}\",device=\"{}\"}} {:.6g}\n", i,
        uses_[i].device, uses_[i].busy);
  }
  try {
    write_atomically(settings_.batch.metrics.string(), text);
  } catch (const Error& error) {
    line_.clear();
    message("note: {}\n", error.what());
  }
}

void BatchReport::finish(std::string_view ending) {
  line_.clear();
  write_metrics();
  const double elapsed = seconds();
  const Json end = {{"event", "end"},           {"ending", ending},
                    {"total", counts_.total},   {"done", counts_.done},
                    {"failed", counts_.failed}, {"missing", counts_.missing()},
                    {"seconds", elapsed},       {"images_per_second", rate()},
                    {"devices", use(elapsed)}};
  log_.write(end);
  if (settings_.json) print_result(dump(end) + "\n");
  if (settings_.quiet) return;
  message("{} of {} done, {} of them now in {:.1f} s, {:.3g} images/s; {} failed, {} missing\n",
          counts_.done, counts_.total, counts_.done - done_before_, seconds(), rate(),
          counts_.failed, counts_.missing());
  if (counts_.done == done_before_) return;
  constexpr std::size_t columns = 80;
  message("{} busy\n", use_in_words(columns - std::string_view(" busy").size()));
}

void BatchReport::note(const std::string& message_text) {
  if (settings_.quiet) return;
  line_.clear();
  message("note: {}\n", message_text);
}

}  // namespace impasto::app
