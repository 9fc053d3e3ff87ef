// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "kernels/common/device.hpp"

namespace impasto::IMPASTO_DEVICE {

using kernels::IMPASTO_DEVICE::Stream;

/// Work that was recorded once and is replayed as one: a CUDA graph. Its memory must outlive it.
class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  virtual ~Graph() = default;
};

/// A point in the stream's work that the host can ask for.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  virtual ~Event() = default;
  /// Whether the work before it is done.
  [[nodiscard]] virtual bool passed() = 0;
  virtual void wait() = 0;
};

/// Everything the host asks of a GPU besides kernels: memory, one stream of work, events, recording
/// and replay. The same declarations for CUDA and for the host-SIMT machine, so that the code above
/// them runs, and is tested, without a GPU. All throw ErrorKind::backend naming the call.
///
/// Work is asynchronous: enqueued in order, done some time before `synchronize` returns. The
/// machine does it as late as that, so that a host that reads too early is found out.
class Runtime {
 public:
  Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  /// The device, for people.
  [[nodiscard]] std::string device() const;
  [[nodiscard]] Stream stream() const;

  /// Device memory, uninitialised, aligned to 256 bytes.
  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes);
  /// Host memory that copies can use while the host goes on.
  [[nodiscard]] std::shared_ptr<void> allocate_pinned(std::size_t bytes);

  void fill_zero(void* to, std::size_t bytes);
  void copy(void* to, const void* from, std::size_t bytes);
  /// The host's side must stay as it is until the work is done.
  void copy_to_device(void* to, const void* from, std::size_t bytes);
  void copy_to_host(void* to, const void* from, std::size_t bytes);

  void synchronize();
  [[nodiscard]] std::unique_ptr<Event> record_event();

  /// Records what `enqueue` puts into the stream, without doing it.
  [[nodiscard]] std::unique_ptr<Graph> capture(const std::function<void()>& enqueue);
  void replay(Graph& graph);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace impasto::IMPASTO_DEVICE
