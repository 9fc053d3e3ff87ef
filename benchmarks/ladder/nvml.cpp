// SPDX-License-Identifier: MIT
#include "benchmarks/ladder/nvml.hpp"

#include <array>
#include <dlfcn.h>
#include <fmt/format.h>
#include <utility>

namespace impasto::bench {
namespace {

// What is used of nvml.h, whose header comes with the CUDA toolkit and not with the driver.
constexpr int success = 0;
enum ClockType : int { sm_clock = 1, memory_clock = 2 };
using Number = int(void* gpu, unsigned* value);
using Clock = int(void* gpu, int type, unsigned* megahertz);

struct Reason {
  unsigned long long bit;
  const char* name;
  bool throttles;
};
constexpr std::array<Reason, 9> reasons = {{
    {0x001, "idle", false},
    {0x002, "application clocks", false},
    {0x004, "power cap", true},
    {0x008, "hardware slowdown", true},
    {0x010, "sync boost", false},
    {0x020, "software thermal", true},
    {0x040, "hardware thermal", true},
    {0x080, "power brake", true},
    {0x100, "display clocks", false},
}};

template <class Function>
bool find(void* handle, Function*& function, const char* name) {
  function = reinterpret_cast<Function*>(::dlsym(handle, name));
  return function != nullptr;
}

}  // namespace

struct GpuWatch::Library {
  explicit Library(const char* file) : handle(::dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
    using Start = int();
    Start* start = nullptr;
    ready = handle != nullptr && find(handle, start, "nvmlInit_v2") &&
            find(handle, stop, "nvmlShutdown") &&
            find(handle, by_bus, "nvmlDeviceGetHandleByPciBusId_v2") &&
            find(handle, driver, "nvmlSystemGetDriverVersion") &&
            find(handle, clock, "nvmlDeviceGetClockInfo") &&
            find(handle, highest_clock, "nvmlDeviceGetMaxClockInfo") &&
            find(handle, power_limit, "nvmlDeviceGetEnforcedPowerLimit") &&
            find(handle, clock_reasons, "nvmlDeviceGetCurrentClocksThrottleReasons") &&
            start() == success;
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (ready) stop();
    if (handle != nullptr) ::dlclose(handle);
  }

  void* handle;
  bool ready = false;
  int (*stop)() = nullptr;
  int (*by_bus)(const char* bus, void** gpu) = nullptr;
  int (*driver)(char* version, unsigned length) = nullptr;
  Clock* clock = nullptr;
  Clock* highest_clock = nullptr;
  Number* power_limit = nullptr;  ///< in milliwatts
  int (*clock_reasons)(void* gpu, unsigned long long* bits) = nullptr;
};

GpuWatch::GpuWatch(const std::string& pci_bus, const char* library)
    : library_(std::make_shared<Library>(library)) {
  if (!library_->ready || library_->by_bus(pci_bus.c_str(), &gpu_) != success) library_ = nullptr;
}

std::map<std::string, std::string> GpuWatch::describe() const {
  std::map<std::string, std::string> found;
  if (!library_) return found;
  std::array<char, 96> version{};
  if (library_->driver(version.data(), version.size()) == success) {
    found["driver"] = version.data();
  }
  const auto megahertz = [&](const char* name, Clock* ask, ClockType type) {
    unsigned value = 0;
    if (ask(gpu_, type, &value) == success) found[name] = fmt::format("{} MHz", value);
  };
  megahertz("sm_clock", library_->clock, sm_clock);
  megahertz("sm_clock_highest", library_->highest_clock, sm_clock);
  megahertz("memory_clock", library_->clock, memory_clock);
  megahertz("memory_clock_highest", library_->highest_clock, memory_clock);
  unsigned milliwatts = 0;
  if (library_->power_limit(gpu_, &milliwatts) == success) {
    found["power_limit"] = fmt::format("{:g} W", 1e-3 * milliwatts);
  }
  unsigned long long bits = 0;
  if (library_->clock_reasons(gpu_, &bits) == success) {
    std::string names;
    for (const Reason& reason : reasons) {
      if ((bits & reason.bit) != 0) names += (names.empty() ? "" : ", ") + std::string(reason.name);
    }
    found["clocks_held_by"] = names.empty() ? std::string("nothing") : names;
  }
  return found;
}

std::optional<Clocks> GpuWatch::clocks() const {
  Clocks now;
  unsigned long long bits = 0;
  if (!library_ || library_->clock(gpu_, sm_clock, &now.sm_mhz) != success ||
      library_->clock(gpu_, memory_clock, &now.memory_mhz) != success ||
      library_->clock_reasons(gpu_, &bits) != success) {
    return std::nullopt;
  }
  for (const Reason& reason : reasons) {
    now.throttled = now.throttled || (reason.throttles && (bits & reason.bit) != 0);
  }
  return now;
}

}  // namespace impasto::bench
