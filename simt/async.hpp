// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "simt/site.hpp"
#include "simt/sm90.hpp"
#include "simt/tensor_map.hpp"

namespace simt {

class Machine;

/// What a block has under way besides its threads (ptx_sm90.hpp): copies of boxes, the barriers
/// they arrive at, products of warpgroups. As late as can be when threads run forward, at once when
/// they run in reverse, either by chance when at random: a kernel that relies on one or the other
/// computes something else.
///
/// The machine's; its methods are called by the running thread where not said otherwise.
class Async {
 public:
  explicit Async(Machine& machine) : machine_(machine) {}

  /// By the machine, for so many warps.
  void begin_block(std::size_t warps);
  /// By the machine, when all threads have ended: what they did not wait for, empty if nothing.
  [[nodiscard]] std::string left_under_way() const;
  /// By the machine, when no thread can run: completes a copy. Whether there was one.
  bool complete_one();

  void init(const Mbarrier* barrier, unsigned arrivals, const Site& site);
  void arrive(const Mbarrier* barrier, unsigned bytes, const Site& site);
  /// Whether the phase of this parity has ended.
  bool ended(const Mbarrier* barrier, unsigned parity, const Site& site);
  void copy(void* tile, const TensorMap& tensor, const std::array<int, 3>& at,
            const Mbarrier* arrives_at, const Site& site);

  struct Product {
    std::array<float*, 32> d;  ///< of each lane
    int columns;
    Element element;
    Major major;
    Factor a;
    Factor b;
    bool accumulate;
    bool done;
    Site site;
  };
  // By the last lane of a warp to come, for all of them.
  void begin_products();
  void start(const Product& product);
  void commit_products(const Site& site);
  void wait_for_products(std::size_t groups_left);

 private:
  struct Phase {
    unsigned arrivals = 0;  ///< that end it
    unsigned missing = 0;
    std::int64_t bytes = 0;  ///< announced and not yet there
    unsigned parity = 0;     ///< of the phase under way
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
    std::vector<std::vector<Product>> groups;  ///< not waited for; the last is open
  };
  /// Bytes of shared memory, by their distance from where it begins.
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
  };

  Phase& phase(const Mbarrier* barrier, const Site& site);
  static void end_if_complete(Phase& phase);
  void complete(const Copy& copy);
  bool at_once();
  void finish(std::span<std::vector<Product>> groups);
  void multiply(const Product& product);
  static Range range(const Product& product, bool of_a);
  [[nodiscard]] std::uint16_t value(Factor factor, Major major, unsigned line, unsigned k) const;
  Warp& own_warp();

  Machine& machine_;
  std::map<const Mbarrier*, Phase> phases_;
  std::vector<Copy> copies_;  ///< under way, oldest first
  std::vector<Warp> warps_;
  std::mt19937_64 random_;
};

}  // namespace simt
