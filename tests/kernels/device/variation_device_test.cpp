// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/variation/variation.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::variation_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(VariationDevice, MatchesTheReferenceInEveryForm) {
  for (const auto form : {VariationForm::absolute, VariationForm::means, VariationForm::power,
                          VariationForm::nine_point}) {
    for (const MapSize& size : test::map_sizes) {
      if (size.count() > 10000) continue;
      SCOPED_TRACE(testing::Message() << "form " << static_cast<int>(form) << ", " << size);
      const auto pixels = test::gaussian<float>(size.count(), 1, 128, 60);
      const auto held = test::gaussian<float>(size.count(), 2);
      const VariationOptions options{.form = form,
                                     .beta = 2.5,
                                     .loss = 0.01,
                                     .gradient = form == VariationForm::power ? 1e-3 : 0.3};
      GuardedBuffer<double> loss(size.batch);
      GuardedBuffer<double> grad = widened(held);
      reference::variation(loss.data(), grad.data(), widened(pixels).data(), size, options);
      for (const bool with_gradient : {true, false}) {
        GuardedBuffer<float> found_grad(size.count());
        const auto found = test::under_every_schedule([&] {
          DeviceArray<float> x(pixels);
          DeviceArray<float> to(held);
          DeviceArray<float> sums(size.batch);
          DeviceArray<double> workspace(variation_workspace(size));
          test::BlocksDone blocks_done;
          IMPASTO_DEVICE::variation(sums.data(), with_gradient ? to.data() : nullptr, x.data(),
                                    size, options, workspace.data(), blocks_done.data(), nullptr);
          found_grad = to.values();
          return sums.values();
        });
        EXPECT_TRUE(test::is_close(found, loss, {1e-6, 2e-6}));
        if (with_gradient) {
          EXPECT_TRUE(test::is_close(found_grad, grad, {1e-6, 1e-5}));
        } else {
          EXPECT_TRUE(test::same_bits(found_grad, held));
        }
      }
    }
  }
}

}  // namespace
}  // namespace impasto::kernels::variation_device_test
