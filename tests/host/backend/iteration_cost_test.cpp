// SPDX-License-Identifier: MIT
// What an iteration of 512² in bf16 costs before anybody computes: its launches, counted where the
// host-SIMT machine is handed them, and the bytes that each operation moves at least.
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/step_work.hpp"
#include "host/backend/device/device_backend.hpp"
#include "host/engine/plan.hpp"
#include "simt/machine.hpp"

namespace impasto::iteration_cost_test {
namespace {

constexpr Shape pixels{1, 512, 512, 3};

/// A candidate for every convolution that a library would do: one launch, in which nothing happens.
class CountedConvolutions final : public Libraries {
 public:
  explicit CountedConvolutions(int& launches) : launches_(launches) {}

  using Libraries::candidates;
  std::unique_ptr<Candidates<ConvCall>> candidates(const ConvCall& call) override {
    if (call.problem.kind == ConvProblem::Kind::first_forward) return nullptr;
    return std::make_unique<One>(launches_);
  }

 private:
  struct One final : Candidates<ConvCall> {
    explicit One(int& counted) : launches(counted) {}
    std::optional<Candidate<ConvCall>> next() override {
      if (std::exchange(given, true)) return std::nullopt;
      return Candidate<ConvCall>{
          {"counted", {}}, 0, [&count = launches](const ConvCall&, void*) { ++count; }};
    }
    std::optional<Candidate<ConvCall>> find(const AlgoId& /*id*/) override { return next(); }

    int& launches;
    bool given = false;
  };

  int& launches_;
};

struct Cost {
  int launches = 0;
  double bytes = 0;

  Cost& operator+=(const Cost& other) {
    launches += other.launches;
    bytes += other.bytes;
    return *this;
  }
};

struct Row {
  std::string step;
  std::string operation;
  std::string kernels;
  Cost cost;
};

/// "gram_pipeline, gram_loss, loss_sum"
std::string list_of(std::span<const simt::LaunchCounts> launches) {
  std::string list;
  for (const simt::LaunchCounts& launch : launches) {
    list += (list.empty() ? "" : ", ") + launch.kernel;
  }
  return list;
}

/// What a step of an iteration launches, and the workspace that it takes.
struct Launched {
  std::string kernels;
  int count = 0;
  double workspace = 0;
};

/// Calls visit(step, its network, what it launches) for each step of an iteration of a picture of 512².
template <class Visit>
void count_iteration(const Config& config, Visit visit) {
  int convolutions = 0;
  const auto backend = emulated::make_device_backend(
      "counted", Precision::bf16, std::make_unique<emulated::Runtime>(),
      std::make_unique<CountedConvolutions>(convolutions), Tuning::off, PlanCache("", {}));
  const Network network(*backend, vgg19, config.objective.pool,
                        deepest_layer(config.objective, vgg19));
  Plan plan(network, config, pixels, backend->master_type(), backend->activation_type(), {pixels});
  plan.prepare(*backend);
  plan.bind(backend->allocate(plan.bytes()));

  simt::Counter counter(simt::Counter::Kernels::stay);
  simt::Machine::get().set_counter(&counter);
  const Schedule& iteration = plan.iteration();
  for (const Schedule::Step& step : iteration.steps()) {
    const auto run = [&] { step.run(*backend, iteration); };
    const auto workspace = static_cast<double>(backend->prepare(run));
    const std::size_t before = counter.launches().size();
    convolutions = 0;
    run();
    backend->synchronize();
    const auto launched = std::span(counter.launches()).subspan(before);
    visit(step, network,
          Launched{convolutions > 0 ? "a library's" : list_of(launched),
                   convolutions + static_cast<int>(launched.size()), workspace});
  }
  simt::Machine::get().set_counter(nullptr);
}

/// Each step of an iteration of `coursera`. A step's bytes are the least that its operation moves, and
/// twice its workspace: what lies there between its kernels is written and read.
std::vector<Row> rows() {
  const Config config = preset("coursera");
  std::vector<Row> rows;
  count_iteration(
      config, [&](const Schedule::Step& step, const Network& network, const Launched& launched) {
        const work::Work work =
            bench::work_of(step, network, config.objective.pool, pixels, DataType::bf16);
        rows.push_back({step.label(),
                        std::string(step.operation),
                        launched.kernels,
                        {launched.count, work.bytes + 2 * launched.workspace}});
      });
  return rows;
}

/// How many launches an iteration of each preset is.
std::string table_of_presets() {
  std::string table = "| preset | launches |\n|---|--:|\n";
  for (const std::string& name : preset_names()) {
    int count = 0;
    count_iteration(preset(name), [&](const Schedule::Step& /*step*/, const Network& /*network*/,
                                      const Launched& launched) { count += launched.count; });
    table += fmt::format("| `{}` | {} |\n", name, count);
  }
  return table;
}

std::string table_of(const std::vector<Row>& rows) {
  std::string table = "| step | operation | kernels | launches | MB |\n|---|---|---|--:|--:|\n";
  Cost total;
  for (const Row& row : rows) {
    table += fmt::format("| {} | {} | {} | {} | {:.1f} |\n", row.step, row.operation, row.kernels,
                         row.cost.launches, row.cost.bytes / 1e6);
    total += row.cost;
  }
  return table + fmt::format("| all | | | {} | {:.0f} |\n", total.launches, total.bytes / 1e6);
}

void expect_on_page(const std::string& table) {
  std::ifstream page(IMPASTO_PAGE);
  const std::string text(std::istreambuf_iterator<char>(page), {});
  EXPECT_NE(text.find(table), std::string::npos) << IMPASTO_PAGE << " should have this table:\n\n"
                                                 << table;
}

TEST(IterationCost, IsWhatThePageSaysAndNoMoreThanItShouldBe) {
  const std::vector<Row> steps = rows();
  Cost total;
  for (const Row& row : steps) total += row.cost;
  EXPECT_LE(total.launches, 45);
  EXPECT_LE(total.bytes, 1050e6);
  expect_on_page(table_of(steps));
}

TEST(IterationCost, OfEveryPresetIsWhatThePageSays) { expect_on_page(table_of_presets()); }

}  // namespace
}  // namespace impasto::iteration_cost_test
