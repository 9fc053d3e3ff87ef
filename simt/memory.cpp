// SPDX-License-Identifier: MIT
#include "simt/memory.hpp"

#include <algorithm>
#include <cstring>
#include <new>

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

/// Whether nothing orders `now` after `before`.
bool concurrent(const Actor& before, const Actor& now, std::uint32_t first_block) {
  if (before.block < first_block) return false;
  if (before.block != now.block) return true;
  if (before.thread == now.thread || before.block_phase != now.block_phase) return false;
  const bool same_warp = before.thread / warp_size == now.thread / warp_size;
  return !(same_warp && before.warp_phase < now.warp_phase);
}

std::string race(const char* now, const char* before, const Actor& other, const Actor& actor,
                 SiteId site) {
  std::string text = std::string("race: ") + now + " what ";
  text += other.block == actor.block ? "thread " + std::to_string(other.thread) : "another block";
  text += std::string(" ") + before + " at " + to_string(site) + ", with no barrier between them";
  return text;
}

}  // namespace

std::string Shadow::check(Cell& cell, const Touch& touch, Access access, Lifetime lifetime,
                          std::uint32_t first_block) {
  const Actor& actor = touch.actor;
  if (lifetime == Lifetime::block && cell.write.actor.block != actor.block) cell.written = false;
  if (cell.pending == actor.block) return "an asynchronous copy to it was not waited for";
  const bool after_write = cell.written && !(touch.atomic && cell.write.atomic) &&
                           concurrent(cell.write.actor, actor, first_block);
  if (access != Access::write && !cell.written) return "nobody has written it";
  if (after_write) {
    return race(access == Access::read ? "reads" : "writes", "wrote", cell.write.actor, actor,
                cell.write.site);
  }
  if (access == Access::read) {
    const bool others = concurrent(cell.read.actor, actor, first_block);
    cell.several_readers =
        others || (cell.several_readers && cell.read.actor.block == actor.block &&
                   cell.read.actor.block_phase == actor.block_phase);
    cell.read = touch;
    return {};
  }
  const bool read_by_others = concurrent(cell.read.actor, actor, first_block) ||
                              (cell.several_readers && cell.read.actor.block == actor.block &&
                               cell.read.actor.block_phase == actor.block_phase &&
                               cell.read.actor.warp_phase == actor.warp_phase);
  if (read_by_others && !touch.atomic) {
    return race("writes", "reads", cell.read.actor, actor, cell.read.site);
  }
  cell.write = touch;
  cell.written = true;
  return {};
}

void Shadow::check(Access access, std::size_t offset, std::size_t size, const Actor& actor,
                   std::uint32_t first_block, SiteId site, std::string& problem) {
  const Touch touch{actor, site, access == Access::atomic};
  Cell before;  // of the last byte, and what became of it: the next one's fate is mostly the same
  for (std::size_t i = offset; i < offset + size; ++i) {
    if (i > offset && cells_[i] == before) {
      cells_[i] = cells_[i - 1];
      continue;
    }
    before = cells_[i];
    problem = check(cells_[i], touch, access, lifetime_, first_block);
    if (!problem.empty()) return;
  }
}

void Shadow::mark_written(std::size_t offset, std::size_t size) {
  for (std::size_t i = offset; i < offset + size; ++i) {
    cells_[i] = {};
    cells_[i].written = true;
  }
}

void Shadow::mark_arrived(std::size_t offset, std::size_t size, std::uint32_t block) {
  Cell arrived;
  arrived.written = true;
  arrived.write.actor.block = block;
  arrived.write.actor.block_phase = ~0U;  // no thread's
  for (std::size_t i = offset; i < offset + size; ++i) cells_[i] = arrived;
}

std::string Shadow::check_arrived(std::size_t offset, std::size_t size, std::uint32_t block) const {
  for (std::size_t i = offset; i < offset + size; ++i) {
    const Cell& cell = cells_[i];
    if (cell.pending == block) return "an asynchronous copy to it was not waited for";
    if (!cell.written || cell.write.actor.block != block) return "nobody has written it";
  }
  return {};
}

void Shadow::mark_pending(std::size_t offset, std::size_t size, std::uint32_t block) {
  for (std::size_t i = offset; i < offset + size; ++i) cells_[i].pending = block;
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

bool DeviceMemory::check(Access access, const void* address, std::size_t size, const Actor& actor,
                         std::uint32_t first_block, SiteId site, std::string& problem) {
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
  allocation->shadow->check(access, static_cast<std::size_t>(byte - data), size, actor, first_block,
                            site, problem);
  return true;
}

SharedMemory::SharedMemory() : arena_(std::make_unique_for_overwrite<unsigned char[]>(arena_size)) {
  poison(arena_.get(), arena_size);
  begin_block(0);
}

void SharedMemory::begin_block(std::size_t dynamic_bytes) {
  if (!arrays_.empty()) poison(arena_.get(), used_);
  arrays_.clear();
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

void SharedMemory::check(Access access, const void* address, std::size_t size, const Actor& actor,
                         SiteId site, std::string& problem) {
  problem = check_bounds(address, size);
  if (!problem.empty()) return;
  shadow().check(access, offset(address), size, actor, actor.block, site, problem);
  if (!problem.empty()) {
    problem += " (" + nearest(static_cast<const unsigned char*>(address)).name + ")";
  }
}

void SharedMemory::mark_arrived(const void* address, std::size_t size, std::uint32_t block) {
  shadow().mark_arrived(offset(address), size, block);
}

std::string SharedMemory::check_arrived(const void* address, std::size_t size,
                                        std::uint32_t block) {
  const std::string problem = check_bounds(address, size);
  return problem.empty() ? shadow().check_arrived(offset(address), size, block) : problem;
}

void SharedMemory::mark_pending(const void* address, std::size_t size, std::uint32_t block) {
  shadow().mark_pending(offset(address), size, block);
}

}  // namespace simt
