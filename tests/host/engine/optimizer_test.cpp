// SPDX-License-Identifier: MIT
#include "host/optimizer/optimizer.hpp"

#include <gtest/gtest.h>

#include "host/backend/registry.hpp"

namespace impasto {
namespace {

/// f(x) = ½·Σ (x − c)² of four values on the reference backend, with an optimiser on it.
class Quadratic {
 public:
  Quadratic() : backend_(make_backend("reference")) {
    for (Tensor* tensor : {&x_, &c_}) {
      memory_.push_back(backend_->allocate(tensor->bytes()));
      tensor->data = memory_.back().get();
    }
    backend_->write(c_, std::vector<float>{1, 2, 3, 4});
    backend_->fill_zero(x_);
  }

  [[nodiscard]] const Tensor& pixels() const { return x_; }
  [[nodiscard]] int evaluations() const { return evaluations_; }

  std::vector<float> after(Optimizer& optimizer, int steps) {
    Schedule schedule;
    const TensorId x = schedule.external(x_);
    const TensorId c = schedule.external(c_);
    optimizer.add_step(schedule, x, [&] {
      ++evaluations_;
      const TensorId grad = schedule.temporary(x_.shape, x_.type);
      schedule.add({.name = "gradient"}, {x, c, grad}, [=](Backend& backend, const Schedule& s) {
        backend.axpby(s[grad], 1, s[x], 0);
        backend.axpby(s[grad], -1, s[c], 1);
      });
      return grad;
    });
    memory_.push_back(backend_->allocate(optimizer.bytes()));
    optimizer.bind(memory_.back().get());
    optimizer.reset(*backend_);
    memory_.push_back(backend_->allocate(schedule.place()));
    schedule.bind(memory_.back().get());
    const auto recorded = backend_->record([&] { schedule.run(*backend_); });
    for (int i = 0; i < steps; ++i) recorded->replay();
    std::vector<float> values(4);
    backend_->read(values, x_);
    return values;
  }

 private:
  std::unique_ptr<Backend> backend_;
  std::vector<Buffer> memory_;
  Tensor x_{nullptr, {1, 1, 1, 4}, DataType::f64};
  Tensor c_{nullptr, {1, 1, 1, 4}, DataType::f64};
  int evaluations_ = 0;
};

/// x − r·∇f(x − r·∇f(x)): the simplest method with two evaluations.
class ExtraGradient final : public Optimizer {
 public:
  void add_step(Schedule& schedule, TensorId pixels, const Evaluate& evaluate) const override {
    const TensorId start = schedule.temporary(schedule[pixels].shape, schedule[pixels].type);
    const TensorId first = evaluate();
    schedule.add({.name = "probe"}, {pixels, start, first}, [=](Backend& b, const Schedule& s) {
      b.axpby(s[start], 1, s[pixels], 0);
      b.axpby(s[pixels], -0.5, s[first], 1);
    });
    const TensorId second = evaluate();
    schedule.add({.name = "step"}, {pixels, start, second}, [=](Backend& b, const Schedule& s) {
      b.axpby(s[pixels], 1, s[start], 0);
      b.axpby(s[pixels], -0.5, s[second], 1);
    });
  }
};

TEST(Optimizer, AdamsFirstStepIsTheLearningRateAgainstTheGradientsSign) {
  Quadratic quadratic;
  const auto adam =
      make_optimizer(AdamOptions{.learning_rate = 0.25}, quadratic.pixels(), /*gradient_scale=*/1);
  for (const float x : quadratic.after(*adam, 1)) EXPECT_NEAR(x, 0.25, 1e-6);
  EXPECT_EQ(quadratic.evaluations(), 1);
}

TEST(Optimizer, AdamFindsTheMinimum) {
  Quadratic quadratic;
  const auto adam = make_optimizer(AdamOptions{.learning_rate = 0.1}, quadratic.pixels(), 1);
  const std::vector<float> found = quadratic.after(*adam, 400);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i], static_cast<float>(i + 1), 1e-3);
}

TEST(Optimizer, MayEvaluateTwiceWithinOneRecordedStep) {
  Quadratic quadratic;
  ExtraGradient optimizer;
  // The error shrinks by 1 − r + r² = 0.75 a step.
  const std::vector<float> found = quadratic.after(optimizer, 3);
  EXPECT_EQ(quadratic.evaluations(), 2);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(found[i], static_cast<double>(i + 1) * (1 - 0.75 * 0.75 * 0.75), 1e-6);
  }
}

}  // namespace
}  // namespace impasto
