// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "simt/count.hpp"
#include "simt/error.hpp"
#include "simt/fiber.hpp"
#include "simt/memory.hpp"
#include "simt/site.hpp"
#include "simt/tensor_core_sum.hpp"

namespace simt {

class Async;
struct Mbarrier;

struct Dim3 {
  unsigned x = 1;
  unsigned y = 1;
  unsigned z = 1;

  [[nodiscard]] constexpr std::uint64_t count() const { return std::uint64_t{x} * y * z; }
};

/// The order in which the threads of a block run between two barriers, and the blocks of a grid. A
/// correct kernel computes the same bits in every order.
struct Schedule {
  enum class Order : std::uint8_t { forward, reverse, random };
  Order order = Order::forward;
  std::uint64_t seed = 0;  ///< of `random`
  bool traced = true;      ///< or runs traced kernels as any others, for their results alone
};

struct Grid {
  const char* name = "kernel";  ///< of the kernel, for messages
  Dim3 blocks;
  Dim3 threads;
  std::size_t shared_bytes = 0;  ///< of the dynamic shared memory
  int phases = 1;                ///< see simt/cuda.hpp
};

/// Throws Error for a grid that CUDA would refuse.
void require_valid(const Grid& grid);

/// What each lane of a warp brought to a collective; null for a lane that has no part in it.
using Lanes = std::array<void*, warp_size>;

/// The mask of all lanes of a warp.
inline constexpr unsigned whole_warp = 0xffffffffU;

/// Which threads of a block can run. The scheduler asks at every switch.
class ReadyThreads {
 public:
  static constexpr std::size_t none = 1024;  ///< as many as a block can have

  [[nodiscard]] bool empty() const { return count_ == 0; }
  void clear() { *this = {}; }
  void add(std::size_t id) {
    if (!holds(id)) ++count_;
    words_[id / 64] |= bit(id);
  }
  void remove(std::size_t id) {
    if (holds(id)) --count_;
    words_[id / 64] &= ~bit(id);
  }

  /// The first one from `id` on, or `none`.
  [[nodiscard]] std::size_t first(std::size_t id = 0) const {
    std::uint64_t word = words_[id / 64] & ~std::uint64_t{0} << id % 64;
    for (std::size_t i = id / 64;; word = words_[i]) {
      if (word != 0) return 64 * i + static_cast<std::size_t>(std::countr_zero(word));
      if (++i == words_.size()) return none;
    }
  }
  /// The last one; there is one.
  [[nodiscard]] std::size_t last() const {
    std::size_t i = words_.size() - 1;
    while (words_[i] == 0) --i;
    return 64 * i + 63 - static_cast<std::size_t>(std::countl_zero(words_[i]));
  }

 private:
  static std::uint64_t bit(std::size_t id) { return std::uint64_t{1} << id % 64; }
  [[nodiscard]] bool holds(std::size_t id) const { return (words_[id / 64] & bit(id)) != 0; }

  std::array<std::uint64_t, none / 64> words_{};
  std::size_t count_ = 0;
};

/// One GPU, one block at a time: each CUDA thread is a fiber that runs until it has to wait.
///
/// A thread that does something wrong ends the launch: `launch` throws Error. There are several
/// machines, each with memory of its own, so that host code for several GPUs can be tested. One
/// host thread at a time may use a machine; several threads may use one each.
class Machine {
 public:
  static constexpr int count = 4;

  Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  /// As cudaSetDevice: from here on the calling thread uses the machine of this index. A thread
  /// starts with machine 0.
  static void set_current(int index);
  [[nodiscard]] static int current() { return current_index; }
  /// The calling thread's machine.
  static Machine& get();

  /// Runs body(argument) for every thread of the grid. Throws Error.
  void launch(const Grid& grid, Fiber::Body body, void* argument, bool traced);

  void set_schedule(const Schedule& schedule) { schedule_ = schedule; }
  /// How mma.sync and wgmma add from now on.
  void set_tensor_core_sum(const TensorCoreSum& sum) { tensor_core_sum_ = sum; }
  [[nodiscard]] const TensorCoreSum& tensor_core_sum() const { return tensor_core_sum_; }
  [[nodiscard]] const Schedule& schedule() const { return schedule_; }
  /// Counts what traced kernels do from now on; null stops counting.
  void set_counter(Counter* counter) { counter_ = counter; }
  DeviceMemory& device_memory() { return device_memory_; }

  // The running thread calls what follows.

  /// Null outside of kernels.
  static Machine* in_kernel() { return running; }

  /// While a NoTrace lives, the running thread's accesses are the machine's own and not traced.
  class NoTrace {
   public:
    NoTrace() : machine_(std::exchange(running, nullptr)) {}
    NoTrace(const NoTrace&) = delete;
    NoTrace& operator=(const NoTrace&) = delete;
    ~NoTrace() { running = machine_; }

   private:
    Machine* machine_;
  };
  [[nodiscard]] Dim3 thread_index() const { return current_->index; }
  [[nodiscard]] Dim3 block_index() const { return block_index_; }
  [[nodiscard]] Dim3 block_size() const { return grid_.threads; }
  [[nodiscard]] Dim3 grid_size() const { return grid_.blocks; }
  [[nodiscard]] unsigned lane() const { return current_->id % 32; }
  [[nodiscard]] unsigned warp() const { return current_->id / 32; }
  [[nodiscard]] unsigned active_lanes() const;

  /// Waits for every thread of the block.
  void barrier(const Site& site);
  /// Waits for the lanes of `mask`; the last one to arrive calls combine(lanes, argument) for all
  /// of them. `own` points to what this lane brings, and there it finds its result.
  void rendezvous(const char* what, unsigned mask, void* own,
                  void (*combine)(Lanes& lanes, const void* argument), const void* argument,
                  const Site& site);
  void warp_barrier(unsigned mask, const Site& site);

  /// Whether the grid runs this phase now. As many calls of next_phase as it takes to be there must lie
  /// behind the thread.
  [[nodiscard]] bool in_phase(int phase, const Site& site);
  void next_phase() { ++current_->phase; }

  /// __threadfence. What is in a thread's past at a fence with an atomic behind it, other blocks may
  /// use behind an atomic of their own and a fence after that.
  void fence();

  void* dynamic_shared(const Site& site);
  void* static_shared(const Site& site, const char* name, std::size_t bytes);

  /// Checks an access against what is known of the memory, and counts it. For traced kernels.
  void check(Access access, const void* address, std::size_t size, SiteId site);
  void check(Access access, const void* address, std::size_t size, const Site& site);
  void check(Access access, const void* address, std::size_t size, const void* instruction);

  /// cp.async: copies `bytes` from `from`, then zeros up to `size`. Happens when a thread waits.
  void copy_later(void* to, const void* from, std::size_t size, std::size_t bytes,
                  const Site& site);
  void cp_async_commit_group();
  /// Completes all but the newest `groups_left` committed groups of this thread's copies.
  void cp_async_wait_group(std::size_t groups_left);

  Async& async() { return *async_; }
  void wait_for_phase(const Mbarrier* barrier, unsigned parity, const Site& site);
  /// The number by which an instruction addresses shared memory, checked for `size` bytes; and the
  /// memory that number 0 stands for.
  std::uint64_t shared_address(const void* address, std::size_t size, const Site& site);
  [[nodiscard]] const unsigned char* shared_window() const { return shared_memory_.window(); }
  // For traced launches: what the hardware, not a thread, does to shared memory.
  /// A load by TMA that the running thread starts. It arrives at `arrives_at` at this time.
  void begin_copy(void* to, std::size_t size, Participant arrives_at, std::uint32_t time,
                  const Site& site);
  void end_copy(void* to, std::size_t size);
  /// What a product of the running warp reads; `past` is in the past of all its lanes.
  void check_product(std::uint64_t shared_address, std::size_t size, const Past& past,
                     const Site& site);

  [[nodiscard]] Participant thread() const { return static_cast<Participant>(current_->id); }
  [[nodiscard]] bool traced() const { return traced_; }
  Order& order() { return order_; }

  [[noreturn]] void fail(const std::string& problem, const std::string& place);
  /// Thrown through the thread that did something wrong.
  struct Stopped {};
  /// Leaves this thread for good, where nothing may be thrown.
  void abandon() { current_->fiber.leave(); }

 private:
  enum class State : std::uint8_t { ready, at_barrier, at_collective, at_phase, ended };

  struct Copy {
    void* to = nullptr;
    const void* from = nullptr;
    std::size_t size = 0;
    std::size_t bytes = 0;
    Site site;
  };

  struct Thread {
    Fiber fiber;
    Dim3 index;
    unsigned id = 0;
    State state = State::ready;
    const char* waits_in = nullptr;  ///< the collective's name
    Site site;                       ///< and where
    const Mbarrier* barrier = nullptr;
    unsigned parity = 0;  ///< of the barrier's phase that it waits for
    std::uint32_t block_phase = 0;
    int phase = 0;                          ///< of the grid, as far as the thread has counted
    std::optional<Clock> fenced;            ///< what came before its last __threadfence
    bool after_atomic = false;              ///< it has come to an atomic
    std::vector<std::vector<Copy>> copies;  ///< the committed groups, then the open one
  };

  /// A collective that some lanes of a warp have come to.
  struct Collective {
    const char* what = nullptr;
    Site site;
    unsigned mask = 0;
    unsigned arrived = 0;
    unsigned first_lane = 0;  ///< the first one that arrived
    Lanes lanes{};
  };
  struct Warp {
    unsigned ended = 0;                   ///< a bit for each lane that has
    std::vector<Collective> collectives;  ///< open ones; their masks do not overlap
  };

  static void thread_main(void* machine);
  Collective& join(Warp& warp, const char* what, unsigned mask, const Site& site);
  void run_block(const Dim3& index);
  void run_threads();
  Thread* next();
  bool wake_at_phases();
  void wait();
  void make_ready(Thread& thread);
  void release_barrier();
  void end_of_thread();
  [[noreturn]] void fail_here(const std::string& problem) {
    fail(problem, to_string(current_->site));
  }
  void report_deadlock();
  void complete(const Copy& copy);
  /// Which memory the access goes to; none for the thread's own stack.
  std::optional<Space> hold(Access access, const void* address, std::size_t size, SiteId site);
  void hold_async(Access access, const void* address, std::size_t size, Participant participant,
                  std::uint32_t time, const Past& past, const Site& site);
  [[nodiscard]] std::string name(const Thread& thread) const;
  [[nodiscard]] std::vector<std::uint64_t> block_order();

  static inline thread_local constinit int current_index = 0;
  static inline thread_local constinit Machine* running = nullptr;

  Schedule schedule_;
  TensorCoreSum tensor_core_sum_;
  Counter* counter_ = nullptr;
  std::mt19937_64 random_;
  DeviceMemory device_memory_;
  SharedMemory shared_memory_;
  Order order_;  ///< of the block that runs
  std::vector<std::unique_ptr<Thread>> threads_;
  std::size_t thread_count_ = 0;
  std::vector<Warp> warps_;
  ReadyThreads ready_;
  Thread* current_ = nullptr;
  Grid grid_;
  Dim3 block_index_;
  int phase_ = 0;
  Fiber::Body body_ = nullptr;
  void* argument_ = nullptr;
  bool traced_ = false;
  std::uint32_t serial_ = 0;       ///< of the block that runs
  std::uint32_t first_block_ = 1;  ///< of this phase of the launch
  std::vector<Clock> published_;   ///< by the blocks from first_block_ on
  std::size_t at_barrier_ = 0;
  Thread* first_at_barrier_ = nullptr;
  std::size_t ended_ = 0;
  std::string failure_;
  std::unique_ptr<Async> async_;
};

}  // namespace simt
