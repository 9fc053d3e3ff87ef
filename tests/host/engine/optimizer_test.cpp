// SPDX-License-Identifier: MIT
#include "host/optimizer/optimizer.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/core/error.hpp"

namespace impasto::optimizer_test {
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
    const auto gradient = [&] {
      ++evaluations_;
      const TensorId grad = schedule.temporary(x_.shape, x_.type);
      schedule.add({.name = "gradient"}, {x, c, grad}, [=](Backend& backend, const Schedule& s) {
        backend.axpby(s[grad], 1, s[x], 0);
        backend.axpby(s[grad], -1, s[c], 1);
      });
      return grad;
    };
    optimizer.add_step(schedule, x, {.gradient = gradient});
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
  void add_step(Schedule& schedule, TensorId pixels, const Evaluation& evaluation) const override {
    const TensorId start = schedule.temporary(schedule[pixels].shape, schedule[pixels].type);
    const TensorId first = evaluation.gradient();
    schedule.add({.name = "probe"}, {pixels, start, first}, [=](Backend& b, const Schedule& s) {
      b.axpby(s[start], 1, s[pixels], 0);
      b.axpby(s[pixels], -0.5, s[first], 1);
    });
    const TensorId second = evaluation.gradient();
    schedule.add({.name = "step"}, {pixels, start, second}, [=](Backend& b, const Schedule& s) {
      b.axpby(s[pixels], 1, s[start], 0);
      b.axpby(s[pixels], -0.5, s[second], 1);
    });
  }
};

TEST(Optimizer, AdamsFirstStepIsTheLearningRateAgainstTheGradientsSign) {
  Quadratic quadratic;
  const auto adam = make_optimizer(AdamOptions{.learning_rate = 0.25}, quadratic.pixels(), {});
  for (const float x : quadratic.after(*adam, 1)) EXPECT_NEAR(x, 0.25, 1e-6);
  EXPECT_EQ(quadratic.evaluations(), 1);
}

TEST(Optimizer, DescentFollowsTheGradientWithARateThatFalls) {
  Quadratic quadratic;
  const auto descent = make_optimizer(DescentOptions{.learning_rate = 0.5, .decay = {0.5, 1}},
                                      quadratic.pixels(), {});
  // From 0 the distance from c halves, then keeps three quarters: c·(1 − ½·¾).
  const std::vector<float> found = quadratic.after(*descent, 2);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(found[i], 0.625F * static_cast<float>(i + 1), 1e-6);
  }
}

TEST(Optimizer, EveryOneStaysInTheBoxWhereItIsBoundedAndOnlyThere) {
  const std::vector<OptimizerSettings> all = {AdamOptions{.learning_rate = 500},
                                              LbfgsOptions{.learning_rate = 5000},
                                              DescentOptions{.learning_rate = 500}};
  for (const OptimizerSettings& settings : all) {
    for (const bool bounded : {true, false}) {
      Quadratic quadratic;
      const auto optimizer = make_optimizer(settings, quadratic.pixels(), {.bounded = bounded});
      for (const float x : quadratic.after(*optimizer, 1)) {
        EXPECT_EQ(x <= 255, bounded) << settings.index();
      }
    }
  }
}

TEST(Optimizer, AdamFindsTheMinimum) {
  Quadratic quadratic;
  const auto adam = make_optimizer(AdamOptions{.learning_rate = 0.1}, quadratic.pixels(), {});
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

/// A picture on the reference backend that an optimiser moves along gradients given by hand.
class Moved {
 public:
  Moved(const OptimizerSettings& settings, const OptimizerPlace& place, std::int64_t side)
      : backend_(make_backend("reference")),
        x_{nullptr, {1, side, side, 3}, DataType::f64},
        grad_{nullptr, {1, side, side, 3}, DataType::f64} {
    for (Tensor* tensor : {&x_, &grad_}) {
      memory_.push_back(backend_->allocate(tensor->bytes()));
      tensor->data = memory_.back().get();
    }
    backend_->fill_zero(x_);
    optimizer_ = make_optimizer(settings, x_, place);
    optimizer_->add_step(schedule_, schedule_.external(x_),
                         {.gradient = [&] { return schedule_.external(grad_); }});
    memory_.push_back(backend_->allocate(optimizer_->bytes()));
    optimizer_->bind(memory_.back().get());
    optimizer_->reset(*backend_);
    memory_.push_back(backend_->allocate(schedule_.place()));
    schedule_.bind(memory_.back().get());
  }

  /// The picture after a step along a gradient that is the same everywhere.
  std::vector<float> step(float gradient) {
    const auto count = static_cast<std::size_t>(x_.shape.count());
    backend_->write(grad_, std::vector<float>(count, gradient));
    schedule_.run(*backend_);
    std::vector<float> values(count);
    backend_->read(values, x_);
    return values;
  }
  [[nodiscard]] Optimizer& optimizer() { return *optimizer_; }
  [[nodiscard]] OptimizerState state() { return optimizer_->state(*backend_, grad_); }
  [[nodiscard]] Backend& backend() { return *backend_; }

 private:
  std::unique_ptr<Backend> backend_;
  Tensor x_;
  Tensor grad_;
  Schedule schedule_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<Buffer> memory_;
};

TEST(Optimizer, EachLevelOfAPyramidMovesThePictureByItsOwnStep) {
  const AdamOptions options{.learning_rate = 0.25};
  for (const std::int64_t levels : {1, 2, 3}) {
    Moved moved(options, {.pyramid_levels = levels}, 37);
    for (const float x : moved.step(-1)) ASSERT_NEAR(x, 0.25 * static_cast<double>(levels), 1e-6);
  }
  // A level under 8 pixels a side is none.
  Moved small(options, {.pyramid_levels = 9}, 17);
  for (const float x : small.step(-1)) ASSERT_NEAR(x, 0.5, 1e-6);
}

TEST(Optimizer, APyramidStaysWithinTheBoundsOfThePicture) {
  Moved moved(AdamOptions{.learning_rate = 0.25, .lowest = -0.3, .highest = 0.3},
              {.pyramid_levels = 3}, 40);
  for (const float x : moved.step(-1)) ASSERT_NEAR(x, 0.3, 1e-6);
}

/// A gradient that is the same in all three colours is one of brightness, the first column.
TEST(Optimizer, DecorrelatedColoursMoveByTheirOwnSteps) {
  const auto& m = kernels::decorrelated_to_rgb.values;
  for (const std::int64_t levels : {1, 2}) {
    Moved moved(AdamOptions{.learning_rate = 0.25},
                {.pyramid_levels = levels, .decorrelated = true}, 37);
    const std::vector<float> x = moved.step(-1);
    // The columns are nearly at right angles.
    for (std::size_t i = 0; i < x.size(); i += 3) {
      ASSERT_NEAR(m[0] * x[i] + m[3] * x[i + 1] + m[6] * x[i + 2],
                  0.25 * static_cast<double>(levels), 0.01);
    }
  }
  Moved bounded(AdamOptions{.learning_rate = 300}, {.decorrelated = true, .bounded = true}, 8);
  for (const float value : bounded.step(-1)) {
    ASSERT_GE(value, 0);
    ASSERT_LE(value, 255);
  }
  EXPECT_GT(bounded.step(-1).front(), 250);
}

TEST(Optimizer, AdamGoesOnAtAFinerScaleWithTheMomentsOfTheCoarser) {
  const AdamOptions options{.learning_rate = 0.25};
  Moved coarse(options, {.pyramid_levels = 2}, 20);
  coarse.step(-1);
  Moved fine(options, {.pyramid_levels = 2}, 40);
  Moved anew(options, {.pyramid_levels = 2}, 40);
  fine.optimizer().resume(fine.backend(), coarse.state());
  // Four times the pixels: a quarter of the gradient is the same slope, and the step is the same.
  // With a gradient that turns round it nearly stops: 0.9·0.1·(−1) + 0.1·1 is little.
  const double root = std::sqrt((0.999 * 0.001 + 0.001) / (1 - 0.999 * 0.999));
  const double expected = 0.25 * ((0.9 * 0.1 - 0.1) / (1 - 0.81)) / root;
  for (const float x : fine.step(0.25F)) ASSERT_NEAR(x, 2 * expected, 1e-4);
  for (const float x : anew.step(0.25F)) ASSERT_NEAR(x, -0.5, 1e-6);
}

TEST(Optimizer, TheRateOfDescentGoesOnFallingAtAFinerScale) {
  const DescentOptions options{.learning_rate = 1, .decay = {0.5, 1}};
  Moved coarse(options, {}, 4);
  coarse.step(-1);
  coarse.step(-1);
  Moved fine(options, {}, 8);
  fine.optimizer().resume(fine.backend(), coarse.state());
  for (const float x : fine.step(-1)) ASSERT_NEAR(x, 0.25, 1e-6);
}

TEST(Optimizer, LbfgsOptimisesPixels) {
  Quadratic quadratic;
  const auto lbfgs = make_optimizer(LbfgsOptions{.history = 3}, quadratic.pixels(), {});
  const std::vector<float> found = quadratic.after(*lbfgs, 8);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i], static_cast<float>(i + 1), 1e-5);
  EXPECT_THROW(make_optimizer(LbfgsOptions{}, quadratic.pixels(), {.pyramid_levels = 2}), Error);
  EXPECT_THROW(make_optimizer(LbfgsOptions{}, quadratic.pixels(), {.decorrelated = true}), Error);
}

}  // namespace
}  // namespace impasto::optimizer_test
