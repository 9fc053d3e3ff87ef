// SPDX-License-Identifier: MIT
#include "host/batch/pipeline.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <omp.h>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "host/batch/grouping.hpp"
#include "host/batch/queue.hpp"

namespace impasto::batch {
namespace {

/// Whether a failure says something about one item, and the next may do better.
bool is_of_one_item(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::input:
    case ErrorKind::diverged:
    case ErrorKind::out_of_memory: return true;
    default: return false;
  }
}

struct Result {
  Stream* stream;
  Work work;
  Outcome outcome;
};

/// Lets the streams share the machine's memory: all compute at once, until one finds too little
/// left for a single picture. That one computes alone.
class MemoryTurns {
 public:
  template <class Compute>
  auto together(const Compute& compute) {
    std::shared_lock lock(mutex_);
    return compute();
  }

  template <class Compute>
  auto alone(const Compute& compute) {
    ++waiting_;
    std::unique_lock lock(mutex_);
    --waiting_;
    return compute();
  }

  /// Whether another stream waits for the memory of this one.
  [[nodiscard]] bool is_waited_for() const { return waiting_ > 0; }

 private:
  std::shared_mutex mutex_;
  std::atomic<int> waiting_{0};
};

class Pipeline {
 public:
  Pipeline(Steps& steps, const PipelineSizes& sizes)
      : steps_(steps),
        sizes_(sizes),
        grouping_(sizes.waiting, sizes.bytes,
                  [this](const Work& work) { return steps_.side_by_side(work); }),
        results_(2 * sizes.savers) {}

  void run() {
    // Streams outlive the savers, which look at them.
    for (std::size_t i = 0; i < sizes_.streams; ++i) streams_.push_back(steps_.open_stream());
    std::vector<std::thread> savers = start(sizes_.savers, [this](std::size_t) { save(); });
    std::vector<std::thread> computing =
        start(sizes_.streams, [this](std::size_t i) { compute(*streams_[i]); });
    std::vector<std::thread> loaders = start(sizes_.loaders, [this](std::size_t) { load(); });
    std::thread watch([this] { watch_for_stop(); });
    join(loaders);
    grouping_.finish();
    join(computing);
    results_.close();
    join(savers);
    over_ = true;
    watch.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  template <class Body>
  std::vector<std::thread> start(std::size_t count, Body body) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([this, body, i] {
        try {
          body(i);
        } catch (...) {
          give_up(std::current_exception());
        }
      });
    }
    return threads;
  }

  static void join(std::vector<std::thread>& threads) {
    for (std::thread& thread : threads) thread.join();
  }

  /// Ends the batch with the first failure that is no item's.
  void give_up(std::exception_ptr failure) {
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::move(failure);
    }
    given_up_ = true;
    grouping_.close();
    results_.close();
  }

  [[nodiscard]] bool stopped() { return given_up_ || steps_.stopped(); }

  void watch_for_stop() {
    while (!over_) {
      if (stopped()) grouping_.close();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  void load() {
    omp_set_num_threads(1);  // the other threads have work of their own
    while (!stopped()) {
      std::optional<Item> item;
      {
        const std::lock_guard lock(next_mutex_);
        item = steps_.next();
      }
      if (!item) return;
      const bool going = of_item(*item, [&] { return grouping_.put(steps_.load(*item)); });
      if (!going) return;
    }
  }

  /// Does something for one item. True as well when that item failed: the others go on.
  template <class Body>
  bool of_item(const Item& item, const Body& body) {
    try {
      return body();
    } catch (const Error& error) {
      if (!is_of_one_item(error.kind())) throw;
      steps_.failed(item, error);
    } catch (const std::bad_alloc&) {
      steps_.failed(item, out_of_memory());
    }
    return true;
  }

  void compute(Stream& stream) {
    omp_set_num_threads(sizes_.threads);
    while (!stopped()) {
      if (turns_.is_waited_for()) stream.forget_plan();
      auto works = grouping_.take(stream.planned());
      if (!works) return;
      compute(stream, std::span(*works));
    }
  }

  /// Side by side where there is room for that and all goes well; else in halves, down to one.
  void compute(Stream& stream, std::span<Work> works) {
    const auto try_it = [&] {
      return stream.compute(
          works,
          [&](const Progress& progress) {
            steps_.reached(stream, works, progress);
            return !stopped();
          },
          steps_.checkpoints(works));
    };
    const auto attempt = [&] {
      std::optional<std::vector<Outcome>> outcomes;
      try {
        outcomes = turns_.together(try_it);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::out_of_memory || works.size() > 1 || streams_.size() == 1) {
          throw;
        }
        stream.forget_plan();
        outcomes = turns_.alone(try_it);
        stream.forget_plan();
      }
      for (std::size_t i = 0; outcomes && i < works.size(); ++i) {
        if (!results_.push({&stream, std::move(works[i]), std::move((*outcomes)[i])})) break;
      }
      return true;
    };
    if (works.size() == 1) {
      const Item item = works.front().item;
      of_item(item, attempt);
      return;
    }
    try {
      attempt();
    } catch (const Error& error) {
      if (!is_of_one_item(error.kind())) throw;
      stream.forget_plan();
      const std::size_t half = works.size() / 2;
      compute(stream, works.first(half));
      compute(stream, works.subspan(half));
    }
  }

  void save() {
    omp_set_num_threads(1);
    while (auto result = results_.pop()) {
      const Item item = result->work.item;
      of_item(item, [&] {
        steps_.save(*result->stream, result->work, std::move(result->outcome));
        return true;
      });
    }
  }

  Steps& steps_;
  const PipelineSizes& sizes_;
  std::vector<std::unique_ptr<Stream>> streams_;
  Grouping grouping_;
  Queue<Result> results_;
  MemoryTurns turns_;
  std::mutex next_mutex_;
  std::atomic<bool> given_up_{false};
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

void run_pipeline(Steps& steps, const PipelineSizes& sizes) { Pipeline(steps, sizes).run(); }

}  // namespace impasto::batch
