// SPDX-License-Identifier: MIT
#include "simt/async.hpp"

#include <algorithm>
#include <cstring>

#include "simt/half.hpp"
#include "simt/machine.hpp"

namespace simt {
namespace {

constexpr std::uint64_t row_bytes = 128;       // of a tile
constexpr std::uint64_t swizzle_bytes = 1024;  // after which the swizzle repeats
constexpr unsigned product_rows = 64;
constexpr unsigned product_depth = 16;

/// Where a byte of a tile goes: the 16-byte chunks of its row are swizzled.
std::uint64_t swizzled(std::uint64_t address) { return address ^ (address / row_bytes % 8 * 16); }

std::uint64_t field(MatrixDescriptor factor, unsigned first_bit) {
  return (factor.bits >> first_bit & 0x3fffU) * 16;
}

std::uint64_t box_rows(const TensorBox& shape) {
  return std::uint64_t{shape.box[1]} * shape.box[2];
}

}  // namespace

TensorMap make_tensor_map(const void* data, Element /*element*/, const TensorBox& shape) {
  const auto refuse = [](const std::string& what) { throw Error("tensor map: " + what); };
  if (reinterpret_cast<std::uintptr_t>(data) % 16 != 0) refuse("data not aligned to 16 bytes");
  if (shape.size[0] * element_bytes % 16 != 0) {
    refuse("rows of " + std::to_string(shape.size[0]) + " values, no multiple of 16 bytes");
  }
  for (const std::uint64_t size : shape.size) {
    if (size == 0 || size > std::uint64_t{1} << 32U) refuse("a size out of 1 to 2^32");
  }
  for (const std::uint32_t extent : shape.box) {
    if (extent == 0 || extent > 256) refuse("a box of more than 256 values along one side");
  }
  if (shape.box[0] * element_bytes != row_bytes) refuse("expected a box whose rows have 128 bytes");
  return {data, shape};
}

void Async::begin_block(std::size_t warps) {
  phases_.clear();
  copies_.clear();
  warps_.assign(warps, {});
  random_.seed(machine_.schedule().seed);
}

std::string Async::left_under_way() const {
  if (!copies_.empty()) return to_string(copies_.front().site) + ": nobody waited for this copy";
  for (const Warp& warp : warps_) {
    for (const auto& group : warp.groups) {
      if (!group.empty()) return to_string(group.front().site) + ": nobody waited for this product";
    }
  }
  return {};
}

bool Async::at_once() {
  switch (machine_.schedule().order) {
    case Schedule::Order::forward: return false;
    case Schedule::Order::reverse: return true;
    case Schedule::Order::random: break;
  }
  return random_() % 2 == 0;
}

// Barriers.

Async::Phase& Async::phase(const Mbarrier* barrier, const Site& site) {
  const auto found = phases_.find(barrier);
  if (found == phases_.end()) machine_.fail("an mbarrier without init", to_string(site));
  Phase& phase = found->second;
  const Participant thread = machine_.thread();
  if (machine_.traced() && phase.maker != thread &&
      machine_.order().past(thread).steps.of(phase.maker) <= phase.made_at) {
    machine_.fail("race: an mbarrier that thread " + std::to_string(phase.maker) +
                      " makes, with no barrier between them",
                  to_string(site));
  }
  return phase;
}

void Async::end_if_complete(Phase& phase) {
  if (phase.missing > 0 || phase.bytes != 0) return;
  phase.missing = phase.arrivals;
  ++phase.completed;
  if (!machine_.traced()) return;
  phase.gathered.steps.raise(phase.loads, phase.completed);
  phase.released = phase.gathered;
}

void Async::init(const Mbarrier* barrier, unsigned arrivals, const Site& site) {
  if (phases_.contains(barrier)) machine_.fail("init of an mbarrier in use", to_string(site));
  Phase& phase = phases_[barrier];
  phase.arrivals = phase.missing = arrivals;
  phase.maker = machine_.thread();
  phase.made_at = machine_.order().time(phase.maker);
  phase.loads = machine_.order().add();
}

void Async::fence_barriers() {
  for (auto& [barrier, phase] : phases_) {
    if (phase.maker == machine_.thread()) phase.visible = true;
  }
}

void Async::arrive(const Mbarrier* barrier, unsigned bytes, const Site& site) {
  Phase& own = phase(barrier, site);
  if (own.missing == 0) {
    machine_.fail("mbarrier: more arrive than the " + std::to_string(own.arrivals) + " of its init",
                  to_string(site));
  }
  --own.missing;
  own.bytes += bytes;
  if (machine_.traced()) machine_.order().release(machine_.thread(), own.gathered);
  end_if_complete(own);
}

bool Async::has_ended(const Mbarrier* barrier, unsigned parity, const Site& site) {
  const Phase& own = phase(barrier, site);
  if (machine_.traced()) {
    // The phase that the thread means is the next one after those whose end it knows, or the last of these.
    const std::int64_t known = machine_.order().past(machine_.thread()).steps.of(own.loads);
    const std::int64_t meant = known % 2 == parity ? known : known - 1;
    if (own.completed > meant + 1) {
      machine_.fail(
          "a wait for a phase after which another has ended: its parity is that of the next",
          to_string(site));
    }
  }
  return ended(barrier, parity);
}

bool Async::ended(const Mbarrier* barrier, unsigned parity) const {
  return phases_.at(barrier).completed % 2 != parity;
}

void Async::acquire(const Mbarrier* barrier) {
  if (machine_.traced()) machine_.order().acquire(machine_.thread(), phases_.at(barrier).released);
}

// Copies.

void Async::copy(void* tile, const TensorMap& tensor, const std::array<int, 3>& at,
                 const Mbarrier* arrives_at, const Site& site) {
  const Phase& arrival = phase(arrives_at, site);
  if (!arrival.visible) {
    machine_.fail("a load that arrives at an mbarrier without fence_barriers after its init",
                  to_string(site));
  }
  auto* to = static_cast<unsigned char*>(tile);
  const std::uint64_t bytes = row_bytes * box_rows(tensor.shape);
  const std::uint64_t address = machine_.shared_address(to, bytes, site);
  if (address % swizzle_bytes != 0) {
    machine_.fail("a tile that does not begin at a multiple of 1024 bytes", to_string(site));
  }
  for (const Warp& warp : warps_) {
    for (const auto& group : warp.groups) {
      for (const Product& product : group) {
        for (const bool of_a : {true, false}) {
          const Range read = range(product, of_a);
          if (address < read.end && read.begin < address + bytes) {
            machine_.fail("a copy to what a product reads that nobody has waited for, of " +
                              to_string(product.site),
                          to_string(site));
          }
        }
      }
    }
  }
  if (machine_.traced()) {
    machine_.begin_copy(to, bytes, arrival.loads, arrival.completed, site);
  }
  copies_.push_back({to, tensor, at, arrives_at, site});
  // Checked now: later the load is no thread's access.
  const auto& [size, box] = tensor.shape;
  for (std::uint64_t row = 0; row < box_rows(tensor.shape); ++row) {
    const auto y = static_cast<std::int64_t>(row % box[1]) + at[1];
    const auto z = static_cast<std::int64_t>(row / box[1]) + at[2];
    const auto begin = std::max<std::int64_t>(at[0], 0);
    const auto end =
        std::min<std::int64_t>(at[0] + std::int64_t{box[0]}, static_cast<std::int64_t>(size[0]));
    const bool inside = y >= 0 && y < static_cast<std::int64_t>(size[1]) && z >= 0 &&
                        z < static_cast<std::int64_t>(size[2]) && begin < end;
    if (!inside) continue;
    const auto first =
        (z * static_cast<std::int64_t>(size[1]) + y) * static_cast<std::int64_t>(size[0]) + begin;
    machine_.check(
        Access::read,
        static_cast<const unsigned char*>(tensor.data) + first * std::int64_t{element_bytes},
        static_cast<std::size_t>(end - begin) * element_bytes, site);
  }
  if (at_once()) {
    const Copy now = copies_.back();
    copies_.pop_back();
    complete(now);
  }
}

bool Async::complete_one() {
  if (copies_.empty()) return false;
  const bool any = machine_.schedule().order == Schedule::Order::random;
  const auto chosen =
      copies_.begin() + static_cast<std::ptrdiff_t>(any ? random_() % copies_.size() : 0);
  const Copy copy = *chosen;
  copies_.erase(chosen);
  complete(copy);
  return true;
}

void Async::complete(const Copy& copy) {
  const auto& size = copy.tensor.shape.size;
  const auto& box = copy.tensor.shape.box;
  const std::uint64_t bytes = row_bytes * box_rows(copy.tensor.shape);
  const auto inside = [&](std::int64_t index, int dimension) {
    return index >= 0 &&
           index < static_cast<std::int64_t>(size[static_cast<std::size_t>(dimension)]);
  };
  const auto* data = static_cast<const unsigned char*>(copy.tensor.data);
  for (std::uint64_t at = 0; at < bytes; at += element_bytes) {
    const auto x = copy.at[0] + static_cast<std::int64_t>(at % row_bytes / element_bytes);
    const auto y = copy.at[1] + static_cast<std::int64_t>(at / row_bytes % box[1]);
    const auto z = copy.at[2] + static_cast<std::int64_t>(at / row_bytes / box[1]);
    // The tile begins where the swizzle does.
    unsigned char* to = copy.tile + swizzled(at);
    if (inside(x, 0) && inside(y, 1) && inside(z, 2)) {
      const std::int64_t from =
          (z * static_cast<std::int64_t>(size[1]) + y) * static_cast<std::int64_t>(size[0]) + x;
      std::memcpy(to, data + from * std::int64_t{element_bytes}, element_bytes);
    } else {
      std::memset(to, 0, element_bytes);
    }
  }
  if (machine_.traced()) machine_.end_copy(copy.tile, bytes);
  Phase& phase = phases_.at(copy.arrives_at);
  phase.bytes -= static_cast<std::int64_t>(bytes);
  end_if_complete(phase);
}

// Products.

Async::Warp& Async::own_warp() {
  Warp& warp = warps_[machine_.warp()];
  if (warp.groups.empty()) warp.groups.emplace_back();
  return warp;
}

void Async::wgmma_fence() { own_warp().begun = true; }

void Async::start(const Product& product) {
  Warp& warp = own_warp();
  if (!warp.begun) machine_.fail("wgmma without wgmma.fence before it", to_string(product.site));
  if (machine_.traced()) {
    const unsigned first_lane = machine_.warp() * 32;
    Past past = machine_.order().whole_past(static_cast<Participant>(first_lane));
    for (unsigned lane = 1; lane < 32; ++lane) {
      past.meet(machine_.order().whole_past(static_cast<Participant>(first_lane + lane)));
    }
    for (const bool of_a : {true, false}) {
      const Range read = range(product, of_a);
      machine_.check_product(read.begin, read.end - read.begin, past, product.site);
    }
  }
  warp.groups.back().push_back(product);
  if (at_once()) finish(warp.groups);
}

void Async::finish(std::span<std::vector<Product>> groups) {
  for (auto& group : groups) {
    for (Product& product : group) {
      if (!product.done) multiply(product);
      product.done = true;
    }
  }
}

void Async::wgmma_commit_group(const Site& site) {
  Warp& warp = own_warp();
  if (warp.groups.back().empty()) machine_.fail("wgmma.commit_group of none", to_string(site));
  warp.groups.emplace_back();
  warp.begun = false;
  machine_.order().step(machine_.order().products(machine_.warp()));
}

void Async::wgmma_wait_group(std::size_t groups_left) {
  Warp& warp = own_warp();
  auto& groups = warp.groups;
  if (groups.size() <= groups_left + 1) return;
  const auto waited = static_cast<std::ptrdiff_t>(groups.size() - groups_left - 1);
  finish({groups.begin(), groups.begin() + waited});
  groups.erase(groups.begin(), groups.begin() + waited);
  warp.waited += static_cast<std::uint32_t>(waited);
  if (!machine_.traced()) return;
  Order& order = machine_.order();
  for (unsigned lane = 0; lane < 32; ++lane) {
    order.learn(static_cast<Participant>(machine_.warp() * 32 + lane),
                order.products(machine_.warp()), warp.waited);
  }
}

/// From its first byte to its last; tiles have no gaps.
Async::Range Async::range(const Product& product, bool of_a) {
  const MatrixDescriptor factor = of_a ? product.a : product.b;
  const auto lines = of_a ? product_rows : static_cast<unsigned>(product.columns);
  const std::uint64_t begin = field(factor, 0) / row_bytes * row_bytes;
  const std::uint64_t rows = product.major == Major::k ? lines : product_depth;
  const std::uint64_t last =
      product.major == Major::k ? 0 : (lines / product_rows - 1) * field(factor, 16);
  return {begin, begin + last + rows * row_bytes};
}

/// The bits of A[line][k], or of B[k][line].
std::uint16_t Async::value(MatrixDescriptor factor, Major major, unsigned line, unsigned k) const {
  std::uint64_t address = field(factor, 0);
  if (major == Major::k) {
    address += line / 8 * field(factor, 32) + line % 8 * row_bytes + k * element_bytes;
  } else {
    address += line / 64 * field(factor, 16) + k / 8 * field(factor, 32) + k % 8 * row_bytes +
               line % 64 * element_bytes;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, machine_.shared_window() + swizzled(address), sizeof(bits));
  return bits;
}

void Async::multiply(const Product& product) {
  const auto decode = product.element == Element::bf16 ? &bfloat_to_float : &half_to_float;
  const unsigned first_row = machine_.warp() % 4 * 16;
  std::array<std::array<float, product_depth>, 16> A{};
  for (unsigned row = 0; row < 16; ++row) {
    for (unsigned k = 0; k < product_depth; ++k) {
      A[row][k] = decode(value(product.a, product.major, first_row + row, k));
    }
  }
  std::array<double, product_depth> products{};
  for (unsigned column = 0; column < static_cast<unsigned>(product.columns); ++column) {
    std::array<float, product_depth> B{};
    for (unsigned k = 0; k < product_depth; ++k) {
      B[k] = decode(value(product.b, product.major, column, k));
    }
    for (unsigned row = 0; row < 16; ++row) {
      const unsigned lane = row % 8 * 4 + column % 8 / 2;
      float& d = product.d[lane][column / 8 * 4 + row / 8 * 2 + column % 2];
      for (unsigned k = 0; k < product_depth; ++k) {
        products[k] = static_cast<double>(A[row][k]) * B[k];
      }
      d = machine_.tensor_core_sum().add(product.accumulate ? d : 0.0F, products);
    }
  }
}

}  // namespace simt
