// SPDX-License-Identifier: MIT
#include "simt/memory.hpp"

namespace simt {
namespace {

constexpr unsigned warp_size = 32;

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

std::string Shadow::check(Access access, std::size_t offset, std::size_t size, const Actor& actor,
                          std::uint32_t first_block, SiteId site) {
  const bool atomic = access == Access::atomic;
  const Touch touch{actor, site, atomic};
  for (std::size_t i = offset; i < offset + size; ++i) {
    Cell& cell = cells_[i];
    if (lifetime_ == Lifetime::block && cell.write.actor.block != actor.block) cell.written = false;
    if (cell.pending == actor.block) return "an asynchronous copy to it was not waited for";
    const bool after_write = cell.written && !(atomic && cell.write.atomic) &&
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
    } else {
      const bool read_by_others = concurrent(cell.read.actor, actor, first_block) ||
                                  (cell.several_readers && cell.read.actor.block == actor.block &&
                                   cell.read.actor.block_phase == actor.block_phase &&
                                   cell.read.actor.warp_phase == actor.warp_phase);
      if (read_by_others && !atomic) {
        return race("writes", "reads", cell.read.actor, actor, cell.read.site);
      }
      cell.write = touch;
      cell.written = true;
    }
  }
  return {};
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

std::string Shadow::check_there(std::size_t offset, std::size_t size, std::uint32_t block) const {
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

}  // namespace simt
