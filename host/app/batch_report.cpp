// SPDX-License-Identifier: MIT
#include "host/app/batch_report.hpp"

#include <nlohmann/json.hpp>

#include "host/app/describe.hpp"
#include "host/app/terminal.hpp"
#include "host/core/atomic_file.hpp"

namespace impasto::app {

BatchReport::BatchReport(const Settings& settings, const BatchCounts& counts)
    : settings_(settings), counts_(counts), done_before_(counts.done), line_(settings.quiet) {
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

void BatchReport::done(const Json& record) {
  ++counts_.done;
  if (!settings_.quiet && record.value("loss_rose", false)) {
    line_.clear();
    message("note: {}: the loss rose; it is the best picture, of iteration {}\n",
            record.at("output").get<std::string>(),
            record.at("result_iteration").get<std::int64_t>());
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
  log_.write(line);
  if (settings_.json) print_result(dump(line) + "\n");
  show();
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
  if (rate() > 0) {
    text += fmt::format("  {:.3g} images/s  ETA {}", rate(),
                        human_time(static_cast<double>(counts_.missing()) / rate()));
  }
  if (counts_.failed > 0) text += fmt::format("  {} failed", counts_.failed);
  return text;
}

/// In the text form that node_exporter's textfile collector reads. A file that cannot be written
/// does not stop the batch.
void BatchReport::write_metrics() {
  if (!settings_.batch.metrics) return;
  metrics_written_ = std::chrono::steady_clock::now();
  const std::string text = fmt::format(
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
  const Json end = {{"event", "end"},           {"ending", ending},
                    {"total", counts_.total},   {"done", counts_.done},
                    {"failed", counts_.failed}, {"missing", counts_.missing()},
                    {"seconds", seconds()},     {"images_per_second", rate()}};
  log_.write(end);
  if (settings_.json) print_result(dump(end) + "\n");
  if (settings_.quiet) return;
  message("{} of {} done, {} of them now in {:.1f} s, {:.3g} images/s; {} failed, {} missing\n",
          counts_.done, counts_.total, counts_.done - done_before_, seconds(), rate(),
          counts_.failed, counts_.missing());
}

void BatchReport::note(const std::string& message_text) {
  if (settings_.quiet) return;
  line_.clear();
  message("note: {}\n", message_text);
}

}  // namespace impasto::app
