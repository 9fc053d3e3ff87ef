// SPDX-License-Identifier: MIT
#include "benchmarks/ladder/nvml.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace impasto::bench {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr const char* library = IMPASTO_FAKE_NVML;
constexpr const char* bus = "0000:1B:00.0";

/// The library behind the test's back; loading it again is the same one.
template <class Function>
Function* behind(const char* name) {
  static void* handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  return reinterpret_cast<Function*>(::dlsym(handle, name));
}

void hold_clocks_by(unsigned long long reasons) {
  behind<void(unsigned long long)>("fake_set_reasons")(reasons);
}

TEST(GpuWatch, SaysWhatTheLibraryKnowsAndLeavesOutWhatItDoesNot) {
  hold_clocks_by(0x1 | 0x4);
  EXPECT_THAT(
      GpuWatch(bus, library).describe(),
      UnorderedElementsAre(Pair("driver", "570.12"), Pair("sm_clock", "1755 MHz"),
                           Pair("sm_clock_highest", "1980 MHz"), Pair("memory_clock", "2619 MHz"),
                           Pair("memory_clock_highest", "2619 MHz"),
                           Pair("clocks_held_by", "idle, power cap")));
}

TEST(GpuWatch, AnIdleGpuIsNotThrottledAndOneAtItsPowerCapIs) {
  const GpuWatch watch(bus, library);
  for (const auto& [reasons, throttled] : {std::pair{0x0ULL, false},
                                           {0x1ULL, false},
                                           {0x2ULL, false},
                                           {0x4ULL, true},
                                           {0x20ULL, true},
                                           {0x41ULL, true},
                                           {0x80ULL, true}}) {
    hold_clocks_by(reasons);
    const auto clocks = watch.clocks();
    ASSERT_TRUE(clocks);
    EXPECT_EQ(clocks->throttled, throttled) << reasons;
    EXPECT_EQ(clocks->sm_mhz, 1755U);
  }
}

TEST(GpuWatch, KnowsNothingOfAnotherGpuOrWithoutTheLibrary) {
  for (const GpuWatch& watch : {GpuWatch("0000:99:00.0", library), GpuWatch(bus, "no_such.so")}) {
    EXPECT_THAT(watch.describe(), IsEmpty());
    EXPECT_FALSE(watch.clocks());
  }
}

TEST(GpuWatch, ShutsTheLibraryDownOnce) {
  auto* const shut_downs = behind<int()>("fake_shut_downs");
  const int before = shut_downs();
  {
    const GpuWatch watch(bus, library);
    const GpuWatch copy = watch;  // NOLINT(performance-unnecessary-copy-initialization): the point
  }
  EXPECT_EQ(shut_downs(), before + 1);
}

}  // namespace
}  // namespace impasto::bench
