// SPDX-License-Identifier: MIT
#include "host/backend/device/stream.hpp"

#include <memory>

namespace impasto::IMPASTO_DEVICE {
namespace {

constexpr int in_a_row = 4;

/// A candidate: run once as it is, then recorded.
class RecordedLaunch {
 public:
  RecordedLaunch(Runtime& runtime, const Launch& launch) : runtime_(runtime), launch_(launch) {}

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
    launch_kernels(runtime_, [&] {
      for (int i = 0; i < in_a_row; ++i) launch_();
    });
  }

  Runtime& runtime_;
  const Launch& launch_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace

std::vector<double> time_on_stream(Runtime& runtime, std::span<const Launch> launches,
                                   const TimingLimits& limits) {
  const std::unique_ptr<Event> start = runtime.make_event();
  const std::unique_ptr<Event> end = runtime.make_event();
  const Timer timer = [&](const Launch& recorded) {
    runtime.record(*start);
    recorded();
    runtime.record(*end);
    end->wait();
    return 1000 * end->milliseconds_since(*start) / in_a_row;
  };
  std::vector<Launch> recorded;
  recorded.reserve(launches.size());
  for (const Launch& launch : launches) {
    recorded.emplace_back(
        [made = std::make_shared<RecordedLaunch>(runtime, launch)] { (*made)(); });
  }
  std::vector<double> times = time_in_turns(recorded, timer, limits);
  // A failed candidate may have taken the device with it: then this call fails too.
  runtime.synchronize();
  return times;
}

}  // namespace impasto::IMPASTO_DEVICE
