// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "simt/order.hpp"
#include "simt/site.hpp"
#include "simt/sm90.hpp"

namespace simt {

class Machine;

/// What a block has under way besides its threads (ptx_sm90.hpp): TMA loads, the barriers at which
/// they arrive, and products by wgmma. They complete as late as they can where threads run forward,
/// at once where they run in reverse, and either by chance where they run at random. So a kernel
/// that relies on one of these computes something else in another order.
///
/// The machine owns it. The running thread calls its methods, unless a comment says otherwise.
class Async {
 public:
  explicit Async(Machine& machine) : machine_(machine) {}

  /// The machine calls this before a block of that many warps runs.
  void begin_block(std::size_t warps);
  /// Called when all threads have ended: names what nobody waited for. Empty if there is nothing.
  [[nodiscard]] std::string left_under_way() const;
  /// Called when no thread can run: completes one load. Returns false if there was none.
  bool complete_one();

  void init(const Mbarrier* barrier, unsigned arrivals, const Site& site);
  /// TMA sees the barriers that the thread has made.
  void fence_barriers();
  void arrive(const Mbarrier* barrier, unsigned bytes, const Site& site);
  /// Whether the phase of this parity has ended. The first one fails where a thread that waits for it
  /// could not tell.
  bool has_ended(const Mbarrier* barrier, unsigned parity, const Site& site);
  [[nodiscard]] bool ended(const Mbarrier* barrier, unsigned parity) const;
  /// The thread has waited for the phase that ended last.
  void acquire(const Mbarrier* barrier);
  void copy(void* tile, const TensorMap& tensor, const std::array<int, 3>& at,
            const Mbarrier* arrives_at, const Site& site);

  struct Product {
    std::array<float*, 32> d;  ///< of each lane
    int columns;
    Element element;
    Major major;
    MatrixDescriptor a;
    MatrixDescriptor b;
    bool accumulate;
    bool done;
    Site site;
  };
  // The last lane of a warp to arrive calls these for all of them.
  void wgmma_fence();
  void start(const Product& product);
  void wgmma_commit_group(const Site& site);
  void wgmma_wait_group(std::size_t groups_left);

 private:
  struct Phase {
    unsigned arrivals = 0;  ///< how many end it
    unsigned missing = 0;
    std::int64_t bytes = 0;       ///< announced and not yet there
    std::uint32_t completed = 0;  ///< phases; the last bit is the parity of the one under way
    Participant maker = 0;
    std::uint32_t made_at = 0;  ///< the maker's time
    bool visible = false;       ///< for TMA
    Participant loads = 0;      ///< those that arrive here; a step is a phase
    Past gathered;              ///< of all that has arrived
    Past released;              ///< when the last phase ended
  };
  struct Copy {
    unsigned char* tile;
    TensorMap tensor;
    std::array<int, 3> at;
    const Mbarrier* arrives_at;
    Site site;
  };
  struct Warp {
    bool begun = false;
    std::uint32_t waited = 0;                  ///< groups that were waited for
    std::vector<std::vector<Product>> groups;  ///< not waited for; the last is open
  };
  /// Bytes of shared memory, as offsets from its beginning.
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
  };

  Phase& phase(const Mbarrier* barrier, const Site& site);
  void end_if_complete(Phase& phase);
  void complete(const Copy& copy);
  bool at_once();
  void finish(std::span<std::vector<Product>> groups);
  void multiply(const Product& product);
  static Range range(const Product& product, bool of_a);
  [[nodiscard]] std::uint16_t value(MatrixDescriptor factor, Major major, unsigned line,
                                    unsigned k) const;
  Warp& own_warp();

  Machine& machine_;
  std::map<const Mbarrier*, Phase> phases_;
  std::vector<Copy> copies_;  ///< under way, oldest first
  std::vector<Warp> warps_;
  std::mt19937_64 random_;
};

}  // namespace simt
