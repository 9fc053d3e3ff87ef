// SPDX-License-Identifier: MIT
#include "simt/async.hpp"
#include "simt/machine.hpp"
#include "simt/ptx_sm90.hpp"

namespace simt {
namespace {

constexpr unsigned whole_warp = 0xffffffffU;

/// What one lane brings to a product.
struct Part {
  float* d;
  Factor a;
  Factor b;
  bool accumulate;
};

/// All lanes of the warp come, and the last does it for all of them.
template <class Do>
void together(const char* what, Do work, const Site& site) {
  Machine::get().rendezvous(
      what, whole_warp, &work,
      [](Lanes& /*lanes*/, const void* argument) { (*static_cast<const Do*>(argument))(); }, &work,
      site);
}

}  // namespace

void init(Mbarrier& barrier, unsigned arrivals, Site site) {
  const Machine::Unseen unseen;
  Machine::get().async().init(&barrier, arrivals, site);
}

void arrive(Mbarrier& barrier, Site site) { arrive_expecting(barrier, 0, site); }

void arrive_expecting(Mbarrier& barrier, unsigned bytes, Site site) {
  const Machine::Unseen unseen;
  Machine::get().async().arrive(&barrier, bytes, site);
}

void wait(Mbarrier& barrier, unsigned parity, Site site) {
  const Machine::Unseen unseen;
  Machine::get().wait_for_phase(&barrier, parity, site);
}

void copy_box(void* tile, const TensorMap& tensor, int x, int y, int z, Mbarrier& arrives_at,
              Site site) {
  const Machine::Unseen unseen;
  Machine::get().async().copy(tile, tensor, {x, y, z}, &arrives_at, site);
}

Factor factor(const void* start, unsigned next_columns, Site site) {
  const std::uint64_t address = Machine::get().shared_address(start, 16, site);
  return {address / 16 | std::uint64_t{next_columns / 16} << 16U | std::uint64_t{1024 / 16} << 32U |
          std::uint64_t{1} << 62U};
}

void begin_products(Site site) {
  const Machine::Unseen unseen;
  together(
      "wgmma.fence", [] { Machine::get().async().begin_products(); }, site);
}
void commit_products(Site site) {
  const Machine::Unseen unseen;
  together(
      "wgmma.commit_group", [&] { Machine::get().async().commit_products(site); }, site);
}
void wait_for_products(int groups_left, Site site) {
  const Machine::Unseen unseen;
  const auto left = static_cast<std::size_t>(groups_left);
  together(
      "wgmma.wait_group", [&] { Machine::get().async().wait_for_products(left); }, site);
}

void start_product(float* d, int columns, Element element, Major major, Factor a, Factor b,
                   bool accumulate, Site site) {
  const Machine::Unseen unseen;
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
