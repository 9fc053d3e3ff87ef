// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "host/core/tensor.hpp"

namespace impasto {

/// How a backend chooses between the libraries' and our own implementations of an operation.
enum class Tuning : std::uint8_t {
  off,     ///< the library's first choice; nothing is timed, nothing read or written
  cached,  ///< what the plan cache says; problems it does not know are timed, and kept there
  retune,  ///< everything is timed again, and kept there
};

/// Which of a backend's devices to open, and how.
struct DeviceOptions {
  /// As BackendEntry::devices counts them; none: the first that can be used.
  std::optional<int> index = std::nullopt;
  Tuning tuning = Tuning::cached;
};

/// Device memory. The last copy of the pointer frees it.
using Buffer = std::shared_ptr<void>;

/// Brings a tensor's values to the host while the device works on, through memory of its own.
class Readback {
 public:
  Readback() = default;
  Readback(const Readback&) = delete;
  Readback& operator=(const Readback&) = delete;
  virtual ~Readback() = default;
  /// Enqueues the copy of `from`, a tensor of as many values as the object was made for.
  virtual void start(const Tensor& from) = 0;
  [[nodiscard]] virtual bool arrived() = 0;
  /// Waits until they have arrived.
  [[nodiscard]] virtual std::span<const float> values() = 0;
};

/// Operations that are enqueued again as one: a CUDA graph, where there is such a thing. The
/// tensors they use must outlive it.
class Recording {
 public:
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

/// A point in the enqueued work.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  virtual ~Event() = default;
  /// The device's time since `earlier`, an event of the same device. Waits for both.
  [[nodiscard]] virtual double seconds_since(Event& earlier) = 0;
};

/// What a backend computes on: memory, and a queue of work that the host fills ahead of time.
///
/// Everything that concerns device memory is enqueued and returns at once. Only `read`, `write` and
/// `synchronize` wait. One device object is used by one thread at a time.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  /// What it is, for people: "Intel Xeon, 2 threads, oneDNN 2.6.3, avx512_core".
  [[nodiscard]] virtual std::string description() const = 0;
  /// Its number among the devices of its backend.
  [[nodiscard]] virtual int index() const { return 0; }

  /// Uninitialised device memory, aligned to 256 bytes. Throws ErrorKind::out_of_memory when there
  /// is not enough, saying how much was asked for.
  [[nodiscard]] virtual Buffer allocate(std::size_t bytes) = 0;
  /// Bytes that can still be allocated; none if that is not known.
  [[nodiscard]] virtual std::optional<std::size_t> free_memory() const = 0;

  virtual void fill_zero(const Tensor& tensor) = 0;
  virtual void copy(const Tensor& to, const Tensor& from) = 0;
  /// Between host floats and device memory, converting to and from the tensor's type.
  virtual void write(const Tensor& to, std::span<const float> from) = 0;
  virtual void read(std::span<float> to, const Tensor& from) = 0;
  [[nodiscard]] virtual std::unique_ptr<Readback> make_readback(std::int64_t count) = 0;
  virtual void synchronize() = 0;
  /// The queue, as NVIDIA's libraries take it: a CUDA stream. Null on the host.
  [[nodiscard]] virtual void* stream() { return nullptr; }

  /// Calls `operations`, which enqueue nothing this time but make everything that they need; their
  /// tensors need no memory yet. Returns the largest workspace that one of them requests, in bytes.
  [[nodiscard]] virtual std::size_t prepare(const std::function<void()>& operations) = 0;
  /// Operations use this memory between their stages, for as long as its owner keeps it. Without
  /// it, or where it is too small, they allocate their own.
  virtual void use_workspace(const Buffer& memory, std::size_t bytes) = 0;

  /// Records `operations` without doing them. All of them must have been done or prepared before.
  [[nodiscard]] virtual std::unique_ptr<Recording> record(std::function<void()> operations) = 0;
  /// Marks the point that the enqueued work has reached.
  [[nodiscard]] virtual std::unique_ptr<Event> record_event() = 0;
  /// Names what is enqueued until end_range(), for profilers.
  virtual void begin_range(const std::string& name) = 0;
  virtual void end_range() = 0;
};

}  // namespace impasto
