// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
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

/// A point in the stream's work. After it was recorded, the host can ask whether the stream has
/// reached it.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  virtual ~Event() = default;
  /// Whether the work before it is done.
  [[nodiscard]] virtual bool passed() = 0;
  virtual void wait() = 0;
  /// The device's time from `earlier` to this one. Both have passed.
  [[nodiscard]] virtual double milliseconds_since(Event& earlier) = 0;
};

/// Everything that the host needs of a GPU besides kernels: memory, one stream of work, events,
/// recording and replay. CUDA and the host-SIMT machine share these declarations, so the code that
/// uses them runs, and is tested, without a GPU. Every function throws ErrorKind::backend, and
/// names the CUDA call, or ErrorKind::out_of_memory. Each thread may use a runtime on a device of
/// its own.
///
/// Work is asynchronous: the host enqueues it in order, and it is done some time before
/// `synchronize` returns. The host-SIMT machine does it as late as possible, so that tests notice a
/// host that reads too early. With IMPASTO_SYNC=1 in the environment the host waits for each
/// launch, and an error names the kernel.
class Runtime {
 public:
  /// Opens the device of this index. Throws ErrorKind::backend if there is none.
  explicit Runtime(int index = 0);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  [[nodiscard]] int index() const;
  /// Makes this device the calling thread's current one: kernels launch on it, and libraries open
  /// their handles on it. The functions of this class do so themselves.
  void make_current() const;
  /// The device, for people.
  [[nodiscard]] std::string device() const;
  /// Its compute capability, 10·major + minor.
  [[nodiscard]] int sm() const;
  [[nodiscard]] Stream stream() const;
  /// Whether the host waits for each launch; then nothing can be captured.
  [[nodiscard]] static bool synchronous();
  /// Bytes of device memory that can still be allocated; none if there is no limit.
  [[nodiscard]] std::optional<std::size_t> free_memory() const;

  /// Device memory, uninitialised, aligned to 256 bytes.
  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes);
  /// Pinned host memory: copies to and from it run while the host goes on.
  [[nodiscard]] std::shared_ptr<void> allocate_pinned(std::size_t bytes);

  void fill_zero(void* to, std::size_t bytes);
  void copy(void* to, const void* from, std::size_t bytes);
  /// The host must leave its side as it is until the copy is done.
  void copy_to_device(void* to, const void* from, std::size_t bytes);
  void copy_to_host(void* to, const void* from, std::size_t bytes);

  void synchronize();
  [[nodiscard]] std::unique_ptr<Event> make_event();
  void record(Event& event);

  /// Names what is enqueued until `end_range`, for profilers: an NVTX range.
  void begin_range(const char* name);
  void end_range();

  /// Records what `enqueue` puts into the stream, without doing it.
  [[nodiscard]] std::unique_ptr<Graph> capture(const std::function<void()>& enqueue);
  void replay(Graph& graph);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace impasto::IMPASTO_DEVICE
