// SPDX-License-Identifier: MIT
#include "simt/memory.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "simt/sanitizer.hpp"

namespace simt {
namespace {

/// NaN as float, bfloat16 and float16, −1 as an integer.
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

}  // namespace

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
  allocations_.erase(found);
}

DeviceMemory::Allocation* DeviceMemory::find(const void* address) {
  const auto* byte = static_cast<const unsigned char*>(address);
  auto next = allocations_.upper_bound(byte + guard);
  if (next == allocations_.begin()) return nullptr;
  Allocation& allocation = (--next)->second;
  const unsigned char* data = next->first;
  return byte < data + allocation.size + guard ? &allocation : nullptr;
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
  problem = allocation->shadow->check(access, static_cast<std::size_t>(byte - data), size, actor,
                                      first_block, site);
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

bool SharedMemory::check(Access access, const void* address, std::size_t size, const Actor& actor,
                         SiteId site, std::string& problem) {
  if (!contains(address)) return false;
  problem = check_bounds(address, size);
  if (!problem.empty()) return true;
  problem = shadow().check(access, offset(address), size, actor, actor.block, site);
  if (!problem.empty()) {
    problem += " (" + nearest(static_cast<const unsigned char*>(address)).name + ")";
  }
  return true;
}

void SharedMemory::mark_arrived(const void* address, std::size_t size, std::uint32_t block) {
  shadow().mark_arrived(offset(address), size, block);
}

std::string SharedMemory::check_there(const void* address, std::size_t size, std::uint32_t block) {
  const std::string problem = check_bounds(address, size);
  return problem.empty() ? shadow().check_there(offset(address), size, block) : problem;
}

void SharedMemory::mark_pending(const void* address, std::size_t size, std::uint32_t block) {
  shadow().mark_pending(offset(address), size, block);
}

}  // namespace simt
