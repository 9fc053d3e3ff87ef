// SPDX-License-Identifier: MIT
#include "host/backend/tuning/chooser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/backend/tuning/own_kernel.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Machine machine = {{"device", "Toy 9000"}};

/// Where a way leaves its number.
using Tensors = std::vector<std::int64_t>*;

Recipe recipe(std::int64_t engine) { return {"toy", {{"engine", engine}}}; }

/// Engines 0, 1, ... of a library that adds their number to a list.
class ToyProblem final : public Problem<Tensors> {
 public:
  explicit ToyProblem(std::vector<std::int64_t> workspaces) : workspaces_(std::move(workspaces)) {}

  std::string describe() const override { return "toy problem"; }
  std::optional<Way<Tensors>> next() override {
    if (next_ == static_cast<std::int64_t>(workspaces_.size())) return std::nullopt;
    return make(recipe(next_++));
  }
  std::optional<Way<Tensors>> make(const Recipe& wanted) override {
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(workspaces_.size()); ++i) {
      if (!(recipe(i) == wanted)) continue;
      made.push_back(i);
      return Way<Tensors>{wanted, workspaces_[static_cast<std::size_t>(i)],
                          [i](const Tensors& list, void* /*workspace*/) { list->push_back(i); }};
    }
    return std::nullopt;
  }
  Stage set_up(std::int64_t workspace_bytes) override {
    if (set_up_error) fail(*set_up_error, "no trials");
    asked_for = workspace_bytes;
    return {&tried, nullptr, nullptr};
  }

  std::vector<std::int64_t> made;   ///< ready, in order
  std::vector<std::int64_t> tried;  ///< run, in order
  std::int64_t asked_for = -1;
  std::optional<ErrorKind> set_up_error;

 private:
  std::vector<std::int64_t> workspaces_;
  std::int64_t next_ = 0;
};

/// Runs every candidate and says that they took `times`.
Chooser::TimeTrials take(std::vector<double> times) {
  return [times = std::move(times)](std::span<const Trial> trials) {
    for (const Trial& trial : trials) trial();
    return std::vector<double>(times.begin(),
                               times.begin() + static_cast<std::ptrdiff_t>(trials.size()));
  };
}

Chooser::TimeTrials must_not_be_timed() {
  return [](std::span<const Trial>) -> std::vector<double> {
    throw std::logic_error("something was timed");
  };
}

/// What the way that was chosen does.
std::int64_t number(const Way<Tensors>& way) {
  std::vector<std::int64_t> list;
  way.enqueue(&list, nullptr);
  return list.at(0);
}

TEST(Chooser, TakesTheFastest) {
  const TemporaryFolder folder;
  ToyProblem problem({0, 512, 64});
  Chooser chooser(Tuning::cached, {folder.path(), machine}, take({3, 2, 4}), {});
  const Way<Tensors> way = chooser.choose(problem);
  EXPECT_EQ(number(way), 1);
  EXPECT_EQ(way.workspace_bytes, 512);
  EXPECT_EQ(problem.asked_for, 512) << "the trials share the largest workspace";
  EXPECT_THAT(problem.tried, ElementsAre(0, 1, 2));
}

TEST(Chooser, KeepsWhatItMeasured) {
  const TemporaryFolder folder;
  ToyProblem problem({0, 512, 64});
  Chooser(Tuning::cached, {folder.path(), machine}, take({3, 2, failed_trial}), {}).choose(problem);
  const auto kept = PlanCache(folder.path(), machine).find("toy problem");
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(*kept, (Choice{recipe(1), 512, {{recipe(0), 3}, {recipe(1), 2}}}));
}

TEST(Chooser, MakesWhatTheCacheSaysAndNothingElse) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("toy problem", {recipe(2), 0, {}});
  ToyProblem problem({0, 0, 0});
  Chooser chooser(Tuning::cached, {folder.path(), machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(chooser.choose(problem)), 2);
  EXPECT_THAT(problem.made, ElementsAre(2));
}

TEST(Chooser, MeasuresAgainWhatTheCacheSaysAndTheLibraryDoesNotHave) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("toy problem", {recipe(77), 0, {}});
  ToyProblem problem({0, 0});
  Chooser chooser(Tuning::cached, {folder.path(), machine}, take({5, 4}), {});
  EXPECT_EQ(number(chooser.choose(problem)), 1);
  EXPECT_EQ(PlanCache(folder.path(), machine).find("toy problem")->recipe, recipe(1));
}

TEST(Chooser, MeasuresEverythingAnewWhenAsked) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("toy problem", {recipe(0), 0, {}});
  ToyProblem problem({0, 0});
  Chooser chooser(Tuning::retune, {folder.path(), machine}, take({5, 4}), {});
  EXPECT_EQ(number(chooser.choose(problem)), 1);
  ToyProblem same({0, 0});
  EXPECT_EQ(number(chooser.choose(same)), 1);
  EXPECT_THAT(same.made, ElementsAre(1)) << "once is enough";
}

TEST(Chooser, TakesTheLibrarysFirstWayWithoutTuning) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("toy problem", {recipe(2), 0, {}});
  ToyProblem problem({0, 0, 0});
  Chooser chooser(Tuning::off, {folder.path(), machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(chooser.choose(problem)), 0);
  EXPECT_THAT(problem.made, ElementsAre(0));
}

TEST(Chooser, TakesTheFirstWayWithoutMemoryForTrials) {
  const TemporaryFolder folder;
  ToyProblem problem({0, 0});
  problem.set_up_error = ErrorKind::out_of_memory;
  Chooser chooser(Tuning::cached, {folder.path(), machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(chooser.choose(problem)), 0);
  EXPECT_FALSE(PlanCache(folder.path(), machine).find("toy problem").has_value());
}

TEST(Chooser, DoesNotTakeALostDeviceForALackOfMemory) {
  ToyProblem problem({0, 0});
  problem.set_up_error = ErrorKind::backend;
  Chooser chooser(Tuning::cached, {"", machine}, must_not_be_timed(), {});
  EXPECT_THROW(chooser.choose(problem), Error);
}

TEST(Chooser, LeavesOutWaysThatNeedTooMuchMemory) {
  const TemporaryFolder folder;
  ToyProblem problem({1001, 1000});
  Chooser chooser(Tuning::off, {folder.path(), machine}, must_not_be_timed(), {1000, {}});
  EXPECT_EQ(number(chooser.choose(problem)), 1);
  PlanCache(folder.path(), machine).store("toy problem", {recipe(0), 1, {}});
  ToyProblem again({1001, 1000});
  Chooser cached(Tuning::cached, {folder.path(), machine}, take({1}), {1000, {}});
  EXPECT_EQ(number(cached.choose(again)), 1) << "the cache does not know better";
}

TEST(Chooser, StopsMakingWaysWhenItsTimeIsSpent) {
  ToyProblem problem({0, 0, 0});
  Chooser chooser(Tuning::cached, {"", machine}, take({1}),
                  {1000, std::chrono::duration<double>(-1)});
  EXPECT_EQ(number(chooser.choose(problem)), 0);
  EXPECT_THAT(problem.made, ElementsAre(0));
}

TEST(Chooser, NamesTheProblemThatNothingSolves) {
  ToyProblem nothing({});
  ToyProblem broken({0});
  Chooser chooser(Tuning::cached, {"", machine}, take({failed_trial}), {});
  for (ToyProblem* problem : {&nothing, &broken}) {
    try {
      (void)chooser.choose(*problem);
      ADD_FAILURE() << "a way was found";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::backend);
      EXPECT_THAT(error.what(), HasSubstr("toy problem"));
    }
  }
}

TEST(Chooser, GoesOnWhereItsChoiceCannotBeKept) {
  const TemporaryFolder folder;
  write_all(folder.file("file"), "");
  const std::string no_folder = folder.file("file") + "/below";
  ToyProblem problem({0, 0});
  Chooser chooser(Tuning::cached, {no_folder, machine}, take({5, 4}), {});
  EXPECT_EQ(number(chooser.choose(problem)), 1);
  ToyProblem again({0, 0});
  EXPECT_EQ(number(chooser.choose(again)), 1);
  EXPECT_THAT(again.made, ElementsAre(1)) << "and knows it as long as it lives";

  ToyProblem asked({0, 0});
  Chooser anew(Tuning::retune, {no_folder, machine}, take({5, 4}), {});
  try {
    (void)anew.choose(asked);
    ADD_FAILURE() << "tuning wrote nothing and said nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_THAT(error.what(), HasSubstr(no_folder));
  }
}

constexpr std::int64_t own = 100;

Way<Tensors> own_kernel() {
  return {{}, 0, [](const Tensors& list, void* /*workspace*/) { list->push_back(own); }};
}

TEST(OwnKernel, ComesAfterTheLibrarysFirstWay) {
  ToyProblem library({0, 0, 0});
  WithOwnKernel<Tensors> problem(library, own_kernel());
  EXPECT_EQ(problem.describe(), library.describe());
  Chooser(Tuning::cached, {"", machine}, take({1, 1, 1, 1}), {}).choose(problem);
  EXPECT_THAT(library.tried, ElementsAre(0, own, 1, 2));
}

TEST(OwnKernel, IsTakenWhereItIsFasterAndFoundAgain) {
  const TemporaryFolder folder;
  ToyProblem library({0, 0});
  WithOwnKernel<Tensors> problem(library, own_kernel());
  Chooser chooser(Tuning::cached, {folder.path(), machine}, take({3, 2, 4}), {});
  EXPECT_EQ(number(chooser.choose(problem)), own);
  ToyProblem untouched({0, 0});
  WithOwnKernel<Tensors> again(untouched, own_kernel());
  Chooser later(Tuning::cached, {folder.path(), machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(later.choose(again)), own);
  EXPECT_THAT(untouched.made, IsEmpty());
}

TEST(OwnKernel, LeavesTheChoiceToTheLibraryUntilSomethingIsMeasured) {
  ToyProblem library({0, 0});
  WithOwnKernel<Tensors> problem(library, own_kernel());
  EXPECT_EQ(number(Chooser(Tuning::off, {"", machine}, must_not_be_timed(), {}).choose(problem)),
            0);
}

TEST(OwnKernel, IsEnoughWhereTheLibraryHasNone) {
  class Refusing final : public Problem<Tensors> {
   public:
    std::string describe() const override { return "refused"; }
    std::optional<Way<Tensors>> next() override { fail(ErrorKind::backend, "no engine"); }
    std::optional<Way<Tensors>> make(const Recipe&) override { return std::nullopt; }
    Stage set_up(std::int64_t) override { return {nullptr, nullptr, nullptr}; }
  };
  ToyProblem empty({});
  Refusing refusing;
  for (Problem<Tensors>* library :
       {static_cast<Problem<Tensors>*>(&empty), static_cast<Problem<Tensors>*>(&refusing)}) {
    WithOwnKernel<Tensors> problem(*library, own_kernel());
    Chooser chooser(Tuning::off, {"", machine}, must_not_be_timed(), {});
    EXPECT_EQ(number(chooser.choose(problem)), own);
    EXPECT_FALSE(problem.next().has_value());
  }
}

}  // namespace
}  // namespace impasto
