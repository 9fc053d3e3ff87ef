// SPDX-License-Identifier: MIT
#include "simt/async.hpp"
#include "simt/machine.hpp"
#include "simt/ptx_sm90.hpp"

namespace simt {
namespace {

/// What one lane brings to a product.
struct Part {
  float* d;
  MatrixDescriptor a;
  MatrixDescriptor b;
  bool accumulate;
};

/// The last lane of the warp to arrive does the work for all of them.
template <class Do>
void together(const char* what, Do work, const Site& site) {
  Machine::get().rendezvous(
      what, whole_warp, &work,
      [](Lanes& /*lanes*/, const void* argument) { (*static_cast<const Do*>(argument))(); }, &work,
      site);
}

}  // namespace

void init(Mbarrier& barrier, unsigned arrivals, Site site) {
  const Machine::NoTrace no_trace;
  Machine::get().async().init(&barrier, arrivals, site);
}

void fence_barriers() {
  const Machine::NoTrace no_trace;
  Machine::get().async().fence_barriers();
}

void fence_async_proxy() {
  const Machine::NoTrace no_trace;
  Machine& machine = Machine::get();
  machine.order().fence_proxy(machine.thread());
  machine.async().fence_barriers();
}

void arrive(Mbarrier& barrier, Site site) { arrive_expect_tx(barrier, 0, site); }

void arrive_expect_tx(Mbarrier& barrier, unsigned bytes, Site site) {
  const Machine::NoTrace no_trace;
  Machine::get().async().arrive(&barrier, bytes, site);
}

void wait(Mbarrier& barrier, unsigned parity, Site site) {
  const Machine::NoTrace no_trace;
  Machine::get().wait_for_phase(&barrier, parity, site);
}

void tma_load(void* tile, const TensorMap& tensor, int x, int y, int z, Mbarrier& arrives_at,
              Site site) {
  const Machine::NoTrace no_trace;
  Machine::get().async().copy(tile, tensor, {x, y, z}, &arrives_at, site);
}

MatrixDescriptor matrix_descriptor(const void* start, unsigned next_columns, Site site) {
  const std::uint64_t address = Machine::get().shared_address(start, 16, site);
  return {address / 16 | std::uint64_t{next_columns / 16} << 16U | std::uint64_t{1024 / 16} << 32U |
          std::uint64_t{1} << 62U};
}

void wgmma_fence(Site site) {
  const Machine::NoTrace no_trace;
  together(
      "wgmma.fence", [] { Machine::get().async().wgmma_fence(); }, site);
}
void wgmma_commit_group(Site site) {
  const Machine::NoTrace no_trace;
  together(
      "wgmma.commit_group", [&] { Machine::get().async().wgmma_commit_group(site); }, site);
}
void wgmma_wait_group(int groups_left, Site site) {
  const Machine::NoTrace no_trace;
  const auto left = static_cast<std::size_t>(groups_left);
  together(
      "wgmma.wait_group", [&] { Machine::get().async().wgmma_wait_group(left); }, site);
}

void start_product(float* d, int columns, Element element, Major major, MatrixDescriptor a,
                   MatrixDescriptor b, bool accumulate, Site site) {
  const Machine::NoTrace no_trace;
  Part own{d, a, b, accumulate};
  Async::Product product{{}, columns, element, major, a, b, accumulate, false, site};
  Machine::get().rendezvous(
      "wgmma", whole_warp, &own,
      [](Lanes& lanes, const void* argument) {
        Async::Product all = *static_cast<const Async::Product*>(argument);
        for (unsigned lane = 0; lane < 32; ++lane) {
          const auto& part = *static_cast<const Part*>(lanes[lane]);
          if (part.a.bits != all.a.bits || part.b.bits != all.b.bits ||
              part.accumulate != all.accumulate) {
            Machine::get().fail("wgmma: lanes of a warp with different factors",
                                to_string(all.site));
          }
          all.d[lane] = part.d;
        }
        Machine::get().async().start(all);
      },
      &product, site);
}

}  // namespace simt
