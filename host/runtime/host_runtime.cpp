// SPDX-License-Identifier: MIT
// The runtime on the host-SIMT machine.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "host/core/error.hpp"
#include "host/runtime/launch_mode.hpp"
#include "host/runtime/runtime.hpp"
#include "simt/error.hpp"
#include "simt/launch.hpp"
#include "simt/machine.hpp"
#include "simt/stream.hpp"

namespace impasto::emulated {
namespace {

using Clock = std::chrono::steady_clock;

simt::DeviceMemory& memory() { return simt::Machine::get().device_memory(); }

/// Throws if a test asked for this call to fail.
void begin_call(const char* name) {
  try {
    simt::count_call(name);
  } catch (const simt::Error& error) {
    fail(ErrorKind::backend, "{}", error.what());
  }
}

void work_through(simt::Stream& stream) {
  simt::Machine::set_current(stream.device());
  try {
    stream.synchronize();
  } catch (const simt::Error& error) {
    fail(ErrorKind::internal, "a kernel is at fault: {}", error.what());
  }
}

struct HostGraph final : Graph {
  explicit HostGraph(std::vector<simt::Stream::Work> recorded) : work(std::move(recorded)) {}
  std::vector<simt::Stream::Work> work;
};

struct HostEvent final : Event {
  explicit HostEvent(simt::Stream& of) : stream(of) {}
  bool passed() override { return *reached; }
  void wait() override {
    begin_call("wait for an event");
    work_through(stream);
  }
  double milliseconds_since(Event& earlier) override {
    const auto& from = static_cast<HostEvent&>(earlier);
    return std::chrono::duration<double, std::milli>(*time - *from.time).count();
  }

  simt::Stream& stream;
  std::shared_ptr<bool> reached = std::make_shared<bool>(false);
  std::shared_ptr<Clock::time_point> time = std::make_shared<Clock::time_point>();
};

}  // namespace

struct Runtime::State {
  explicit State(int index) : stream(index) {}
  simt::Stream stream;
};

Runtime::Runtime(int index) {
  if (index < 0 || index >= simt::Machine::count) {
    fail(ErrorKind::backend, "the host-SIMT machine has no device {}", index);
  }
  state_ = std::make_unique<State>(index);
  read_launch_mode();
}
Runtime::~Runtime() = default;

int Runtime::index() const { return state_->stream.device(); }
void Runtime::make_current() const { simt::Machine::set_current(index()); }
std::string Runtime::device() const { return "CUDA kernels on the host, one fiber per thread"; }
int Runtime::sm() const { return simt::device().sm; }
Stream Runtime::stream() const { return &state_->stream; }
bool Runtime::synchronous() { return simt::synchronous_launches; }
std::optional<std::size_t> Runtime::free_memory() const {
  make_current();
  return memory().free_bytes();
}

std::shared_ptr<void> Runtime::allocate(std::size_t bytes) {
  begin_call("allocation of device memory");
  make_current();
  try {
    return {memory().allocate(bytes), [&owner = memory()](void* data) { owner.free(data); }};
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::out_of_memory, "not enough memory: {} MiB asked for", bytes >> 20U);
  }
}

std::shared_ptr<void> Runtime::allocate_pinned(std::size_t bytes) {
  begin_call("allocation of pinned memory");
  return {::operator new(bytes), [](void* data) { ::operator delete(data); }};
}

void Runtime::fill_zero(void* to, std::size_t bytes) {
  begin_call("fill with zeros");
  state_->stream.enqueue([=] {
    std::memset(to, 0, bytes);
    memory().mark_written(to, bytes);
  });
}

void Runtime::copy(void* to, const void* from, std::size_t bytes) {
  begin_call("copy");
  state_->stream.enqueue([=] {
    std::memmove(to, from, bytes);
    memory().mark_written(to, bytes);
  });
}

void Runtime::copy_to_device(void* to, const void* from, std::size_t bytes) {
  copy(to, from, bytes);
}

void Runtime::copy_to_host(void* to, const void* from, std::size_t bytes) {
  begin_call("copy to the host");
  state_->stream.enqueue([=] { std::memcpy(to, from, bytes); });
}

void Runtime::synchronize() {
  begin_call("synchronize");
  work_through(state_->stream);
}

std::unique_ptr<Event> Runtime::make_event() {
  begin_call("creation of an event");
  return std::make_unique<HostEvent>(state_->stream);
}

void Runtime::record(Event& event) {
  begin_call("record of an event");
  auto& own = static_cast<HostEvent&>(event);
  *own.reached = false;
  state_->stream.enqueue([reached = own.reached, time = own.time] {
    *reached = true;
    *time = Clock::now();
  });
}

void Runtime::begin_range(const char* /*name*/) {}
void Runtime::end_range() {}

std::unique_ptr<Graph> Runtime::capture(const std::function<void()>& enqueue) {
  begin_call("begin of a capture");
  state_->stream.begin_capture();
  try {
    enqueue();
    begin_call("end of a capture");
  } catch (...) {
    state_->stream.end_capture();
    throw;
  }
  return std::make_unique<HostGraph>(state_->stream.end_capture());
}

void Runtime::replay(Graph& graph) {
  begin_call("launch of a graph");
  for (const simt::Stream::Work& work : static_cast<HostGraph&>(graph).work) {
    state_->stream.enqueue(work);
  }
}

}  // namespace impasto::emulated
