// SPDX-License-Identifier: MIT
// A NaN in what an operation reads is one in what it writes, on every backend: a device that computes
// no numbers shows in the losses or in the picture.
#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/host/backend/tested.hpp"
#include "tests/support/nan_inputs.hpp"

namespace impasto::nan_test {
namespace {

struct Size {
  Shape map;
  std::int64_t out_channels;
};

/// Packs of channels and half a window; a batch, and channels that fill no vector.
const std::vector<Size> sizes = {{{1, 6, 5, 64}, 64}, {{2, 5, 7, 6}, 5}};

/// An input that shows in no output.
struct Hidden {
  std::string op;
  std::size_t tensor;
  std::string reason;
  bool (*in)(const OpCase& op_case) = [](const OpCase&) { return true; };
};

bool masks(const OpCase& op_case) { return op_case.epilogue->relu_mask; }
bool reads_no_squares(const OpCase& op_case) { return op_case.pool->mode != kernels::PoolMode::l2; }

const std::string mask = "says where the gradient is 0";
const std::vector<Hidden> hidden = {
    {"conv_data_gradient", 2, mask},
    {"pool_backward", 2, mask + ", or which cell gets it", reads_no_squares},
    {"pool_backward_noted", 3, mask},
    {"max_blur_backward", 2, mask + ", and which cell gets it"},
    {"guide_backward", 2, mask},
    {"crop_backward", 2, mask},
    {"normalize_gradient", 2, mask},
    {"statistics_backward", 1, "a value reaches its own gradient alone, which it masks", masks},
    {"lbfgs", 1, "the first step writes the direction"},
    {"lbfgs", 2, "and the gradient before the next"},
    {"lbfgs", 3, "the case writes the gradient"}};

bool is_hidden(const std::string& op, const OpCase& op_case, std::size_t tensor) {
  return std::ranges::any_of(hidden, [&](const Hidden& one) {
    return one.op == op && one.tensor == tensor && one.in(op_case);
  });
}

TEST(NanOfTheReference, ShowsUnlessTheFormulaHidesIt) {
  const auto reference = make_backend("reference");
  for (const Size& size : sizes) {
    for_each_case(size.map, size.out_channels, DataType::f32,
                  [&](const std::string& op, const std::string& what, const OpCase& op_case) {
                    for (const auto& [tensor, outputs] :
                         test::run_with_nan(op_case, *reference, DataType::f32)) {
                      EXPECT_EQ(test::count_nan(outputs) == 0, is_hidden(op, op_case, tensor))
                          << op << " " << what << ", tensor " << tensor;
                    }
                  });
  }
}

using test::Tested;

class Nan : public test::TestsBackend {};

TEST_P(Nan, ShowsWhereverTheReferenceHasOne) {
  const auto tested = test::make(GetParam());
  const auto reference = make_backend("reference");
  const DataType storage = tested->activation_type();
  for (const Size& size : sizes) {
    for_each_case(size.map, size.out_channels, storage,
                  [&](const std::string& op, const std::string& what, const OpCase& op_case) {
                    const auto found = test::run_with_nan(op_case, *tested, storage);
                    const auto expected = test::run_with_nan(op_case, *reference, storage);
                    ASSERT_EQ(found.size(), expected.size());
                    for (std::size_t i = 0; i < expected.size(); ++i) {
                      EXPECT_EQ(test::count_lost(found[i].outputs, expected[i].outputs), 0)
                          << op << " " << what << ", tensor " << expected[i].tensor;
                    }
                  });
  }
}

INSTANTIATE_TEST_SUITE_P(
    Backends, Nan,
    testing::Values(Tested{"cpu", Precision::fp32}, Tested{"cpu", Precision::winograd},
                    Tested{"cpu", Precision::bf16}, Tested{"simt", Precision::fp32},
                    Tested{"simt", Precision::tf32}, Tested{"simt", Precision::bf16},
                    Tested{"simt", Precision::fp16}, Tested{"cuda", Precision::fp32},
                    Tested{"cuda", Precision::tf32}, Tested{"cuda", Precision::bf16},
                    Tested{"cuda", Precision::fp16}),
    test::name_of);

}  // namespace
}  // namespace impasto::nan_test
