// SPDX-License-Identifier: MIT
#include "host/backend/device/stream_trials.hpp"

#include <memory>

namespace impasto::IMPASTO_DEVICE {
namespace {

constexpr int in_a_row = 4;

/// A candidate: run once as it is, then recorded.
class RecordedTrial {
 public:
  RecordedTrial(Runtime& runtime, const Trial& trial) : runtime_(runtime), trial_(trial) {}

  void operator()() {
    if (graph_) {
      runtime_.replay(*graph_);
      return;
    }
    repeat();
    runtime_.synchronize();
    if (!Runtime::synchronous()) {
      graph_ = runtime_.capture([this] { repeat(); });
    }
  }

 private:
  void repeat() const {
    for (int i = 0; i < in_a_row; ++i) trial_();
  }

  Runtime& runtime_;
  const Trial& trial_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace

std::vector<double> time_on_stream(Runtime& runtime, std::span<const Trial> trials,
                                   const TrialLimits& limits) {
  const std::unique_ptr<Event> start = runtime.make_event();
  const std::unique_ptr<Event> end = runtime.make_event();
  const Timer timer = [&](const Trial& recorded) {
    runtime.record(*start);
    recorded();
    runtime.record(*end);
    end->wait();
    return 1000 * end->milliseconds_since(*start) / in_a_row;
  };
  std::vector<Trial> recorded;
  recorded.reserve(trials.size());
  for (const Trial& trial : trials) {
    recorded.emplace_back([made = std::make_shared<RecordedTrial>(runtime, trial)] { (*made)(); });
  }
  std::vector<double> times = time_trials(recorded, timer, limits);
  // A failed candidate may have taken the device with it: then this call fails too.
  runtime.synchronize();
  return times;
}

}  // namespace impasto::IMPASTO_DEVICE
