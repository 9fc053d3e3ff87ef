// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace impasto::bench {

/// A GPU's clocks at one moment.
struct Clocks {
  unsigned sm_mhz = 0;
  unsigned memory_mhz = 0;
  bool throttled = false;  ///< slower than it could be: for its power, its heat or its brake
};

/// One GPU as NVIDIA's management library knows it. The library comes with the driver and is loaded
/// here; where it is missing, or does not know the GPU, nothing is known and nothing fails.
class GpuWatch {
 public:
  /// "0000:1B:00.0", as CUDA names it.
  explicit GpuWatch(const std::string& pci_bus, const char* library = "libnvidia-ml.so.1");

  /// Driver, highest clocks, clocks now, power limit and why the clocks are what they are: for the
  /// context of a program's rows.
  [[nodiscard]] std::map<std::string, std::string> describe() const;
  [[nodiscard]] std::optional<Clocks> clocks() const;

 private:
  struct Library;
  std::shared_ptr<Library> library_;  ///< null where nothing is known
  void* gpu_ = nullptr;
};

}  // namespace impasto::bench
