// SPDX-License-Identifier: MIT
// Every rung of every ladder on the cases that `impasto check`, the backends' tests and the
// benchmarks share (host/check/), under two orders of threads. A rung or a ladder needs no line
// here. The tests beside this one know their kernel better: its tiles, and closer limits.
#include <cstring>
#include <gtest/gtest.h>

#include "host/backend/device/device_backend.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/backend/reference/reference_backend.hpp"
#include "host/check/check.hpp"
#include "host/check/ladders.hpp"
#include "kernels/common/tuning.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/nan_inputs.hpp"

namespace impasto::ladder_cases_test {
namespace {

/// A rung on feature maps of one type.
struct Tested {
  Operation op;
  Precision precision;
  kernels::Rung rung;

  friend std::ostream& operator<<(std::ostream& out, const Tested& tested) {
    return out << tested.op.name << ' ' << tested.rung.name << ' ' << to_string(tested.precision);
  }
};

std::vector<Tested> every_rung() {
  std::vector<Tested> all;
  for (const emulated::Ladder& ladder : emulated::ladders()) {
    for (const auto& [precision, rungs] : ladder.rungs) {
      for (const kernels::Rung& rung : rungs) all.push_back({ladder.op, precision, rung});
    }
  }
  return all;
}

/// A map of two pictures without a tile that is full, and one of full packs and more than one tile: of
/// 8 rows, of 64 pixels. Convolutions have tensor cores from 64 channels on, and their tests beside
/// this one more than one tile.
std::vector<Shape> maps_of(const Operation& op) {
  if (op.widens) return {{2, 3, 5, 7}, {1, 1, 2, 64}};
  return {{2, 3, 5, op.on_pixels ? 3 : 7}, {1, 9, 8, op.on_pixels ? 3 : 24}};
}

std::unique_ptr<Backend> ladder_backend(Precision precision) {
  return emulated::make_device_backend("ladder", precision, std::make_unique<emulated::Runtime>(),
                                       std::make_unique<Libraries>(), Tuning::off,
                                       PlanCache("", {}));
}

class LadderCases : public testing::TestWithParam<Tested> {};
INSTANTIATE_TEST_SUITE_P(Every, LadderCases, testing::ValuesIn(every_rung()), [](const auto& each) {
  return fmt::format("{}_{}_{}", each.param.op.name, each.param.rung.name,
                     to_string(each.param.precision));
});

TEST_P(LadderCases, GiveTheReferencesResultInEveryOrderOfThreads) {
  const auto& [op, precision, rung] = GetParam();
  const std::unique_ptr<Backend> reference = make_reference_backend();
  const std::unique_ptr<Backend> backend = ladder_backend(precision);
  const DataType storage = backend->activation_type();
  const kernels::ForcedRung forced(op.name, rung.name);
  for (const Shape& map : maps_of(op)) {
    for (const OpCase& op_case : op.cases(map, map.channels, storage)) {
      SCOPED_TRACE(to_string(map) + " " + op_case.variant);
      const Outputs expected = outputs_of(op_case, *reference, storage);
      for (const std::int64_t offset : {0, 1}) {  // packs are possible, and not
        Outputs first;
        for (int order = 0; order < test::device::order_count(); ++order) {
          test::device::choose_order(order);
          Workbench bench(*backend, storage, offset);
          const Prepared prepared = op_case.prepare(*backend, bench);
          const Outputs found = outputs_of(op_case, *backend, bench, prepared);
          const CheckResult result = judge(error_of(found, expected), op_case.limit(precision));
          EXPECT_LE(result.error, result.limit) << "offset " << offset << ", order " << order;
          if (order == 0) first = found;
          for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_EQ(
                0, std::memcmp(found[i].data(), first[i].data(), found[i].size() * sizeof(float)))
                << "offset " << offset << ", order " << order;
          }
        }
        test::device::choose_order(0);
      }
    }
  }
}

TEST(EveryRung, HasANanWhereverTheReferenceHasOne) {
  const std::unique_ptr<Backend> reference = make_reference_backend();
  test::device::choose_order(test::device::order_count() - 1);  // the last is not traced
  for (const Tested& tested : every_rung()) {
    const std::unique_ptr<Backend> backend = ladder_backend(tested.precision);
    const DataType storage = backend->activation_type();
    const kernels::ForcedRung forced(tested.op.name, tested.rung.name);
    for (const Shape& map : maps_of(tested.op)) {
      for (const OpCase& op_case : tested.op.cases(map, map.channels, storage)) {
        if (!op_case.measured) continue;
        const auto expected = test::run_with_nan(op_case, *reference, storage);
        const auto found = test::run_with_nan(op_case, *backend, storage);
        ASSERT_EQ(found.size(), expected.size()) << tested;
        for (std::size_t i = 0; i < found.size(); ++i) {
          EXPECT_EQ(test::count_lost(found[i].outputs, expected[i].outputs), 0)
              << tested << " " << to_string(map) << " " << op_case.variant << ", tensor "
              << found[i].tensor;
        }
      }
    }
  }
  test::device::choose_order(0);
}

}  // namespace
}  // namespace impasto::ladder_cases_test
