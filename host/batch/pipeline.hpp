// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "host/batch/stream.hpp"
#include "host/core/error.hpp"

namespace impasto::batch {

/// What a pipeline does with items, and whom it tells. All but next() are called from several
/// threads at once. What they throw of the kinds usage, input, diverged and out_of_memory is the
/// failure of one item; everything else ends the batch, since the next item would fail like it.
class Steps {
 public:
  Steps() = default;
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;
  virtual ~Steps() = default;

  /// The next item to make; nothing at the end.
  virtual std::optional<Item> next() = 0;
  /// Reads the item's pictures.
  virtual Work load(const Item& item) = 0;
  /// How many works of this kind are computed side by side.
  virtual std::size_t side_by_side(const Work& work) = 0;
  virtual std::unique_ptr<Stream> open_stream() = 0;
  /// Encodes and writes the result.
  virtual void save(Stream& stream, const Work& work, Outcome outcome) = 0;
  virtual void failed(const Item& item, const Error& reason) = 0;
  /// How far a stream is with works, after every iteration.
  virtual void reached(Stream& stream, std::span<const Work> works, const Progress& progress) = 0;
  /// How often works are kept on their way, and what keeps them.
  virtual Checkpoints checkpoints(std::span<const Work> works) = 0;
  /// Asked often. Once true, what is being computed is given up.
  virtual bool stopped() = 0;
};

struct PipelineSizes {
  std::size_t loaders = 1;
  std::size_t streams = 1;
  int threads = 1;  ///< of each stream
  std::size_t savers = 1;
  std::size_t waiting = 16;                   ///< works that wait for others of their kind
  std::size_t bytes = std::size_t{1} << 29U;  ///< of their pictures, at most, about
};

/// Makes all items: loaders read pictures ahead, streams compute, savers write behind, all at once
/// and with room for only so many pictures between them. Returns when next() has no more or
/// stopped(). Throws what ends the batch.
void run_pipeline(Steps& steps, const PipelineSizes& sizes);

}  // namespace impasto::batch
