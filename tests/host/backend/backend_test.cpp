// SPDX-License-Identifier: MIT
// Every operation of every fast backend against the reference, over a grid of sizes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <omp.h>

#include "host/backend/cpu/cpu_backend.hpp"
#include "host/backend/registry.hpp"
#include "host/check/check.hpp"

namespace impasto {
namespace {

struct Size {
  Shape map;
  std::int64_t out_channels;
};

/// Tiny, odd, prime, larger than one chunk of a sum, and more than one picture.
const std::vector<Size> sizes = {{{1, 1, 1, 1}, 1},     {{1, 2, 3, 3}, 5},    {{1, 7, 5, 17}, 13},
                                 {{3, 5, 2, 16}, 32},   {{2, 31, 29, 8}, 24}, {{1, 96, 97, 64}, 32},
                                 {{1, 13, 11, 128}, 64}};

bool offered(Precision precision) {
  const std::vector<Precision> offers = cpu_precisions();
  return std::find(offers.begin(), offers.end(), precision) != offers.end();
}

class CpuBackend : public testing::TestWithParam<Precision> {
 protected:
  void SetUp() override {
    if (!offered(GetParam())) GTEST_SKIP() << "this CPU has no " << to_string(GetParam());
  }
};

TEST_P(CpuBackend, AgreesWithTheReferenceOnEveryOperation) {
  const auto tested = make_backend("cpu", GetParam());
  const auto reference = make_backend("reference");
  for (const Size& size : sizes) {
    for (const OpCase& op : op_cases(size.map, size.out_channels, tested->activation_type())) {
      const CheckResult result = compare(op, *tested, *reference);
      EXPECT_LE(result.error, result.limit) << op.op << " " << op.what;
    }
  }
}

TEST_P(CpuBackend, GivesTheSameBitsOnOneThreadAndOnTwo) {
  const int threads = omp_get_max_threads();
  for (const Size& size : sizes) {
    const DataType storage = make_backend("cpu", GetParam())->activation_type();
    for (const OpCase& op : op_cases(size.map, size.out_channels, storage)) {
      std::vector<std::vector<float>> outputs;
      for (const int count : {1, 2}) {
        omp_set_num_threads(count);
        outputs.push_back(op.run(*make_backend("cpu", GetParam())));
      }
      EXPECT_EQ(0, std::memcmp(outputs[0].data(), outputs[1].data(), outputs[0].size() * 4))
          << op.op << " " << op.what;
    }
  }
  omp_set_num_threads(threads);
}

INSTANTIATE_TEST_SUITE_P(Precisions, CpuBackend, testing::Values(Precision::fp32, Precision::bf16),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST(Check, FindsAValueThatIsWrong) {
  const auto backend = make_backend("cpu", Precision::fp32);
  int calls = 0;
  const OpCase changing{"op", "changes by one part in a thousand", [&](Backend&) {
                          return std::vector<float>{1, ++calls == 1 ? 2.002F : 2.0F};
                        }};
  const CheckResult result = compare(changing, *backend, *backend);
  EXPECT_FALSE(result.passed());
  EXPECT_NEAR(result.error, 0.002 / std::sqrt(5.0), 1e-5);
}

TEST(Check, CountsAnUnwrittenValueAsWrong) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const OpCase unwritten{"op", "NaN", [](Backend&) {
                           return std::vector<float>{std::numeric_limits<float>::quiet_NaN()};
                         }};
  EXPECT_FALSE(compare(unwritten, *backend, *backend).passed());
}

}  // namespace
}  // namespace impasto
