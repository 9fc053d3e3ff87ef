// SPDX-License-Identifier: MIT
#include "simt/count.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "simt/machine.hpp"

namespace simt {
namespace {

/// How many passes over its 32 banks of 4 bytes shared memory needs beyond one for every 128 bytes.
/// A pass serves 128 bytes: 32 lanes with up to 4 bytes each, 16 with 8, 8 with 16. In one pass a
/// bank gives one word, to any number of lanes.
std::uint64_t conflicts(const std::array<std::uintptr_t, warp_size>& addresses,
                        const std::array<std::size_t, warp_size>& sizes) {
  constexpr std::size_t word = 4;
  constexpr std::size_t banks = 32;
  const std::size_t widest = std::max(word, *std::max_element(sizes.begin(), sizes.end()));
  const std::size_t at_once = warp_size * word / widest;
  std::uint64_t total = 0;
  for (std::size_t first = 0; first < warp_size; first += at_once) {
    std::set<std::uintptr_t> words;
    for (std::size_t lane = first; lane < std::min(warp_size, first + at_once); ++lane) {
      const std::uintptr_t end = addresses[lane] + sizes[lane];
      for (std::uintptr_t at = addresses[lane] / word; at * word < end; ++at) words.insert(at);
    }
    std::array<std::uint64_t, banks> of_bank{};
    for (const std::uintptr_t each : words) ++of_bank[each % banks];
    const std::uint64_t passes = *std::max_element(of_bank.begin(), of_bank.end());
    if (passes > 1) total += passes - 1;
  }
  return total;
}

void add(Traffic& traffic, const Traffic& other) {
  traffic.requests += other.requests;
  traffic.bytes += other.bytes;
  traffic.sectors += other.sectors;
}

}  // namespace

LaunchCounts Counter::total() const {
  LaunchCounts sum;
  for (const LaunchCounts& launch : launches_) {
    sum.blocks += launch.blocks;
    add(sum.loads, launch.loads);
    add(sum.stores, launch.stores);
    sum.shared_requests += launch.shared_requests;
    sum.bank_conflicts += launch.bank_conflicts;
    sum.barriers += launch.barriers;
  }
  return sum;
}

void Counter::begin_launch(const Grid& grid) {
  LaunchCounts launch;
  launch.kernel = grid.name;
  launch.blocks = grid.blocks.count();
  launch.threads = grid.threads.count();
  launch.shared_bytes = grid.shared_bytes;
  launches_.push_back(std::move(launch));
}

void Counter::access(Space space, bool write, unsigned thread, SiteId site, const void* address,
                     std::size_t size) {
  const std::uint64_t kind = (space == Space::shared ? 2U : 0U) + (write ? 1U : 0U);
  const std::uint64_t instruction = std::uint64_t{site} << 2U | kind;
  const std::uint64_t time = times_[instruction << 10U | thread]++;
  const std::uint64_t key = (instruction << 5U | thread / warp_size) << 24U | time;
  Request& request = open_[key];
  request.space = space;
  request.write = write;
  request.addresses[thread % warp_size] = reinterpret_cast<std::uintptr_t>(address);
  request.sizes[thread % warp_size] = size;
  if (++request.lanes == warp_size) {
    count(request);
    open_.erase(key);
  }
}

void Counter::barrier() {
  ++launches_.back().barriers;
  settle();
}

/// Requests that are still open are those in which some lanes had no part.
void Counter::settle() {
  for (const auto& [key, request] : open_) count(request);
  open_.clear();
  times_.clear();
}

void Counter::count(const Request& request) {
  LaunchCounts& launch = launches_.back();
  if (request.space == Space::shared) {
    ++launch.shared_requests;
    launch.bank_conflicts += conflicts(request.addresses, request.sizes);
    return;
  }
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> ranges;
  for (std::size_t lane = 0; lane < warp_size; ++lane) {
    const std::uintptr_t begin = request.addresses[lane];
    if (request.sizes[lane] > 0) ranges.emplace_back(begin, begin + request.sizes[lane]);
  }
  std::sort(ranges.begin(), ranges.end());
  constexpr std::uintptr_t sector = 32;
  Traffic traffic{1, 0, 0};
  std::uintptr_t bytes_until = 0;
  std::uintptr_t sectors_until = 0;
  for (const auto& [begin, end] : ranges) {
    traffic.bytes += end - std::min(end, std::max(begin, bytes_until));
    bytes_until = std::max(bytes_until, end);
    const std::uintptr_t last = (end + sector - 1) / sector;
    traffic.sectors += last - std::min(last, std::max(begin / sector, sectors_until));
    sectors_until = std::max(sectors_until, last);
  }
  add(request.write ? launch.stores : launch.loads, traffic);
}

}  // namespace simt
