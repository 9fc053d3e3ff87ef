// SPDX-License-Identifier: MIT
#include "simt/machine.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "simt/async.hpp"

namespace simt {
namespace {

std::string text(const Dim3& index) {
  return std::string("(") + std::to_string(index.x) + "," + std::to_string(index.y) + "," +
         std::to_string(index.z) + ")";
}

bool same(const char* one, const char* other) {
  return one == other || std::strcmp(one, other) == 0;
}

Dim3 index_in(std::uint64_t i, const Dim3& size) {
  return {static_cast<unsigned>(i % size.x), static_cast<unsigned>(i / size.x % size.y),
          static_cast<unsigned>(i / size.x / size.y)};
}

}  // namespace

void require_valid(const Grid& grid) {
  constexpr unsigned most_threads = 1024;
  constexpr unsigned most_blocks_x = 0x7fffffffU;
  constexpr unsigned most_blocks = 65535;
  const auto refuse = [&](const std::string& what) {
    throw Error(std::string("launch of ") + grid.name + ": " + what);
  };
  if (grid.blocks.count() == 0 || grid.threads.count() == 0) {
    refuse("a grid of " + text(grid.blocks) + " blocks of " + text(grid.threads) + " threads");
  }
  if (grid.threads.count() > most_threads || grid.threads.z > 64) {
    refuse("a block of " + text(grid.threads) + " threads; 1024 are allowed, 64 along z");
  }
  if (grid.blocks.x > most_blocks_x || grid.blocks.y > most_blocks || grid.blocks.z > most_blocks) {
    refuse("a grid of " + text(grid.blocks) + " blocks; 65535 are allowed along y and z");
  }
  if (grid.shared_bytes > SharedMemory::largest) {
    refuse(std::to_string(grid.shared_bytes) + " bytes of shared memory; " +
           std::to_string(SharedMemory::largest) + " are allowed");
  }
}

Machine::Machine() : async_(std::make_unique<Async>(*this)) {}
Machine::~Machine() = default;

void Machine::set_current(int index) { current_index = index; }

Machine& Machine::get() {
  static std::array<Machine, count> machines;
  return machines[static_cast<std::size_t>(current_index)];
}

void Machine::launch(const Grid& grid, Fiber::Body body, void* argument, bool traced) {
  grid_ = grid;
  body_ = body;
  argument_ = argument;
  traced_ = traced && schedule_.traced;
  failure_.clear();
  random_.seed(schedule_.seed);
  thread_count_ = grid.threads.count();
  if (counter_ != nullptr) {
    counter_->begin_launch(grid);
    if (!counter_->runs_kernels()) return;
  }
  while (threads_.size() < thread_count_) threads_.push_back(std::make_unique<Thread>());
  for (phase_ = 0; phase_ < grid.phases; ++phase_) {
    first_block_ = serial_ + 1;
    published_.clear();
    for (const std::uint64_t block : block_order()) {
      run_block(index_in(block, grid.blocks));
      if (counter_ != nullptr) counter_->end_block();
      if (!failure_.empty()) throw Error(failure_);
    }
  }
}

std::vector<std::uint64_t> Machine::block_order() {
  std::vector<std::uint64_t> order(grid_.blocks.count());
  std::iota(order.begin(), order.end(), 0);
  if (schedule_.order == Schedule::Order::reverse) std::reverse(order.begin(), order.end());
  if (schedule_.order == Schedule::Order::random) {
    std::shuffle(order.begin(), order.end(), random_);
  }
  return order;
}

void Machine::run_block(const Dim3& index) {
  block_index_ = index;
  ++serial_;
  at_barrier_ = 0;
  ended_ = 0;
  shared_memory_.begin_block(grid_.shared_bytes);
  ready_.clear();
  warps_.resize((thread_count_ + 31) / 32);
  for (Warp& warp : warps_) {
    warp.ended = 0;
    warp.collectives.clear();
  }
  order_.begin_block(thread_count_, warps_.size());
  async_->begin_block(warps_.size());
  if (thread_count_ % 32 != 0) warps_.back().ended = ~0U << thread_count_ % 32;
  for (std::size_t id = 0; id < thread_count_; ++id) {
    Thread& thread = *threads_[id];
    thread.index = index_in(id, grid_.threads);
    thread.id = static_cast<unsigned>(id);
    thread.state = State::ready;
    thread.block_phase = 0;
    thread.phase = 0;
    thread.fenced.reset();
    thread.after_atomic = false;
    thread.copies.resize(1);
    thread.copies.front().clear();
    thread.fiber.start(&Machine::thread_main, this);
    make_ready(thread);
  }
  run_threads();
  if (!failure_.empty()) return;
  const std::string left = async_->left_under_way();
  if (!left.empty()) failure_ = left + "; block " + text(block_index_) + " of " + grid_.name;
}

void Machine::run_threads() {
  while (ended_ < thread_count_ && failure_.empty()) {
    current_ = next();
    if (current_ == nullptr) {
      report_deadlock();
      return;
    }
    running = this;
    current_->fiber.enter();
    running = nullptr;
    current_ = nullptr;
  }
}

/// Takes the next thread that can run; null when there is none.
Machine::Thread* Machine::next() {
  while (ready_.empty()) {
    if (!wake_at_phases() && !async_->complete_one()) return nullptr;
  }
  std::size_t id = 0;
  switch (schedule_.order) {
    case Schedule::Order::forward: id = ready_.first(); break;
    case Schedule::Order::reverse: id = ready_.last(); break;
    case Schedule::Order::random:
      id = ready_.first(random_() % thread_count_);
      if (id == ReadyThreads::none) id = ready_.first();
      break;
  }
  ready_.remove(id);
  return threads_[id].get();
}

/// Whether one of the threads that wait for a phase can go on.
bool Machine::wake_at_phases() {
  for (std::size_t id = 0; id < thread_count_; ++id) {
    Thread& thread = *threads_[id];
    if (thread.state == State::at_phase && async_->ended(thread.barrier, thread.parity)) {
      make_ready(thread);
    }
  }
  return !ready_.empty();
}

void Machine::make_ready(Thread& thread) {
  thread.state = State::ready;
  ready_.add(thread.id);
}

void Machine::thread_main(void* machine) {
  auto& self = *static_cast<Machine*>(machine);
  try {
    self.body_(self.argument_);
    self.end_of_thread();
  } catch (const Stopped&) {
    // `failure_` says why.
  }
}

bool Machine::in_phase(int phase, const Site& site) {
  if (phase != current_->phase) {
    fail("phase " + std::to_string(phase) + " behind " + std::to_string(current_->phase) +
             " calls of next_phase",
         to_string(site));
  }
  return phase == phase_;
}

void Machine::end_of_thread() {
  if (current_->phase != grid_.phases - 1) {
    fail(name(*current_) + " ended behind " + std::to_string(current_->phase) +
             " calls of next_phase; a launch of " + std::to_string(grid_.phases) +
             (grid_.phases == 1 ? " phase" : " phases"),
         grid_.name);
  }
  for (const auto& group : current_->copies) {
    for (const Copy& copy : group) complete(copy);
  }
  current_->state = State::ended;
  warps_[current_->id / 32].ended |= 1U << lane();
  ++ended_;
  if (at_barrier_ > 0) {
    fail("divergent barrier: " + name(*current_) + " ended, and " + name(*first_at_barrier_) +
             " waits for it",
         to_string(first_at_barrier_->site));
  }
}

void Machine::wait() { current_->fiber.leave(); }

void Machine::barrier(const Site& site) {
  current_->site = site;
  if (ended_ > 0) {
    fail_here("divergent barrier: " + std::to_string(ended_) +
              " threads of the block have ended and never come to it");
  }
  if (at_barrier_ == 0) first_at_barrier_ = current_;
  const Site& expected = first_at_barrier_->site;
  if (expected.line != site.line || !same(expected.file, site.file)) {
    fail_here("divergent barrier: " + name(*first_at_barrier_) + " waits at another one, " +
              to_string(expected));
  }
  if (++at_barrier_ == thread_count_) {
    release_barrier();
    return;
  }
  current_->state = State::at_barrier;
  wait();
}

void Machine::release_barrier() {
  at_barrier_ = 0;
  if (counter_ != nullptr) counter_->barrier();
  if (traced_) order_.block_barrier();
  for (std::size_t id = 0; id < thread_count_; ++id) {
    Thread& thread = *threads_[id];
    ++thread.block_phase;
    if (&thread != current_) make_ready(thread);
  }
}

/// The open collective this lane belongs to, or a new one. Fails where lanes do not match.
Machine::Collective& Machine::join(Warp& warp, const char* what, unsigned mask, const Site& site) {
  const auto other = [&](const Collective& open) {
    return name(*threads_[current_->id - lane() + open.first_lane]);
  };
  for (Collective& open : warp.collectives) {
    if ((open.mask & mask) == 0) continue;
    if (!same(open.what, what) || open.site.line != site.line) {
      fail_here(std::string("mismatched collectives: ") + what + " here, and " + other(open) +
                " in " + open.what + " at " + to_string(open.site));
    }
    if (open.mask != mask) {
      fail_here(std::string(what) + ": " + other(open) + " came with another mask");
    }
    return open;
  }
  return warp.collectives.emplace_back(Collective{what, site, mask, 0, lane(), {}});
}

void Machine::rendezvous(const char* what, unsigned mask, void* own,
                         void (*combine)(Lanes& lanes, const void* argument), const void* argument,
                         const Site& site) {
  Thread& self = *current_;
  self.site = site;
  Warp& warp = warps_[self.id / 32];
  const std::size_t first = self.id - lane();
  if ((mask >> lane() & 1U) == 0) fail_here(std::string(what) + ": its mask leaves out the caller");
  if ((mask & warp.ended) != 0) {
    const auto lost = static_cast<std::size_t>(std::countr_zero(mask & warp.ended));
    fail_here(first + lost < thread_count_ ? std::string(what) + ": waits for " +
                                                 name(*threads_[first + lost]) + ", which has ended"
                                           : std::string(what) + ": its mask names lane " +
                                                 std::to_string(lost) + ", and the block has none");
  }
  Collective& collective = join(warp, what, mask, site);
  collective.lanes[lane()] = own;
  collective.arrived |= 1U << lane();
  if (collective.arrived != mask) {
    self.state = State::at_collective;
    self.waits_in = what;
    wait();
    return;
  }
  combine(collective.lanes, argument);
  warp.collectives.erase(warp.collectives.begin() + (&collective - warp.collectives.data()));
  for (unsigned others = mask & ~(1U << lane()); others != 0; others &= others - 1) {
    make_ready(*threads_[first + static_cast<std::size_t>(std::countr_zero(others))]);
  }
}

void Machine::warp_barrier(unsigned mask, const Site& site) {
  rendezvous(
      "__syncwarp", mask, this,
      [](Lanes& /*lanes*/, const void* argument) {
        Machine& self = get();
        if (!self.traced_) return;
        const auto first_lane = static_cast<Participant>(self.current_->id - self.lane());
        self.order_.warp_barrier(first_lane, *static_cast<const unsigned*>(argument));
      },
      &mask, site);
}

unsigned Machine::active_lanes() const { return ~warps_[current_->id / 32].ended; }

void Machine::wait_for_phase(const Mbarrier* barrier, unsigned parity, const Site& site) {
  Thread& self = *current_;
  while (!async_->has_ended(barrier, parity, site)) {
    self.site = site;
    self.barrier = barrier;
    self.parity = parity;
    self.waits_in = "mbarrier.try_wait";
    self.state = State::at_phase;
    wait();
  }
  async_->acquire(barrier);
}

std::string Machine::name(const Thread& thread) const { return "thread " + text(thread.index); }

/// Names one waiting thread for every place where threads wait.
void Machine::report_deadlock() {
  failure_ = std::string("deadlock in block ") + text(block_index_) + " of " + grid_.name +
             ": no thread can go on";
  std::vector<int> lines;
  for (std::size_t id = 0; id < thread_count_; ++id) {
    const Thread& thread = *threads_[id];
    if (thread.state == State::ended) continue;
    if (std::find(lines.begin(), lines.end(), thread.site.line) != lines.end()) continue;
    lines.push_back(thread.site.line);
    failure_ += "; " + to_string(thread.site) + ": " + name(thread) + " waits in ";
    failure_ += thread.state == State::at_barrier ? "__syncthreads" : thread.waits_in;
  }
}

/// Notes what is wrong and unwinds the thread; the launch throws.
void Machine::fail(const std::string& problem, const std::string& place) {
  failure_ = place + ": " + problem + "; " + name(*current_) + " of block " + text(block_index_) +
             " of " + grid_.name;
  throw Stopped{};
}

// What threads, and the copies they start, do to memory.

void Machine::fence() {
  if (!traced_) return;
  Past past;
  order_.release(thread(), past);
  current_->fenced = past.steps;
  // Blocks run one after another: those before this one have published what they publish.
  if (current_->after_atomic) order_.learn_published(thread());
}

void* Machine::dynamic_shared(const Site& site) {
  if (grid_.shared_bytes == 0) {
    fail("dynamic shared memory, and the launch gave none", to_string(site));
  }
  return shared_memory_.dynamic_array();
}

void* Machine::static_shared(const Site& site, const char* name, std::size_t bytes) {
  const NoTrace no_trace;
  void* data = shared_memory_.static_array(site, name, bytes);
  if (data == nullptr) {
    fail(std::string(name) + ": " + std::to_string(bytes) +
             " more bytes of shared memory do not fit",
         to_string(site));
  }
  return data;
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
  if (access == Access::atomic) {
    current_->after_atomic = true;
    if (current_->fenced) {
      published_.resize(serial_ - first_block_ + std::size_t{1});
      published_.back().join(*current_->fenced);
    }
  }
  const bool shared = shared_memory_.contains(address);
  const Moment now{{serial_, thread(), false, order_.time(thread()), current_->block_phase},
                   &order_.past(thread()),
                   shared ? serial_ : first_block_,
                   published_,
                   site};
  std::string problem;
  std::optional<Space> space;
  if (shared) {
    shared_memory_.check(access, address, size, now, problem);
    space = Space::shared;
  } else if (device_memory_.check(access, address, size, now, problem)) {
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
  if (!traced_ || current_ == nullptr || current_->fiber.owns(address)) return;
  check(access, address, size, site_id(instruction));
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

void Machine::cp_async_commit_group() { current_->copies.emplace_back(); }

void Machine::cp_async_wait_group(std::size_t groups_left) {
  auto& groups = current_->copies;
  while (groups.size() > groups_left + 1) {
    for (const Copy& copy : groups.front()) complete(copy);
    groups.erase(groups.begin());
  }
}

void Machine::complete(const Copy& copy) {
  if (traced_) shared_memory_.mark_pending(copy.to, copy.size, 0);
  {
    const NoTrace no_trace;
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

void Machine::begin_copy(void* to, std::size_t size, Participant arrives_at, std::uint32_t time,
                         const Site& site) {
  hold_async(Access::write, to, size, arrives_at, time, order_.whole_past(thread()), site);
  shared_memory_.mark_pending(to, size, serial_);
}

void Machine::end_copy(void* to, std::size_t size) { shared_memory_.mark_pending(to, size, 0); }

void Machine::check_product(std::uint64_t shared_address, std::size_t size, const Past& past,
                            const Site& site) {
  const Participant products = order_.products(warp());
  hold_async(Access::read, shared_window() + shared_address, size, products, order_.time(products),
             past, site);
}

void Machine::hold_async(Access access, const void* address, std::size_t size,
                         Participant participant, std::uint32_t time, const Past& past,
                         const Site& site) {
  const Moment now{
      {serial_, participant, true, time, current_->block_phase}, &past, serial_, {}, site_id(site)};
  std::string problem;
  shared_memory_.check(access, address, size, now, problem);
  if (problem.empty()) return;
  const char* what = access == Access::read ? "read of " : "write of ";
  const char* by = access == Access::read ? " bytes by a product: " : " bytes by a load: ";
  fail(what + std::to_string(size) + by + problem, to_string(site));
}

}  // namespace simt
