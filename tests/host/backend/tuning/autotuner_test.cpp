// SPDX-License-Identifier: MIT
#include "host/backend/tuning/autotuner.hpp"

#include <algorithm>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary_folder.hpp"

namespace impasto::autotuner_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Launches that write their number down, and a timer that lets each take what it is told.
struct Track {
  std::vector<std::size_t> order;
  std::vector<Launch> launches;

  explicit Track(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) launches.push_back([this, i] { order.push_back(i); });
  }
  Timer timer(std::function<double(std::size_t launch, std::size_t turn)> time) {
    return [this, time = std::move(time)](const Launch& launch) {
      launch();
      const auto own =
          static_cast<std::size_t>(std::count(order.begin(), order.end(), order.back()));
      return time(order.back(), own - 1);
    };
  }
};

TEST(TimeInTurns, TakeTurnsAfterWarmingUp) {
  Track track(3);
  (void)time_in_turns(track.launches, track.timer([](auto, auto) { return 1; }), {2, 1e9});
  EXPECT_THAT(track.order, ElementsAre(0, 1, 2, 0, 1, 2, 0, 1, 2));
}

TEST(TimeInTurns, GiveTheMedianWithoutTheWarmUp) {
  Track track(2);
  const std::vector<double> script = {1e6, 5, 900, 4, 6, 5};
  const auto times = time_in_turns(track.launches, track.timer([&](auto launch, auto turn) {
    return launch == 0 ? script[turn] : 2 * script[turn];
  }),
                                   {5, 1e9});
  EXPECT_THAT(times, ElementsAre(5, 10));
}

TEST(TimeInTurns, EndWithTheRoundInWhichTheirTimeIsSpent) {
  Track track(2);
  const auto times =
      time_in_turns(track.launches,
                    track.timer([](auto, auto turn) { return turn == 0 ? 1e9 : 30; }), {100, 100});
  EXPECT_EQ(track.order.size(), 2U * (1 + 2)) << "60 after a round, 120 after two";
  EXPECT_THAT(times, ElementsAre(30, 30));
}

TEST(TimeInTurns, GoOnWithoutOneThatFails) {
  Track track(3);
  track.launches[1] = [] { fail(ErrorKind::backend, "no such kernel"); };
  const auto times =
      time_in_turns(track.launches, track.timer([](auto, auto) { return 2; }), {1, 1e9});
  EXPECT_THAT(times, ElementsAre(2, failed_timing, 2));
  EXPECT_THAT(track.order, ElementsAre(0, 2, 0, 2));
}

TEST(TimeInTurns, MayAllFail) {
  const std::vector<Launch> launches = {[] { fail(ErrorKind::backend, "no"); }};
  const Timer timer = [](const Launch& launch) {
    launch();
    return 1.0;
  };
  EXPECT_THAT(time_in_turns(launches, timer), ElementsAre(failed_timing));
  EXPECT_THAT(time_in_turns({}, timer), IsEmpty());
}

TEST(Agreeing, AreThoseThatMostAgreeWith) {
  const std::vector<float> right = {1, 2, 2};
  const std::vector<float> nearly = {1, 2.0625F, 2};
  const std::vector<float> wrong = {1, 2, 3};
  const std::vector<float> not_a_number = {1, std::nanf(""), 2};
  const auto by = [](const std::vector<std::vector<float>>& results, std::size_t trusted = 0,
                     double tolerance = 0.1) { return agreeing(results, tolerance, trusted); };
  EXPECT_THAT(by({wrong, right, nearly}), ElementsAre(false, true, true));
  EXPECT_THAT(by({wrong, right}, 1), ElementsAre(false, true)) << "of equals the trusted one";
  EXPECT_THAT(by({wrong, right}, 2), ElementsAre(true, false)) << "or the first";
  EXPECT_THAT(by({not_a_number, right, {}}), ElementsAre(false, true, false));
  EXPECT_THAT(by({right, nearly}, 0, 0.01), ElementsAre(true, false));
  EXPECT_THAT(by({{0, 0}, {0, 0}, {0, 1e-30F}}), ElementsAre(true, true, false));
  EXPECT_THAT(by({}), IsEmpty());
}

const Machine machine = {{"device", "Toy 9000"}};

/// Where a candidate leaves its number.
using Call = std::vector<std::int64_t>*;

AlgoId id(std::int64_t engine) { return {"toy", {{"engine", engine}}}; }

/// Engines 0, 1, ... of a library that add their number to a list.
class ToyLibrary final : public Candidates<Call> {
 public:
  explicit ToyLibrary(std::vector<std::int64_t> workspaces) : workspaces_(std::move(workspaces)) {}

  std::optional<Candidate<Call>> next() override {
    if (next_ == static_cast<std::int64_t>(workspaces_.size())) return std::nullopt;
    return find(id(next_++));
  }
  std::optional<Candidate<Call>> find(const AlgoId& wanted) override {
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(workspaces_.size()); ++i) {
      if (!(id(i) == wanted)) continue;
      made.push_back(i);
      return Candidate<Call>{wanted, workspaces_[static_cast<std::size_t>(i)],
                             [i](const Call& list, void* /*workspace*/) { list->push_back(i); }};
    }
    return std::nullopt;
  }
  bool next_is_compiled() override { return next_ >= first_compiled; }
  std::string refusal() const override { return "it is a toy"; }

  MakeTimedCall<Call> make_timed_call() {
    return [this](std::int64_t workspace_bytes) {
      if (memory_error) fail(*memory_error, "no memory to time on");
      asked_for = workspace_bytes;
      const auto result = [this](const Launch& launch) {
        launch();
        const std::int64_t which = timed.back();
        timed.pop_back();
        const auto found = results.find(which);
        return found == results.end() ? std::vector<float>{1, 2} : found->second;
      };
      return TimedCall<Call>{&timed, nullptr, nullptr, result, 0.1};
    };
  }

  std::vector<std::int64_t> made;   ///< ready, in order
  std::vector<std::int64_t> timed;  ///< run, in order
  std::int64_t asked_for = -1;
  std::map<std::int64_t, std::vector<float>> results;  ///< of those that compute no {1, 2}
  std::int64_t first_compiled = 100;                   ///< from this one on they are compiled
  std::optional<ErrorKind> memory_error;

 private:
  std::vector<std::int64_t> workspaces_;
  std::int64_t next_ = 0;
};

Candidate<Call> choose(Autotuner& autotuner, ToyLibrary& library,
                       const std::optional<Candidate<Call>>& own = std::nullopt) {
  return autotuner.choose<Call>({"toy problem", "", 0}, &library, own, library.make_timed_call());
}

/// Runs every candidate and says that they took `times`.
TimeLaunches take(std::vector<double> times) {
  return [times = std::move(times)](std::span<const Launch> launches) {
    for (const Launch& launch : launches) launch();
    return std::vector<double>(times.begin(),
                               times.begin() + static_cast<std::ptrdiff_t>(launches.size()));
  };
}

TimeLaunches must_not_be_timed() {
  return [](std::span<const Launch>) -> std::vector<double> {
    throw std::logic_error("something was timed");
  };
}

/// What the chosen candidate does.
std::int64_t number(const Candidate<Call>& candidate) {
  std::vector<std::int64_t> list;
  candidate.enqueue(&list, nullptr);
  return list.at(0);
}

TEST(Autotuner, TakesTheFastest) {
  const TemporaryFolder folder;
  ToyLibrary library({0, 512, 64});
  Autotuner autotuner(Tuning::cached, {folder.path(), machine}, take({3, 2, 4}), {});
  const Candidate<Call> chosen = choose(autotuner, library);
  EXPECT_EQ(number(chosen), 1);
  EXPECT_EQ(chosen.workspace_bytes, 512);
  EXPECT_EQ(library.asked_for, 512) << "they are timed on the largest workspace";
  EXPECT_THAT(library.timed, ElementsAre(0, 1, 2));
}

TEST(Autotuner, KeepsWhatItMeasured) {
  const TemporaryFolder folder;
  ToyLibrary library({0, 512, 64});
  Autotuner autotuner(Tuning::cached, {folder.path(), machine}, take({3, 2, failed_timing}), {});
  (void)choose(autotuner, library);
  const auto kept = PlanCache(folder.path(), machine).find("toy problem");
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(*kept, (CachedAlgo{id(1), 512, {{id(0), 3}, {id(1), 2}}}));
}

TEST(Autotuner, MakesWhatTheCacheSaysAndNothingElse) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("toy problem", {id(2), 0, {}});
  ToyLibrary library({0, 0, 0});
  Autotuner autotuner(Tuning::cached, {folder.path(), machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(choose(autotuner, library)), 2);
  EXPECT_THAT(library.made, ElementsAre(2));
}

TEST(Autotuner, MeasuresAgainWhatTheCacheSaysAndTheLibraryDoesNotHave) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("toy problem", {id(77), 0, {}});
  ToyLibrary library({0, 0});
  Autotuner autotuner(Tuning::cached, {folder.path(), machine}, take({5, 4}), {});
  EXPECT_EQ(number(choose(autotuner, library)), 1);
  EXPECT_EQ(PlanCache(folder.path(), machine).find("toy problem")->id, id(1));
}

TEST(Autotuner, MeasuresEverythingAgainWhenAsked) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("toy problem", {id(0), 0, {}});
  ToyLibrary library({0, 0});
  Autotuner autotuner(Tuning::retune, {folder.path(), machine}, take({5, 4}), {});
  EXPECT_EQ(number(choose(autotuner, library)), 1);
  ToyLibrary same({0, 0});
  EXPECT_EQ(number(choose(autotuner, same)), 1);
  EXPECT_THAT(same.made, ElementsAre(1)) << "once is enough";
}

TEST(Autotuner, TakesTheLibrarysFirstWithoutTuning) {
  const TemporaryFolder folder;
  PlanCache(folder.path(), machine).store("toy problem", {id(2), 0, {}});
  ToyLibrary library({0, 0, 0});
  Autotuner autotuner(Tuning::off, {folder.path(), machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(choose(autotuner, library)), 0);
  EXPECT_THAT(library.made, ElementsAre(0));
}

TEST(Autotuner, TakesTheFirstWithoutMemoryToTimeOn) {
  const TemporaryFolder folder;
  ToyLibrary library({0, 0});
  library.memory_error = ErrorKind::out_of_memory;
  Autotuner autotuner(Tuning::cached, {folder.path(), machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(choose(autotuner, library)), 0);
  EXPECT_FALSE(PlanCache(folder.path(), machine).find("toy problem").has_value());
}

TEST(Autotuner, DoesNotTakeALostDeviceForALackOfMemory) {
  ToyLibrary library({0, 0});
  library.memory_error = ErrorKind::backend;
  Autotuner autotuner(Tuning::cached, {"", machine}, must_not_be_timed(), {});
  EXPECT_THROW((void)choose(autotuner, library), Error);
}

TEST(Autotuner, LeavesOutCandidatesThatNeedTooMuchMemory) {
  const TemporaryFolder folder;
  ToyLibrary library({1001, 1000});
  Autotuner autotuner(Tuning::off, {folder.path(), machine}, must_not_be_timed(), {1000, {}, {}});
  EXPECT_EQ(number(choose(autotuner, library)), 1);
  PlanCache(folder.path(), machine).store("toy problem", {id(0), 1, {}});
  ToyLibrary again({1001, 1000});
  Autotuner cached(Tuning::cached, {folder.path(), machine}, take({1}), {1000, {}, {}});
  EXPECT_EQ(number(choose(cached, again)), 1) << "the cache does not know better";
}

TEST(Autotuner, CompilesNoMoreCandidatesWhenItsTimeIsSpentAndSaysSo) {
  const TemporaryFolder folder;
  ToyLibrary library({0, 0, 0, 0});
  library.first_compiled = 2;
  Autotuner autotuner(Tuning::cached, {folder.path(), machine}, take({2, 1}),
                      {1000, std::chrono::duration<double>(-1), {}});
  EXPECT_EQ(number(choose(autotuner, library)), 1);
  EXPECT_THAT(library.made, ElementsAre(0, 1));
  EXPECT_FALSE(PlanCache(folder.path(), machine).find("toy problem")->complete);
}

TEST(Autotuner, CompilesOneWhereThereIsNoOther) {
  ToyLibrary library({0, 0});
  library.first_compiled = 0;
  Autotuner autotuner(Tuning::cached, {"", machine}, take({1}),
                      {1000, std::chrono::duration<double>(-1), {}});
  EXPECT_EQ(number(choose(autotuner, library)), 0);
  EXPECT_THAT(library.made, ElementsAre(0));
}

TEST(Autotuner, NeverTakesACandidateThatComputesSomethingElse) {
  const TemporaryFolder folder;
  ToyLibrary library({0, 0, 0});
  library.results = {{1, {1, 3}}};
  Autotuner autotuner(Tuning::cached, {folder.path(), machine}, take({3, 2}), {});
  EXPECT_EQ(number(choose(autotuner, library)), 2);
  EXPECT_THAT(library.timed, ElementsAre(0, 2)) << "nor is it timed";
  const auto kept = PlanCache(folder.path(), machine).find("toy problem");
  EXPECT_THAT(kept->differing, ElementsAre(id(1)));
  EXPECT_TRUE(kept->complete);
}

TEST(Autotuner, TakesWhatANearlyEqualSizeTakesAndStaysWithIt) {
  const TemporaryFolder folder;
  const std::string alike = "toy problem of any size";
  PlanCache cache(folder.path(), machine);
  cache.store("small", {.id = id(0), .alike = alike, .pixels = 40});
  cache.store("large", {.id = id(1), .alike = alike, .pixels = 190});
  cache.store("other", {.id = id(2), .alike = "another problem", .pixels = 100});
  const auto take_of_size = [&](std::int64_t pixels, const std::string& name) {
    ToyLibrary library({0, 0, 0, 0});
    Autotuner autotuner(Tuning::cached, {folder.path(), machine}, take({4, 3, 2, 1}), {});
    return number(autotuner.choose<Call>({name, alike, pixels}, &library, std::nullopt,
                                         library.make_timed_call()));
  };
  EXPECT_EQ(take_of_size(100, "medium"), 1);
  const auto kept = PlanCache(folder.path(), machine).find("medium");
  EXPECT_EQ(kept->taken_from, "large");
  EXPECT_FALSE(kept->complete);
  EXPECT_EQ(take_of_size(1000, "huge"), 3) << "none is near";
  PlanCache(folder.path(), machine).store("nearer", {.id = id(3), .alike = alike, .pixels = 101});
  EXPECT_EQ(take_of_size(100, "medium"), 1) << "the same bits as before";
}

TEST(Autotuner, NamesTheFirstCandidateThatFailed) {
  ToyLibrary library({0, 0});
  library.results = {{0, {}}};
  Autotuner autotuner(Tuning::cached, {"", machine},
                      [](std::span<const Launch>) -> std::vector<double> {
                        fail(ErrorKind::backend, "the device is lost");
                      },
                      {});
  Candidate<Call> failing{{"own kernel", {}}, 0, [](const Call&, void*) {
                            fail(ErrorKind::backend, "illegal address");
                          }};
  try {
    (void)choose(autotuner, library, failing);
    ADD_FAILURE() << "it went on without a device";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::backend);
    EXPECT_THAT(error.what(), HasSubstr("the device is lost"));
    EXPECT_THAT(error.what(), HasSubstr("own kernel: illegal address"));
  }
}

TEST(Autotuner, NamesTheProblemThatNothingSolves) {
  ToyLibrary nothing({});
  ToyLibrary broken({0});
  Autotuner autotuner(Tuning::cached, {"", machine}, take({failed_timing}), {});
  for (ToyLibrary* library : {&nothing, &broken}) {
    try {
      (void)choose(autotuner, *library);
      ADD_FAILURE() << "a candidate was found";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::backend);
      EXPECT_THAT(error.what(), HasSubstr("toy problem"));
      EXPECT_EQ(std::string(error.what()).find("it is a toy") != std::string::npos,
                library == &nothing);
    }
  }
}

TEST(Autotuner, GoesOnWhereItsChoiceCannotBeKept) {
  const TemporaryFolder folder;
  write_all(folder.file("file"), "");
  const std::string no_folder = folder.file("file") + "/below";
  ToyLibrary library({0, 0});
  Autotuner autotuner(Tuning::cached, {no_folder, machine}, take({5, 4}), {});
  EXPECT_EQ(number(choose(autotuner, library)), 1);
  ToyLibrary again({0, 0});
  EXPECT_EQ(number(choose(autotuner, again)), 1);
  EXPECT_THAT(again.made, ElementsAre(1)) << "and knows it as long as it lives";

  ToyLibrary asked({0, 0});
  Autotuner retuning(Tuning::retune, {no_folder, machine}, take({5, 4}), {});
  try {
    (void)choose(retuning, asked);
    ADD_FAILURE() << "tuning wrote nothing and said nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_THAT(error.what(), HasSubstr(no_folder));
  }
}

/// Engines 0 to 2 of a library, each with tiles 0 to 4, of which the library proposes 0. A candidate
/// leaves 10 · engine + tile.
class KnobLibrary final : public Candidates<Call> {
 public:
  static AlgoId id(std::int64_t engine, std::int64_t tile) {
    return {"toy", {{"engine", engine}, {"tile", tile}}};
  }

  std::optional<Candidate<Call>> next() override {
    return next_ == 3 ? std::nullopt : find(id(next_++, 0));
  }
  std::optional<Candidate<Call>> find(const AlgoId& wanted) override {
    const std::int64_t which = 10 * wanted.parameters.at("engine") + wanted.parameters.at("tile");
    made.push_back(which);
    return Candidate<Call>{
        wanted, which == large ? 1 : 0,
        [which](const Call& list, void* /*workspace*/) { list->push_back(which); }};
  }
  std::vector<Knob> knobs(const AlgoId& /*id*/) override { return {{"tile", {0, 1, 2, 3, 4}}}; }

  /// Takes `times` where they say something, else 100.
  std::int64_t choose(const std::map<std::int64_t, double>& times, const std::string& folder,
                      const Autotuner::Limits& limits) {
    std::vector<std::int64_t> list;
    const auto run = [&](const Launch& launch) {
      launch();
      const std::int64_t which = list.back();
      list.pop_back();
      return which;
    };
    const TimeLaunches time = [&](std::span<const Launch> launches) {
      std::vector<double> taken;
      for (const Launch& launch : launches) {
        const auto found = times.find(run(launch));
        taken.push_back(found == times.end() ? 100 : found->second);
      }
      return taken;
    };
    const auto make_timed_call = [&](std::int64_t /*workspace_bytes*/) {
      const auto result = [&](const Launch& launch) {
        return std::vector<float>{1, run(launch) == wrong ? 3.0F : 2.0F};
      };
      return TimedCall<Call>{&list, nullptr, nullptr, result, 0.1};
    };
    Autotuner autotuner(Tuning::retune, {folder, machine}, time, limits);
    return number(
        autotuner.choose<Call>({"toy problem", "", 0}, this, std::nullopt, make_timed_call));
  }

  std::vector<std::int64_t> made;
  std::int64_t wrong = -1;  ///< what computes something else
  std::int64_t large = -1;  ///< what needs more memory than the others
 private:
  std::int64_t next_ = 0;
};

/// Engine 1 is the fastest as the library proposes it, engine 0 with another tile. Nobody asks for
/// engine 2's.
const std::map<std::int64_t, double> times_of_tiles = {{0, 10}, {2, 5},   {10, 8}, {13, 6},
                                                       {14, 7}, {20, 20}, {24, 1}};
constexpr Autotuner::Limits with_search{1000, std::chrono::hours(1), std::chrono::hours(1)};

TEST(AutotunersKnobs, AreSearchedFromTheFastestTwoEngines) {
  const TemporaryFolder folder;
  KnobLibrary library;
  EXPECT_EQ(library.choose(times_of_tiles, folder.path(), with_search), 2);
  EXPECT_THAT(library.made, ElementsAre(0, 10, 20, 11, 12, 13, 14, 1, 2, 3, 4));
  const auto kept = PlanCache(folder.path(), machine).find("toy problem");
  EXPECT_EQ(kept->id, KnobLibrary::id(0, 2));
  EXPECT_THAT(kept->timings,
              ElementsAre(Timing{KnobLibrary::id(0, 0), 10}, Timing{KnobLibrary::id(1, 0), 8},
                          Timing{KnobLibrary::id(2, 0), 20}, Timing{KnobLibrary::id(0, 2), 5}));
  EXPECT_TRUE(kept->complete);
}

TEST(AutotunersKnobs, StayAsProposedWithoutTimeForThem) {
  KnobLibrary library;
  EXPECT_EQ(library.choose(times_of_tiles, "", {1000, std::chrono::hours(1), {}}), 10);
  EXPECT_THAT(library.made, ElementsAre(0, 10, 20));
}

TEST(AutotunersKnobs, GoUnsearchedWhenTheTimeIsSpentAndTheCacheSaysSo) {
  const TemporaryFolder folder;
  KnobLibrary library;
  const std::chrono::duration<double> no_time(1e-9);
  EXPECT_EQ(library.choose(times_of_tiles, folder.path(), {1000, std::chrono::hours(1), no_time}),
            10);
  EXPECT_FALSE(PlanCache(folder.path(), machine).find("toy problem")->complete);
}

TEST(AutotunersKnobs, HaveNoValueThatComputesSomethingElse) {
  const TemporaryFolder folder;
  KnobLibrary library;
  library.wrong = 2;
  EXPECT_EQ(library.choose(times_of_tiles, folder.path(), with_search), 13);
  EXPECT_THAT(PlanCache(folder.path(), machine).find("toy problem")->differing,
              ElementsAre(KnobLibrary::id(0, 2)));
}

TEST(AutotunersKnobs, HaveNoValueThatNeedsMoreMemoryThanThereIsToTimeOn) {
  KnobLibrary library;
  library.large = 2;
  EXPECT_EQ(library.choose(times_of_tiles, "", with_search), 13);
}

constexpr std::int64_t own = 100;

Candidate<Call> own_kernel() {
  return {
      {"own kernel", {}}, 0, [](const Call& list, void* /*workspace*/) { list->push_back(own); }};
}

TEST(OwnKernel, ComesAfterTheLibrarysFirst) {
  ToyLibrary library({0, 0, 0});
  Autotuner autotuner(Tuning::cached, {"", machine}, take({1, 1, 1, 1}), {});
  (void)choose(autotuner, library, own_kernel());
  EXPECT_THAT(library.timed, ElementsAre(0, own, 1, 2));
}

TEST(OwnKernel, IsTimedHoweverLittleTimeThereIs) {
  ToyLibrary library({0, 0, 0});
  Autotuner autotuner(Tuning::cached, {"", machine}, take({2, 1}),
                      {1000, std::chrono::duration<double>(-1), {}});
  library.first_compiled = 0;
  EXPECT_EQ(number(choose(autotuner, library, own_kernel())), own);
  EXPECT_THAT(library.made, ElementsAre(0));
}

TEST(OwnKernel, IsTakenWhereItIsFasterAndFoundAgain) {
  const TemporaryFolder folder;
  ToyLibrary library({0, 0});
  Autotuner autotuner(Tuning::cached, {folder.path(), machine}, take({3, 2, 4}), {});
  EXPECT_EQ(number(choose(autotuner, library, own_kernel())), own);
  ToyLibrary untouched({0, 0});
  Autotuner later(Tuning::cached, {folder.path(), machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(choose(later, untouched, own_kernel())), own);
  EXPECT_THAT(untouched.made, IsEmpty());
}

TEST(OwnKernel, LeavesTheChoiceToTheLibraryUntilSomethingIsMeasured) {
  ToyLibrary library({0, 0});
  Autotuner autotuner(Tuning::off, {"", machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(choose(autotuner, library, own_kernel())), 0);
  EXPECT_THAT(library.made, ElementsAre(0));
}

TEST(OwnKernel, IsEnoughWhereTheLibraryHasNone) {
  ToyLibrary empty({});
  Autotuner untuned(Tuning::off, {"", machine}, must_not_be_timed(), {});
  EXPECT_EQ(number(choose(untuned, empty, own_kernel())), own);
  Autotuner autotuner(Tuning::cached, {"", machine}, take({1}), {});
  EXPECT_EQ(number(choose(autotuner, empty, own_kernel())), own);
  Candidates<Call>* no_library = nullptr;
  EXPECT_EQ(number(untuned.choose({"toy problem", "", 0}, no_library, own_kernel(),
                                  empty.make_timed_call())),
            own);
}

}  // namespace
}  // namespace impasto::autotuner_test
