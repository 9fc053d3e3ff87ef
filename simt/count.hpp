// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "simt/site.hpp"

namespace simt {

struct Grid;

inline constexpr std::size_t warp_size = 32;

enum class Space : std::uint8_t { global, shared };

/// What a kernel's warps ask of memory. A request is one instruction of one warp, all of its lanes
/// together; a byte that several lanes ask for counts once. There is no cache: what a second warp
/// asks for again counts again.
struct Traffic {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
  std::uint64_t sectors = 0;  ///< of 32 bytes, that hold those bytes
};

/// One launch of a kernel.
struct LaunchCounts {
  std::string kernel;
  std::uint64_t blocks = 0;
  std::uint64_t threads = 0;       ///< of a block
  std::uint64_t shared_bytes = 0;  ///< dynamic shared memory of a block
  Traffic loads;                   ///< from global memory; an atomic loads and stores
  Traffic stores;                  ///< to global memory
  std::uint64_t shared_requests = 0;
  std::uint64_t bank_conflicts = 0;  ///< passes over shared memory beyond what a request needs
  std::uint64_t barriers = 0;        ///< summed over the blocks
};

/// Counts what traced kernels do while it is the machine's counter. Lanes run one after the other
/// here, so their accesses are put together into requests: where each lane of a warp executes an
/// instruction for the n-th time since the block's last barrier, that is one request.
class Counter {
 public:
  enum class Kernels : std::uint8_t { run, stay };

  /// With `stay` launches are counted and kernels do nothing: an iteration of any size takes no time.
  explicit Counter(Kernels kernels = Kernels::run) : kernels_(kernels) {}

  [[nodiscard]] const std::vector<LaunchCounts>& launches() const { return launches_; }
  /// All launches as one.
  [[nodiscard]] LaunchCounts total() const;

  // The machine calls what follows.
  [[nodiscard]] bool runs_kernels() const { return kernels_ == Kernels::run; }
  void begin_launch(const Grid& grid);
  void access(Space space, bool write, unsigned thread, SiteId site, const void* address,
              std::size_t size);
  void barrier();
  void end_block() { settle(); }

 private:
  struct Request {
    Space space = Space::global;
    bool write = false;
    unsigned lanes = 0;  ///< how many have come
    std::array<std::uintptr_t, warp_size> addresses{};
    std::array<std::size_t, warp_size> sizes{};  ///< 0 for a lane that has no part in it
  };

  void settle();
  void count(const Request& request);

  Kernels kernels_;
  std::vector<LaunchCounts> launches_;
  std::unordered_map<std::uint64_t, Request> open_;         ///< by instruction, warp and n
  std::unordered_map<std::uint64_t, std::uint32_t> times_;  ///< n, by instruction and thread
};

}  // namespace simt
