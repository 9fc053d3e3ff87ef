// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "host/app/describe.hpp"
#include "host/app/evolution.hpp"
#include "host/app/report.hpp"
#include "host/app/settings.hpp"
#include "host/batch/pipeline.hpp"
#include "host/batch/run_directory.hpp"

namespace impasto::app {

/// The record of an item that failed; in the directory as well, if there is one.
Json record_failure(const batch::RunDirectory* directory, const batch::Item& item,
                    const Error& reason);

/// What the command line puts into a pipeline's steps: an item's settings, pictures by name, files
/// with their recipe inside, and records in the run directory.
class BatchSteps final : public batch::Steps {
 public:
  struct Told {
    std::function<std::optional<batch::Item>()> next;
    std::function<void(const batch::Item& item)> begun;
    std::function<void()> iterated;
    std::function<void(const batch::Item& item, const Json& record)> done;
    std::function<void(const batch::Item& item, const Json& record)> failed;
    std::function<bool()> stopped;
    batch::BusyTime& busy;  ///< of the device that the streams compute on
  };

  /// Without a directory nothing is written. The arguments must outlive the object.
  BatchSteps(const Settings& settings, const batch::RunDirectory* directory, Told told)
      : settings_(settings), directory_(directory), told_(std::move(told)) {}

  /// As many loaders, streams and savers as suit the backend.
  [[nodiscard]] batch::PipelineSizes sizes();

  std::optional<batch::Item> next() override { return told_.next(); }
  batch::Work load(const batch::Item& item) override;
  std::size_t side_by_side(const batch::Work& work) override;
  std::unique_ptr<batch::Stream> open_stream() override;
  void save(batch::Stream& stream, const batch::Work& work, batch::Outcome outcome) override;
  void failed(const batch::Item& item, const Error& reason) override;
  void reached(batch::Stream& stream, std::span<const batch::Work> works,
               const Progress& progress) override;
  Checkpoints checkpoints(std::span<const batch::Work> works) override;
  bool stopped() override { return told_.stopped(); }

 private:
  [[nodiscard]] std::string identity_of(const batch::Work& work) const;
  [[nodiscard]] std::optional<Checkpoint> checkpoint_of(const batch::Work& work) const;
  std::shared_ptr<const Network> network(Backend& backend, const Objective& objective);
  void follow(std::span<const batch::Work> works, const Progress& progress);
  void save_account(batch::Stream& stream, const batch::Work& work, const batch::Outcome& outcome,
                    const Settings& own, const Image& picture, const std::string& sha256);

  const Settings& settings_;
  const batch::RunDirectory* directory_;
  Told told_;
  std::unique_ptr<Backend> first_backend_;  ///< opened early, for sizes()
  bool computes_on_cpu_ = false;
  std::string arithmetic_;  ///< of all streams: backend and precision
  std::mutex mutex_;
  std::shared_ptr<const Network> network_;  ///< that a stream asked for last
  Objective seen_;                          ///< what it was made for
  std::size_t deepest_ = 0;                 ///< of its layers
  /// For --reports and --films, of an item that is computed.
  struct Account {
    explicit Account(std::int64_t iterations) : evolution(iterations) {}
    std::string begun = utc_now();
    std::int64_t iteration = -1;  ///< that was noted last
    Curves curves;
    Evolution evolution;
  };
  std::map<std::string, Account> accounts_;  ///< by output
};

}  // namespace impasto::app
