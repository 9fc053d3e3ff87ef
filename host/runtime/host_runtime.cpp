// SPDX-License-Identifier: MIT
// The runtime on the host-SIMT machine.
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "host/core/error.hpp"
#include "host/runtime/runtime.hpp"
#include "simt/machine.hpp"
#include "simt/stream.hpp"

namespace impasto::emulated {
namespace {

simt::DeviceMemory& memory() { return simt::Machine::get().device_memory(); }

struct HostGraph final : Graph {
  explicit HostGraph(std::vector<simt::Stream::Work> recorded) : work(std::move(recorded)) {}
  std::vector<simt::Stream::Work> work;
};

struct HostEvent final : Event {
  explicit HostEvent(simt::Stream& of) : stream(of), reached(std::make_shared<bool>(false)) {
    stream.enqueue([flag = reached] { *flag = true; });
  }
  bool passed() override { return *reached; }
  void wait() override { stream.synchronize(); }

  simt::Stream& stream;
  std::shared_ptr<bool> reached;
};

}  // namespace

struct Runtime::State {
  simt::Stream stream;
};

Runtime::Runtime() : state_(std::make_unique<State>()) {}
Runtime::~Runtime() = default;

std::string Runtime::device() const { return "CUDA kernels on the host, one fiber per thread"; }
Stream Runtime::stream() const { return &state_->stream; }

std::shared_ptr<void> Runtime::allocate(std::size_t bytes) {
  try {
    return {memory().allocate(bytes), [](void* data) { memory().free(data); }};
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::backend, "not enough memory: {} MiB asked for", bytes >> 20U);
  }
}

std::shared_ptr<void> Runtime::allocate_pinned(std::size_t bytes) {
  return {::operator new(bytes), [](void* data) { ::operator delete(data); }};
}

void Runtime::fill_zero(void* to, std::size_t bytes) {
  state_->stream.enqueue([=] {
    std::memset(to, 0, bytes);
    memory().mark_written(to, bytes);
  });
}

void Runtime::copy(void* to, const void* from, std::size_t bytes) {
  state_->stream.enqueue([=] {
    std::memmove(to, from, bytes);
    memory().mark_written(to, bytes);
  });
}

void Runtime::copy_to_device(void* to, const void* from, std::size_t bytes) {
  copy(to, from, bytes);
}

void Runtime::copy_to_host(void* to, const void* from, std::size_t bytes) {
  state_->stream.enqueue([=] { std::memcpy(to, from, bytes); });
}

void Runtime::synchronize() {
  try {
    state_->stream.synchronize();
  } catch (const simt::Error& error) {
    fail(ErrorKind::internal, "a kernel is at fault: {}", error.what());
  }
}

std::unique_ptr<Event> Runtime::record_event() {
  return std::make_unique<HostEvent>(state_->stream);
}

std::unique_ptr<Graph> Runtime::capture(const std::function<void()>& enqueue) {
  state_->stream.begin_capture();
  try {
    enqueue();
  } catch (...) {
    state_->stream.end_capture();
    throw;
  }
  return std::make_unique<HostGraph>(state_->stream.end_capture());
}

void Runtime::replay(Graph& graph) {
  for (const simt::Stream::Work& work : static_cast<HostGraph&>(graph).work) {
    state_->stream.enqueue(work);
  }
}

}  // namespace impasto::emulated
