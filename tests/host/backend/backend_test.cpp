// SPDX-License-Identifier: MIT
// Every operation of every fast backend against the reference, over a grid of sizes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <memory>
#include <omp.h>
#include <string>
#include <utility>
#include <vector>

#include "host/check/check.hpp"
#include "tests/host/backend/tested.hpp"

namespace impasto::backend_test {
namespace {

struct Size {
  Shape map;
  std::int64_t out_channels;
};

/// Tiny, odd, prime, larger than one chunk of a sum, and more than one picture.
const std::vector<Size> sizes = {
    {{1, 1, 1, 1}, 1},    {{1, 2, 3, 3}, 5},     {{1, 7, 5, 17}, 13},    {{3, 5, 2, 16}, 32},
    {{2, 31, 29, 8}, 24}, {{1, 96, 97, 64}, 32}, {{1, 13, 11, 128}, 64}, {{2, 18, 7, 64}, 192}};

using test::make;
using test::Tested;

class FastBackend : public test::TestsBackend {};

TEST_P(FastBackend, AgreesWithTheReferenceOnEveryOperation) {
  const auto tested = make(GetParam());
  const auto reference = make_backend("reference");
  for (const Size& size : sizes) {
    for_each_case(size.map, size.out_channels, tested->activation_type(),
                  [&](const std::string& op, const std::string& what, const OpCase& op_case) {
                    const CheckResult result = compare(op_case, *tested, *reference);
                    EXPECT_LE(result.error, result.limit) << op << " " << what;
                  });
  }
}

/// On a GPU: the same bits twice.
TEST_P(FastBackend, GivesTheSameBitsOnAnyNumberOfThreads) {
  const int threads = omp_get_max_threads();
  for (const Size& size : sizes) {
    std::map<std::string, Outputs> first;
    for (const int count : {1, 2, 3}) {
      omp_set_num_threads(count);
      const auto tested = make(GetParam());
      const DataType storage = tested->activation_type();
      for_each_case(size.map, size.out_channels, storage,
                    [&](const std::string& op, const std::string& what, const OpCase& op_case) {
                      const std::string name = op + " " + what;
                      const Outputs found = outputs_of(op_case, *tested, storage);
                      const Outputs& expected = first.try_emplace(name, found).first->second;
                      for (std::size_t i = 0; i < expected.size(); ++i) {
                        ASSERT_EQ(expected[i].size(), found[i].size()) << name;
                        EXPECT_EQ(0, std::memcmp(expected[i].data(), found[i].data(),
                                                 found[i].size() * sizeof(float)))
                            << name;
                      }
                    });
    }
  }
  omp_set_num_threads(threads);
}

/// An output of every fused operation, as the backend has it and as its default composes it.
struct FusedOutputs {
  std::vector<float> fused;
  std::vector<float> composed;
};

FusedOutputs gram_loss_outputs(Backend& backend, const Shape& map) {
  std::vector<Buffer> memory;
  const auto tensor = [&](const Shape& shape, DataType type) {
    Tensor made{nullptr, shape, type};
    memory.push_back(backend.allocate(made.bytes()));
    made.data = memory.back().get();
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7 % 11);
    backend.write(made, values);
    return made;
  };
  const Tensor features = tensor(map, backend.activation_type());
  const Tensor loss = tensor({1, 1, 1, map.batch}, backend.master_type());
  const Tensor matrix = tensor(matrix_shape(map.batch, map.channels), backend.master_type());
  const Tensor target = tensor(matrix_shape(1, map.channels), backend.master_type());
  backend.fill_zero(target);
  const StyleLossScale scale{.gram = 0.5, .loss = 0.25, .gradient = 0.125};
  const auto outputs = [&] {
    std::vector<float> values(static_cast<std::size_t>(matrix.shape.count() + map.batch));
    const auto matrix_values = static_cast<std::size_t>(matrix.shape.count());
    backend.read(std::span(values).first(matrix_values), matrix);
    backend.read(std::span(values).subspan(matrix_values), loss);
    backend.fill_zero(matrix);
    backend.fill_zero(loss);
    return values;
  };
  backend.gram_loss(loss, matrix, features, target, scale);
  FusedOutputs both{outputs(), {}};
  backend.Ops::gram_loss(loss, matrix, features, target, scale);
  both.composed = outputs();
  backend.synchronize();  // the memory goes, and must not be filled after that
  return both;
}

class EveryBackend : public FastBackend {};

TEST_P(EveryBackend, FusesWhatTheDefaultComposes) {
  const auto backend = make(GetParam());
  for (const Shape& map : {Shape{1, 3, 3, 5}, Shape{2, 7, 5, 17}, Shape{1, 13, 11, 64}}) {
    const auto [fused, composed] = gram_loss_outputs(*backend, map);
    ASSERT_EQ(fused.size(), composed.size());
    for (std::size_t i = 0; i < fused.size(); ++i) {
      EXPECT_GT(fused[i], 0) << "value " << i;
      EXPECT_NEAR(fused[i] / composed[i], 1, 1e-6) << "value " << i << " of " << to_string(map);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Backends, EveryBackend,
    testing::Values(Tested{"reference", Precision::fp32}, Tested{"cpu", Precision::fp32},
                    Tested{"cpu", Precision::winograd}, Tested{"cpu", Precision::bf16},
                    Tested{"simt", Precision::fp32}, Tested{"simt", Precision::tf32},
                    Tested{"simt", Precision::bf16}, Tested{"simt", Precision::fp16},
                    Tested{"cuda", Precision::fp32}, Tested{"cuda", Precision::tf32},
                    Tested{"cuda", Precision::bf16}, Tested{"cuda", Precision::fp16}),
    test::name_of);

INSTANTIATE_TEST_SUITE_P(
    Backends, FastBackend,
    testing::Values(Tested{"cpu", Precision::fp32}, Tested{"cpu", Precision::winograd},
                    Tested{"cpu", Precision::bf16}, Tested{"cuda", Precision::fp32},
                    Tested{"cuda", Precision::tf32}, Tested{"cuda", Precision::bf16},
                    Tested{"cuda", Precision::fp16}),
    test::name_of);

/// A case of one output, to which each run writes two values.
OpCase writing(const std::function<std::vector<float>()>& values) {
  return {.prepare = [=](Backend& on, Workbench& bench) -> Prepared {
    const Tensor output = bench.master_output({.channels = 2});
    return {[=, &on] { on.write(output, values()); }, {output}};
  }};
}

TEST(Check, FindsAValueThatIsWrong) {
  const auto backend = make_backend("cpu", Precision::fp32);
  int calls = 0;
  // Changes by one part in a thousand.
  const OpCase changing = writing([&] {
    return std::vector<float>{1, ++calls == 1 ? 2.002F : 2.0F};
  });
  const CheckResult result = compare(changing, *backend, *backend);
  EXPECT_FALSE(result.passed());
  EXPECT_NEAR(result.error, 0.002 / std::sqrt(5.0), 1e-5);
}

TEST(Check, CountsAnUnwrittenValueAsWrong) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const OpCase unwritten{.prepare = [](Backend&, Workbench& bench) -> Prepared {
    return {[] {}, {bench.master_output({})}};
  }};
  EXPECT_FALSE(compare(unwritten, *backend, *backend).passed());
}

}  // namespace
}  // namespace impasto::backend_test
