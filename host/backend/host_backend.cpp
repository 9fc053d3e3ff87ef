// SPDX-License-Identifier: MIT
#include "host/backend/host_backend.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "host/backend/free_memory.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

class HostReadback final : public Readback {
 public:
  HostReadback(Backend& backend, std::int64_t count)
      : backend_(backend), values_(static_cast<std::size_t>(count)) {}
  void start(const Tensor& from) override { backend_.read(values_, from); }
  bool arrived() override { return true; }
  std::span<const float> values() override { return values_; }

 private:
  Backend& backend_;
  std::vector<float> values_;
};

class HostRecording final : public Recording {
 public:
  explicit HostRecording(std::function<void()> operations) : operations_(std::move(operations)) {}
  void replay() override { operations_(); }

 private:
  std::function<void()> operations_;
};

class HostEvent final : public Event {
 public:
  double seconds_since(Event& earlier) override {
    return std::chrono::duration<double>(time_ - static_cast<HostEvent&>(earlier).time_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point time_ = Clock::now();
};

}  // namespace

std::string HostBackend::processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

std::optional<std::size_t> HostBackend::free_memory() const { return impasto::free_memory(); }

std::unique_ptr<Readback> HostBackend::make_readback(std::int64_t count) {
  return std::make_unique<HostReadback>(*this, count);
}

std::unique_ptr<Recording> HostBackend::record(std::function<void()> operations) {
  return std::make_unique<HostRecording>(std::move(operations));
}

std::unique_ptr<Event> HostBackend::record_event() { return std::make_unique<HostEvent>(); }

Buffer HostBackend::allocate(std::size_t bytes) {
  constexpr std::size_t alignment = 256;
  const std::size_t rounded =
      (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* data = std::aligned_alloc(alignment, rounded);
  if (data == nullptr) {
    fail(ErrorKind::out_of_memory, "not enough memory: {} MiB asked for", rounded >> 20U);
  }
  return {data, [](void* memory) { std::free(memory); }};
}

void HostBackend::fill_zero(const Tensor& tensor) { std::memset(tensor.data, 0, tensor.bytes()); }

void HostBackend::copy(const Tensor& to, const Tensor& from) {
  require(to.bytes() == from.bytes() && to.type == from.type, "copy of {} to {}",
          to_string(from.shape), to_string(to.shape));
  std::memcpy(to.data, from.data, from.bytes());
}

void HostBackend::write(const Tensor& to, std::span<const float> from) {
  require(static_cast<std::size_t>(to.shape.count()) == from.size(), "write of {} values to {}",
          from.size(), to_string(to.shape));
  dispatch<double, float, kernels::bfloat16>(to.type, [&]<class T>(T) {
    std::transform(from.begin(), from.end(), to.as<T>(),
                   [](float value) { return static_cast<T>(value); });
  });
}

void HostBackend::read(std::span<float> to, const Tensor& from) {
  require(static_cast<std::size_t>(from.shape.count()) == to.size(), "read of {} into {} values",
          to_string(from.shape), to.size());
  dispatch<double, float, kernels::bfloat16>(from.type, [&]<class T>(T) {
    std::transform(from.as<T>(), from.as<T>() + to.size(), to.begin(),
                   [](T value) { return static_cast<float>(value); });
  });
}

}  // namespace impasto
