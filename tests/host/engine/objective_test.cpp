// SPDX-License-Identifier: MIT
#include "host/terms/objective.hpp"

#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "host/engine/config.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::objective_test {
namespace {

Objective three_losses() {
  Objective objective = preset("coursera").objective;
  objective["content"] = {.name = "content", .weight = 2, .layers = {{"conv1_1", 1}, {"pool1", 3}}};
  objective["style"] = {.name = "style", .weight = 5, .layers = {{"relu1_2", 0.5}}};
  objective["tv"].weight = 7;
  return objective;
}

TEST(Losses, AreNamedAndWeightedInTheOrderOfTheTerms) {
  const Losses losses = name_losses(three_losses(), std::vector<float>{10, 20, 30, 40});
  EXPECT_EQ(losses["content"].value, 10 + 3 * 20);
  EXPECT_EQ(losses["content"].weighted, 2 * (10 + 3 * 20));
  EXPECT_EQ(losses["content"].layers,
            (std::vector<std::pair<std::string, double>>{{"conv1_1", 10}, {"pool1", 20}}));
  EXPECT_EQ(losses["style"].value, 15);
  EXPECT_EQ(losses["style"].layers.front().first, "conv1_2") << "by our own name";
  EXPECT_EQ(losses["tv"].value, 40);
  EXPECT_TRUE(losses["tv"].of_pixels);
  EXPECT_EQ(losses.total, 2 * 70 + 5 * 15 + 7 * 40);
  EXPECT_THROW((void)losses["depth"], Error);
}

TEST(Losses, ThatAreFollowedButNotCountedAreNotInTheTotal) {
  Objective objective = three_losses();
  objective["tv"].in_total = false;
  const Losses losses = name_losses(objective, std::vector<float>{10, 20, 30, 40});
  EXPECT_EQ(losses["tv"].weighted, 7 * 40);
  EXPECT_EQ(losses.total, 2 * 70 + 5 * 15);
}

TEST(Losses, AreFiniteOnlyWhenEveryPartIs) {
  Objective objective = three_losses();
  objective["tv"].weight = 0;
  EXPECT_TRUE(name_losses(objective, std::vector<float>{1, 2, 3, 4}).finite());
  EXPECT_FALSE(name_losses(objective, std::vector<float>{1, 2, 3, NAN}).finite());
  EXPECT_FALSE(name_losses(objective, std::vector<float>{1, INFINITY, 3, 4}).finite());
}

TEST(Terms, StandAtTheirLayersOrAtThePixels) {
  const Objective objective = three_losses();
  const Network network(vgg19, objective.pool);
  const auto terms = make_terms(objective, network, {2, 8, 6, 3}, {});
  ASSERT_EQ(terms.size(), 4U);
  EXPECT_EQ(terms[1]->layer(), &vgg19[vgg19.index("pool1")]);
  EXPECT_EQ(terms[1]->target_source(), TargetSource::content);
  EXPECT_EQ(terms[1]->bytes(), std::size_t{2 * 4 * 3 * 64 * sizeof(float)});
  EXPECT_EQ(terms[2]->target_source(), TargetSource::style);
  EXPECT_EQ(terms[3]->layer(), nullptr);
  EXPECT_EQ(terms[3]->target_source(), TargetSource::none);
}

/// A style target is the sum of the pictures' shares, each rounded to float once and added in
/// float: bit for bit what a host that reads the matrices would compute.
TEST(Terms, StyleTargetsAreAveragedOnTheDevice) {
  for (const char* name : {"cpu", "simt"}) {
    const auto backend = make_backend(name, Precision::fp32);
    const Shape map{1, 5, 4, 64};
    TermPlace place{.layer = &vgg19[0], .shape = map};
    const GramLoss loss{{.name = "style", .weight = 1, .layers = {{"conv1_1", 1}}},
                        {.factor = 1, .channel_power = 0, .pixel_power = 1},
                        {}};
    const auto term = loss.make_term(place);
    const std::vector<double> shares = {0.3, 0.7};
    const std::vector<Shape> shapes = {map, {1, 3, 7, 64}};
    std::vector<float> expected(64 * 64);
    std::vector<Buffer> memory = {backend->allocate(term->bytes())};
    term->bind(memory.back().get());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      Tensor features{nullptr, shapes[i], DataType::f32};
      memory.push_back(backend->allocate(features.bytes()));
      features.data = memory.back().get();
      backend->write(features,
                     test::uniform(shapes[i].count(), static_cast<std::uint32_t>(i), 0, 9));
      Schedule schedule;
      const TensorId x = schedule.external(features);
      term->add_target(schedule, x, {&shares[i], i == 0});
      memory.push_back(backend->allocate(schedule.place()));
      schedule.bind(memory.back().get());
      schedule.run(*backend);
      const Tensor gram{memory.back().get(), matrix_shape(1, 64), DataType::f32};
      std::vector<float> values(expected.size());
      backend->read(values, gram);
      const double share = shares[i] * loss.gram_scale.at(shapes[i]);
      for (std::size_t k = 0; k < values.size(); ++k) {
        expected[k] += static_cast<float>(share * static_cast<double>(values[k]));
      }
    }
    std::vector<float> found(expected.size());
    backend->read(found, {memory.front().get(), matrix_shape(1, 64), DataType::f32});
    EXPECT_EQ(found, expected) << name;
  }
}

}  // namespace
}  // namespace impasto::objective_test
