// SPDX-License-Identifier: MIT
#include "simt/memory.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "simt/count.hpp"
#include "simt/sanitizer.hpp"

namespace simt {
namespace {

/// Fills fresh memory: NaN as float, bfloat16 and float16, −1 as an integer.
constexpr int rubbish = 0xFF;

std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::string distance(const unsigned char* address, std::size_t bytes, const unsigned char* data,
                     std::size_t size) {
  if (address < data) return std::to_string(data - address) + " bytes before ";
  const auto past = static_cast<std::size_t>(address - data) + bytes - size;
  return std::to_string(past) + " bytes past the end of ";
}

enum class Ordered : std::uint8_t { yes, without_fence, no };

/// Whether `before` comes before `now`.
Ordered ordered(const Actor& before, const Moment& now) {
  if (before.block < now.first_block) return Ordered::yes;
  if (before.block != now.actor.block) {
    const std::size_t index = before.block - now.first_block;
    const bool known = now.past->published && index < now.published.size() &&
                       now.published[index].of(before.participant) > before.time;
    return known ? Ordered::yes : Ordered::no;
  }
  if (before.participant == now.actor.participant && !before.async) return Ordered::yes;
  if (now.past->steps.of(before.participant) <= before.time) return Ordered::no;
  // The end of what goes through the asynchronous proxy is a fence.
  const bool fenced =
      before.async || !now.actor.async || now.past->fenced.of(before.participant) > before.time;
  return fenced ? Ordered::yes : Ordered::without_fence;
}

/// What is wrong with `does` now, where somebody `did` something to the same byte before.
std::string complaint(Ordered order, const Actor& before, Access did, SiteId site, Access does,
                      const Moment& now) {
  std::string text = order == Ordered::no ? "race: " : "proxies: ";
  text += does == Access::read ? "reads" : "writes";
  text += " what ";
  if (before.block != now.actor.block) {
    text += "another block";
  } else if (!before.async) {
    text += "thread " + std::to_string(before.participant);
  } else {
    text += did == Access::read ? "a product" : "a load by TMA";
  }
  text += (did == Access::read ? " reads at " : " wrote at ") + to_string(site);
  text += order == Ordered::no ? ", with no barrier between them"
                               : ", with no fence.proxy.async between them";
  return text;
}

}  // namespace

std::size_t Shadow::Hash::operator()(const Read& read) const {
  const Actor& actor = read.touch.actor;
  std::size_t hash = actor.participant;
  for (const std::uint32_t part : {actor.time, read.touch.site, read.earlier}) {
    hash = (hash ^ part) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32U;
  }
  return hash;
}

std::uint32_t Shadow::number(const Read& read) {
  const auto [found, is_new] =
      numbers_.try_emplace(read, static_cast<std::uint32_t>(reads_.size()));
  if (is_new) reads_.push_back(read);
  return found->second;
}

void Shadow::begin_block() {
  reads_.resize(1);
  numbers_.clear();
}

void Shadow::note_read(Cell& cell, const Touch& touch, const Moment& now) {
  const Actor& last = cell.read.actor;
  if (lifetime_ == Lifetime::block) {
    const bool own = last.block == touch.actor.block && last.participant == touch.actor.participant;
    if (!own) {
      // Whoever comes after this read comes after those that it follows.
      bool follows = ordered(last, now) == Ordered::yes;
      for (std::uint32_t i = cell.earlier; follows && i != 0; i = reads_[i].earlier) {
        follows = ordered(reads_[i].touch.actor, now) == Ordered::yes;
      }
      cell.earlier = follows ? 0 : number({cell.read, cell.earlier});
    }
  } else {
    cell.several_readers = ordered(last, now) == Ordered::no ||
                           (cell.several_readers && last.block == touch.actor.block &&
                            last.block_phase == touch.actor.block_phase);
  }
  cell.read = touch;
}

std::string Shadow::check_reads(const Cell& cell, const Moment& now) const {
  const auto check = [&](const Touch& read) -> std::string {
    const Ordered order = ordered(read.actor, now);
    if (order == Ordered::yes) return {};
    return complaint(order, read.actor, Access::read, read.site, Access::write, now);
  };
  std::string problem = check(cell.read);
  for (std::uint32_t i = cell.earlier; problem.empty() && i != 0; i = reads_[i].earlier) {
    problem = check(reads_[i].touch);
  }
  const Actor& last = cell.read.actor;
  if (problem.empty() && cell.several_readers && last.block == now.actor.block &&
      last.participant == now.actor.participant && last.time == now.actor.time) {
    problem = complaint(Ordered::no, last, Access::read, cell.read.site, Access::write, now);
  }
  return problem;
}

std::string Shadow::check(Cell& cell, const Touch& touch, Access access, const Moment& now) {
  if (lifetime_ == Lifetime::block && cell.write.actor.block != now.actor.block) {
    cell.written = false;
    cell.earlier = 0;
  }
  if (cell.pending == now.actor.block) return "an asynchronous copy to it was not waited for";
  if (access != Access::write && !cell.written) return "nobody has written it";
  if (cell.written && !(touch.atomic && cell.write.atomic)) {
    const Ordered order = ordered(cell.write.actor, now);
    if (order != Ordered::yes) {
      return complaint(order, cell.write.actor, Access::write, cell.write.site, access, now);
    }
  }
  if (access == Access::read) {
    note_read(cell, touch, now);
    return {};
  }
  if (!touch.atomic) {
    if (std::string problem = check_reads(cell, now); !problem.empty()) return problem;
    if (lifetime_ == Lifetime::block) {
      cell.read = {};
      cell.earlier = 0;
    }
  }
  cell.write = touch;
  cell.written = true;
  return {};
}

void Shadow::refine(std::size_t offset, std::size_t size) {
  if ((offset | size) % granule_ == 0) return;
  const std::size_t granule = std::size_t{1} << std::countr_zero(offset | size);
  std::vector<Cell> cells;
  cells.reserve(cells_.size() * (granule_ / granule));
  for (const Cell& cell : cells_) cells.insert(cells.end(), granule_ / granule, cell);
  cells_ = std::move(cells);
  granule_ = granule;
}

void Shadow::check(Access access, std::size_t offset, std::size_t size, const Moment& now,
                   std::string& problem) {
  refine(offset, size);
  const Touch touch{now.actor, now.site, access == Access::atomic};
  Cell before;  // of the last cell, and what became of it: the next one's fate is mostly the same
  const std::size_t first = offset / granule_;
  for (std::size_t i = first; i < (offset + size) / granule_; ++i) {
    if (i > first && cells_[i] == before) {
      cells_[i] = cells_[i - 1];
      continue;
    }
    before = cells_[i];
    problem = check(cells_[i], touch, access, now);
    if (!problem.empty()) return;
  }
}

void Shadow::mark_written(std::size_t offset, std::size_t size) {
  refine(offset, size);
  for (std::size_t i = offset / granule_; i < (offset + size) / granule_; ++i) {
    cells_[i] = {};
    cells_[i].written = true;
  }
}

void Shadow::mark_pending(std::size_t offset, std::size_t size, std::uint32_t block) {
  refine(offset, size);
  for (std::size_t i = offset / granule_; i < (offset + size) / granule_; ++i) {
    cells_[i].pending = block;
  }
}

void* DeviceMemory::allocate(std::size_t bytes) {
  constexpr std::size_t alignment = 256;
  if (const auto room = free_bytes(); room && bytes > *room) throw std::bad_alloc();
  Allocation allocation;
  allocation.bytes = std::make_unique_for_overwrite<unsigned char[]>(bytes + 2 * guard + alignment);
  unsigned char* begin = allocation.bytes.get();
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  allocation.offset = round_up(address + guard, alignment) - address;
  allocation.size = bytes;
  unsigned char* data = begin + allocation.offset;
  std::memset(begin, rubbish, bytes + 2 * guard + alignment);
  poison(data - guard, guard);
  poison(data + bytes, guard);
  in_use_ += bytes;
  allocations_[data] = std::move(allocation);
  return data;
}

std::optional<std::size_t> DeviceMemory::free_bytes() const {
  if (!limit_) return std::nullopt;
  return *limit_ - std::min(in_use_, *limit_);
}

void DeviceMemory::free(void* data) {
  const auto found = allocations_.find(static_cast<unsigned char*>(data));
  if (found == allocations_.end()) return;
  Allocation& allocation = found->second;
  unpoison(allocation.bytes.get(), allocation.offset + allocation.size + guard);
  in_use_ -= allocation.size;
  recent_ = nullptr;
  allocations_.erase(found);
}

DeviceMemory::Allocation* DeviceMemory::find(const void* address) {
  const auto* byte = static_cast<const unsigned char*>(address);
  if (recent_ != nullptr) {
    const unsigned char* data = recent_->bytes.get() + recent_->offset;
    if (byte + guard >= data && byte < data + recent_->size + guard) return recent_;
  }
  auto next = allocations_.upper_bound(byte + guard);
  if (next == allocations_.begin()) return nullptr;
  Allocation& allocation = (--next)->second;
  const unsigned char* data = next->first;
  if (byte >= data + allocation.size + guard) return nullptr;
  return recent_ = &allocation;
}

void DeviceMemory::mark_written(const void* data, std::size_t bytes) {
  Allocation* allocation = find(data);
  if (allocation == nullptr) return;
  const unsigned char* begin = allocation->bytes.get() + allocation->offset;
  const auto offset = static_cast<std::size_t>(static_cast<const unsigned char*>(data) - begin);
  if (allocation->shadow) {
    allocation->shadow->mark_written(offset, bytes);
  } else {
    allocation->written.emplace_back(offset, bytes);
  }
}

bool DeviceMemory::check(Access access, const void* address, std::size_t size, const Moment& now,
                         std::string& problem) {
  Allocation* allocation = find(address);
  if (allocation == nullptr) return false;
  const unsigned char* data = allocation->bytes.get() + allocation->offset;
  const auto* byte = static_cast<const unsigned char*>(address);
  if (byte < data || byte + size > data + allocation->size) {
    problem = "out of bounds: " + distance(byte, size, data, allocation->size) +
              "global memory of " + std::to_string(allocation->size) + " bytes";
    return true;
  }
  if (!allocation->shadow) {
    allocation->shadow =
        std::make_unique<Shadow>(allocation->size, Shadow::Lifetime::launch_to_launch);
    for (const auto& [offset, bytes] : allocation->written) {
      allocation->shadow->mark_written(offset, bytes);
    }
    allocation->written.clear();
  }
  allocation->shadow->check(access, static_cast<std::size_t>(byte - data), size, now, problem);
  return true;
}

SharedMemory::SharedMemory() : arena_(std::make_unique_for_overwrite<unsigned char[]>(arena_size)) {
  poison(arena_.get(), arena_size);
  begin_block(0);
}

void SharedMemory::begin_block(std::size_t dynamic_bytes) {
  if (!arrays_.empty()) poison(arena_.get(), used_);
  arrays_.clear();
  if (shadow_) shadow_->begin_block();
  used_ = guard;
  add({}, "the dynamic shared memory", dynamic_bytes);
}

SharedMemory::Array& SharedMemory::add(const Site& site, const char* name, std::size_t bytes) {
  const auto base = reinterpret_cast<std::uintptr_t>(arena_.get());
  unsigned char* data = arena_.get() + round_up(base + used_, alignment) - base;
  unpoison(data, bytes);
  std::memset(data, rubbish, bytes);
  used_ = offset(data) + bytes + guard;
  return arrays_.emplace_back(Array{data, bytes, site, name});
}

void* SharedMemory::static_array(const Site& site, const char* name, std::size_t bytes) {
  for (const Array& array : arrays_) {
    if (array.site.file == site.file && array.site.line == site.line && array.name == name) {
      return array.data;
    }
  }
  std::size_t total = bytes;
  for (const Array& array : arrays_) total += array.size;
  return total > largest ? nullptr : add(site, name, bytes).data;
}

unsigned char* SharedMemory::window() const {
  const auto base = reinterpret_cast<std::uintptr_t>(arena_.get());
  return arena_.get() + round_up(base, alignment) - base;
}

bool SharedMemory::contains(const void* address) const {
  const auto* byte = static_cast<const unsigned char*>(address);
  return byte >= arena_.get() && byte < arena_.get() + arena_size;
}

std::size_t SharedMemory::offset(const void* address) const {
  return static_cast<std::size_t>(static_cast<const unsigned char*>(address) - arena_.get());
}

const SharedMemory::Array& SharedMemory::nearest(const unsigned char* address) const {
  const auto after = std::find_if(arrays_.begin(), arrays_.end(), [&](const Array& array) {
    return array.data > address + guard / 2;
  });
  return after == arrays_.begin() ? arrays_.front() : *(after - 1);
}

std::string SharedMemory::check_bounds(const void* address, std::size_t size) const {
  const auto* byte = static_cast<const unsigned char*>(address);
  const Array& array = nearest(byte);
  if (byte >= array.data && byte + size <= array.data + array.size) return {};
  return "out of bounds: " + distance(byte, size, array.data, array.size) + array.name + ", " +
         std::to_string(array.size) + " bytes of shared memory";
}

Shadow& SharedMemory::shadow() {
  if (!shadow_) shadow_ = std::make_unique<Shadow>(arena_size, Shadow::Lifetime::block);
  return *shadow_;
}

void SharedMemory::check(Access access, const void* address, std::size_t size, const Moment& now,
                         std::string& problem) {
  problem = check_bounds(address, size);
  if (!problem.empty()) return;
  shadow().check(access, offset(address), size, now, problem);
  if (!problem.empty()) {
    problem += " (" + nearest(static_cast<const unsigned char*>(address)).name + ")";
  }
}

void SharedMemory::mark_pending(const void* address, std::size_t size, std::uint32_t block) {
  shadow().mark_pending(offset(address), size, block);
}

}  // namespace simt
