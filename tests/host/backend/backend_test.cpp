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

/// A backend by its name, in one precision.
using Tested = std::pair<std::string, Precision>;

std::unique_ptr<Backend> make(const Tested& tested) {
  return make_backend(tested.first, tested.second, {.tuning = Tuning::off});
}

bool offered(const Tested& tested) {
  const std::vector<BackendEntry> entries = list_backends();
  return std::ranges::any_of(entries, [&](const BackendEntry& entry) {
    return entry.name == tested.first && entry.unavailable.empty() &&
           std::ranges::count(entry.precisions(), tested.second) > 0;
  });
}

class FastBackend : public testing::TestWithParam<Tested> {
 protected:
  void SetUp() override {
    const auto& [name, precision] = GetParam();
    if (!offered(GetParam())) GTEST_SKIP() << "no " << name << " in " << to_string(precision);
  }
};

TEST_P(FastBackend, AgreesWithTheReferenceOnEveryOperation) {
  const auto tested = make(GetParam());
  const auto reference = make_backend("reference");
  for (const Size& size : sizes) {
    for (const OpCase& op : op_cases(size.map, size.out_channels, tested->activation_type())) {
      const CheckResult result = compare(op, *tested, *reference);
      EXPECT_LE(result.error, result.limit) << op.op << " " << op.what;
    }
  }
}

/// On a GPU: the same bits twice.
TEST_P(FastBackend, GivesTheSameBitsOnAnyNumberOfThreads) {
  const int threads = omp_get_max_threads();
  for (const Size& size : sizes) {
    std::map<std::string, std::vector<float>> first;
    for (const int count : {1, 2, 3}) {
      omp_set_num_threads(count);
      const auto tested = make(GetParam());
      for (const OpCase& op : op_cases(size.map, size.out_channels, tested->activation_type())) {
        const std::string name = op.op + " " + op.what;
        const std::vector<float> output = op.run(*tested);
        const std::vector<float>& expected = first.try_emplace(name, output).first->second;
        ASSERT_EQ(expected.size(), output.size()) << name;
        EXPECT_EQ(0, std::memcmp(expected.data(), output.data(), output.size() * 4)) << name;
      }
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
                    Tested{"cpu", Precision::bf16}, Tested{"simt", Precision::fp32},
                    Tested{"simt", Precision::tf32}, Tested{"simt", Precision::bf16},
                    Tested{"simt", Precision::fp16}, Tested{"cuda", Precision::fp32},
                    Tested{"cuda", Precision::tf32}, Tested{"cuda", Precision::bf16},
                    Tested{"cuda", Precision::fp16}),
    [](const auto& tested) {
      return tested.param.first + "_" + std::string(to_string(tested.param.second));
    });

INSTANTIATE_TEST_SUITE_P(
    Backends, FastBackend,
    testing::Values(Tested{"cpu", Precision::fp32}, Tested{"cpu", Precision::bf16},
                    Tested{"cuda", Precision::fp32}, Tested{"cuda", Precision::tf32},
                    Tested{"cuda", Precision::bf16}, Tested{"cuda", Precision::fp16}),
    [](const auto& tested) {
      return tested.param.first + "_" + std::string(to_string(tested.param.second));
    });

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
