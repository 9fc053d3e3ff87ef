// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "host/backend/device.hpp"
#include "host/backend/tuning/autotuner.hpp"
#include "host/core/error.hpp"
#include "host/runtime/runtime.hpp"
#include "simt/error.hpp"

namespace impasto::IMPASTO_DEVICE {

/// Calls `launches`, whose kernels go to the runtime's device. A kernel that is refused is a defect
/// of ours.
template <class Launches>
void launch_kernels(const Runtime& runtime, Launches launches) {
  runtime.make_current();
  try {
    launches();
  } catch (const simt::Error& error) {
    fail(ErrorKind::internal, "a kernel is at fault: {}", error.what());
  }
}

/// What a device backend makes of the work on its stream.

class DeviceReadback final : public Readback {
 public:
  DeviceReadback(Runtime& runtime, std::int64_t count)
      : runtime_(runtime),
        count_(static_cast<std::size_t>(count)),
        pinned_(runtime.allocate_pinned(count_ * sizeof(float))),
        event_(runtime.make_event()) {}

  void start(const Tensor& from) override {
    require(from.type == DataType::f32 && from.bytes() == count_ * sizeof(float),
            "readback of {} values from {}", count_, to_string(from.shape));
    runtime_.copy_to_host(pinned_.get(), from.data, from.bytes());
    runtime_.record(*event_);
  }
  bool arrived() override { return event_->passed(); }
  std::span<const float> values() override {
    event_->wait();
    return {static_cast<const float*>(pinned_.get()), count_};
  }

 private:
  Runtime& runtime_;
  std::size_t count_;
  std::shared_ptr<void> pinned_;
  std::unique_ptr<Event> event_;
};

class DeviceRecording final : public Recording {
 public:
  DeviceRecording(Runtime& runtime, std::function<void()> operations)
      : runtime_(runtime), operations_(std::move(operations)) {
    if (!Runtime::synchronous()) graph_ = runtime.capture(operations_);
  }
  void replay() override {
    if (graph_) {
      runtime_.replay(*graph_);
    } else {
      operations_();
    }
  }

 private:
  Runtime& runtime_;
  std::function<void()> operations_;
  std::unique_ptr<Graph> graph_;
};

class DeviceEvent final : public impasto::Event {
 public:
  explicit DeviceEvent(Runtime& runtime) : event_(runtime.make_event()) { runtime.record(*event_); }
  double seconds_since(impasto::Event& earlier) override {
    event_->wait();
    return event_->milliseconds_since(*static_cast<DeviceEvent&>(earlier).event_) / 1000;
  }

 private:
  std::unique_ptr<IMPASTO_DEVICE::Event> event_;
};

/// Times candidates on the runtime's stream the way an iteration runs them: recorded, a few in a
/// row, and replayed between two events, so that the host's time to enqueue them does not
/// count. One that cannot be recorded has failed. Throws ErrorKind::backend when the device is
/// lost.
std::vector<double> time_on_stream(Runtime& runtime, std::span<const Launch> launches,
                                   const TimingLimits& limits = {});

}  // namespace impasto::IMPASTO_DEVICE
