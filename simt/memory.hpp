// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "simt/order.hpp"
#include "simt/site.hpp"

namespace simt {

enum class Access : std::uint8_t { read, write, atomic };

/// Who accesses memory, and when.
struct Actor {
  std::uint32_t block = 0;  ///< serial number, never used twice
  Participant participant = 0;
  bool async = false;             ///< through the asynchronous proxy
  std::uint32_t time = 0;         ///< the participant's
  std::uint32_t block_phase = 0;  ///< block barriers passed

  bool operator==(const Actor&) const = default;
};

/// An access, and what it follows.
struct Moment {
  Actor actor;
  const Past* past;
  /// Blocks before it belong to earlier launches: their accesses come before this one.
  std::uint32_t first_block;
  std::span<const Clock> published;  ///< by the blocks from the first one on
  SiteId site;
};

/// Shadow memory: for every byte whether it was ever written, and who accessed it last. Finds reads
/// of what nobody wrote; races: two accesses to one byte, one of them a write, not both atomic, of
/// which neither comes before the other; and accesses through the asynchronous proxy to what a thread
/// accessed, one of them a write, with no proxy fence between them. What it finds does not depend on
/// the order in which threads ran.
class Shadow {
 public:
  enum class Lifetime : std::uint8_t { launch_to_launch, block };

  Shadow(std::size_t size, Lifetime lifetime)
      : cells_((size + granule_ - 1) / granule_), lifetime_(lifetime) {}

  /// Forgets what is known of blocks, which it must where these live as long as a block.
  void begin_block();
  /// Says in `problem` what is wrong with the access, if something is.
  void check(Access access, std::size_t offset, std::size_t size, const Moment& now,
             std::string& problem);
  void mark_written(std::size_t offset, std::size_t size);
  /// An asynchronous copy by this block is under way to these bytes: nothing may touch them. Block
  /// 0 ends it.
  void mark_pending(std::size_t offset, std::size_t size, std::uint32_t block);

 private:
  struct Touch {
    Actor actor;
    SiteId site = 0;
    bool atomic = false;

    bool operator==(const Touch&) const = default;
  };
  struct Cell {
    Touch write;
    Touch read;                 ///< the last one
    std::uint32_t earlier = 0;  ///< in a block's memory: the reads before it, by their number
    std::uint32_t pending = 0;  ///< the block that copies here
    bool written = false;
    bool several_readers = false;  ///< in memory that lives longer

    bool operator==(const Cell&) const = default;
  };
  /// A read, and the number of the one before it; 0 is none. Many bytes have the same ones.
  struct Read {
    Touch touch;
    std::uint32_t earlier;

    bool operator==(const Read&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Read& read) const;
  };

  /// Makes cells so small that the bytes from `offset` on begin and end between two of them.
  void refine(std::size_t offset, std::size_t size);
  std::string check(Cell& cell, const Touch& touch, Access access, const Moment& now);
  void note_read(Cell& cell, const Touch& touch, const Moment& now);
  [[nodiscard]] std::string check_reads(const Cell& cell, const Moment& now) const;
  std::uint32_t number(const Read& read);

  /// The bytes that a cell stands for. Kernels mostly access whole floats: one cell for each is a quarter of the
  /// memory and of the time of one for each byte.
  std::size_t granule_ = 4;
  std::vector<Cell> cells_;
  std::vector<Read> reads_{1};
  std::unordered_map<Read, std::uint32_t, Hash> numbers_;
  Lifetime lifetime_;
};

/// Global memory: every allocation lies between two guards that nothing may touch. Not initialised:
/// filled with bytes that are NaN as numbers.
class DeviceMemory {
 public:
  /// Throws std::bad_alloc when there is no room.
  void* allocate(std::size_t bytes);
  void free(void* data);
  /// Pretends to have no more than this many bytes.
  void set_limit(std::optional<std::size_t> bytes) { limit_ = bytes; }
  [[nodiscard]] std::optional<std::size_t> free_bytes() const;

  /// The host wrote here, by a copy or a memset.
  void mark_written(const void* data, std::size_t bytes);

  /// Whether the address is in an allocation or its guards; then what is wrong is in `problem`.
  bool check(Access access, const void* address, std::size_t size, const Moment& now,
             std::string& problem);

  [[nodiscard]] std::size_t bytes_in_use() const { return in_use_; }

 private:
  static constexpr std::size_t guard = 4096;

  struct Allocation {
    std::unique_ptr<unsigned char[]> bytes;
    std::size_t offset = 0;  ///< of the data, aligned to 256 bytes
    std::size_t size = 0;
    std::unique_ptr<Shadow> shadow;  ///< made at the first access of a traced kernel
    std::vector<std::pair<std::size_t, std::size_t>> written;  ///< before there was a shadow
  };

  Allocation* find(const void* address);

  std::map<const unsigned char*, Allocation> allocations_;  ///< by the first byte of data
  Allocation* recent_ = nullptr;  ///< the one that was found last: most accesses are to it again
  std::size_t in_use_ = 0;
  std::optional<std::size_t> limit_;
};

/// Shared memory of the block that runs: one dynamic array and any number of static ones, with
/// guards between them. As on a GPU it holds garbage when a block begins.
class SharedMemory {
 public:
  static constexpr std::size_t largest = 227U << 10U;  ///< what a block can have on an H100

  SharedMemory();

  void begin_block(std::size_t dynamic_bytes);
  [[nodiscard]] void* dynamic_array() { return arrays_.front().data; }
  /// The same array for every thread that comes to this declaration. Null if it does not fit.
  void* static_array(const Site& site, const char* name, std::size_t bytes);

  /// Says in `problem` what is wrong with an access to an address that it contains.
  void check(Access access, const void* address, std::size_t size, const Moment& now,
             std::string& problem);
  /// What is wrong with the bounds; empty if nothing.
  [[nodiscard]] std::string check_bounds(const void* address, std::size_t size) const;
  void mark_pending(const void* address, std::size_t size, std::uint32_t block);
  [[nodiscard]] bool contains(const void* address) const;
  /// What address 0 stands for, in instructions that take addresses of shared memory as numbers.
  [[nodiscard]] unsigned char* window() const;

 private:
  static constexpr std::size_t guard = 256;
  static constexpr std::size_t arena_size = 2 * largest;
  static constexpr std::size_t alignment = 1024;

  struct Array {
    unsigned char* data = nullptr;
    std::size_t size = 0;
    Site site;
    std::string name;
  };

  Array& add(const Site& site, const char* name, std::size_t bytes);
  [[nodiscard]] const Array& nearest(const unsigned char* address) const;
  [[nodiscard]] std::size_t offset(const void* address) const;
  Shadow& shadow();

  std::unique_ptr<unsigned char[]> arena_;
  std::vector<Array> arrays_;
  std::size_t used_ = 0;
  std::unique_ptr<Shadow> shadow_;  ///< made at the first access of a traced kernel
};

}  // namespace simt
