// SPDX-License-Identifier: MIT
// What threads, and copies under way, do to memory.
#include <cstring>

#include "simt/machine.hpp"

namespace simt {

void* Machine::dynamic_shared(const Site& site) {
  if (grid_.shared_bytes == 0) {
    fail("dynamic shared memory, and the launch gave none", to_string(site));
  }
  return shared_memory_.dynamic_array();
}

void* Machine::static_shared(const Site& site, const char* name, std::size_t bytes) {
  const Unseen unseen;
  void* data = shared_memory_.static_array(site, name, bytes);
  if (data == nullptr) {
    fail(std::string(name) + ": " + std::to_string(bytes) +
             " more bytes of shared memory do not fit",
         to_string(site));
  }
  return data;
}

Actor Machine::actor() const {
  return {serial_, static_cast<std::uint16_t>(current_->id), current_->block_phase,
          current_->warp_phase};
}

void Machine::check(Access access, const void* address, std::size_t size, SiteId site) {
  if (!traced_ || current_ == nullptr) return;
  const std::optional<Space> space = hold(access, address, size, site);
  if (!space || counter_ == nullptr) return;
  if (access != Access::write) {
    counter_->access(*space, false, current_->id, site, address, size);
  }
  if (access != Access::read) counter_->access(*space, true, current_->id, site, address, size);
}

std::optional<Space> Machine::hold(Access access, const void* address, std::size_t size,
                                   SiteId site) {
  if (access == Access::atomic && fenced_) acquired_ = true;
  // Blocks run one after another: those before this one have published what they wrote.
  const std::uint32_t first = acquired_ ? serial_ : first_block_;
  std::string problem;
  std::optional<Space> space;
  if (shared_memory_.check(access, address, size, actor(), site, problem)) {
    space = Space::shared;
  } else if (device_memory_.check(access, address, size, actor(), first, site, problem)) {
    space = Space::global;
  }
  if (problem.empty()) return space;
  const char* verb = access == Access::read ? "read" : "write";
  fail(std::string(verb) + " of " + std::to_string(size) + " bytes: " + problem, to_string(site));
}

void Machine::check(Access access, const void* address, std::size_t size, const Site& site) {
  if (traced_) check(access, address, size, site_id(site));
}

void Machine::check(Access access, const void* address, std::size_t size, const void* instruction) {
  if (traced_) check(access, address, size, site_id(instruction));
}

void Machine::copy_later(void* to, const void* from, std::size_t size, std::size_t bytes,
                         const Site& site) {
  const auto misaligned = [&](const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) % size != 0;
  };
  if (misaligned(to) || (bytes > 0 && misaligned(from))) {
    fail("cp.async of " + std::to_string(size) +
             " bytes with an address that is no multiple of them",
         to_string(site));
  }
  if (!shared_memory_.contains(to)) fail("cp.async not to shared memory", to_string(site));
  if (bytes > 0) check(Access::read, from, bytes, site);
  check(Access::write, to, size, site);
  if (traced_) shared_memory_.mark_pending(to, size, serial_);
  current_->copies.back().push_back({to, from, size, bytes, site});
}

void Machine::commit_copies() { current_->copies.emplace_back(); }

void Machine::wait_for_copies(std::size_t groups_left) {
  auto& groups = current_->copies;
  while (groups.size() > groups_left + 1) {
    for (const Copy& copy : groups.front()) complete(copy);
    groups.erase(groups.begin());
  }
}

void Machine::complete(const Copy& copy) {
  if (traced_) shared_memory_.mark_pending(copy.to, copy.size, 0);
  {
    const Unseen unseen;
    if (copy.bytes > 0) std::memcpy(copy.to, copy.from, copy.bytes);
    std::memset(static_cast<char*>(copy.to) + copy.bytes, 0, copy.size - copy.bytes);
  }
  if (traced_) hold(Access::write, copy.to, copy.size, site_id(copy.site));
}

std::uint64_t Machine::shared_address(const void* address, std::size_t size, const Site& site) {
  if (!shared_memory_.contains(address)) fail("an address not in shared memory", to_string(site));
  const std::string problem = shared_memory_.check_bounds(address, size);
  if (!problem.empty()) fail(problem, to_string(site));
  return static_cast<std::uint64_t>(static_cast<const unsigned char*>(address) - shared_window());
}

void Machine::begin_copy(void* to, std::size_t size) {
  if (traced_) shared_memory_.mark_pending(to, size, serial_);
}

void Machine::end_copy(void* to, std::size_t size) {
  if (traced_) shared_memory_.mark_arrived(to, size, serial_);
}

void Machine::check_there(std::uint64_t shared_address, std::size_t size, const Site& site) {
  if (!traced_) return;
  const std::string problem =
      shared_memory_.check_there(shared_window() + shared_address, size, serial_);
  if (!problem.empty()) {
    fail("read of " + std::to_string(size) + " bytes by a product: " + problem, to_string(site));
  }
}

}  // namespace simt
