// SPDX-License-Identifier: MIT
#include "host/model/schedule.hpp"

#include <algorithm>
#include <utility>

#include "host/core/error.hpp"

namespace impasto {

std::string StepKind::label() const {
  return layer == nullptr ? std::string(name) : fmt::format("{} {}", layer->name, name);
}

TensorId Schedule::external(const Tensor& tensor) {
  tensors_.push_back({.external = &tensor});
  return {tensors_.size() - 1};
}

TensorId Schedule::temporary(const Shape& shape, DataType type) {
  tensors_.push_back({.temporary = {nullptr, shape, type}});
  return {tensors_.size() - 1};
}

TensorId Schedule::input(const Shape& shape, DataType type) {
  const TensorId id = temporary(shape, type);
  tensors_.back().touched = true;
  return id;
}

void Schedule::add(const StepKind& kind, const std::vector<TensorId>& touches, Run run) {
  const std::size_t step = steps_.size();
  for (const TensorId id : touches) {
    Entry& entry = tensors_[id.index];
    if (!entry.touched) entry.first_step = step;
    entry.touched = true;
    entry.last_step = step;
  }
  steps_.push_back({kind, std::move(run)});
}

std::size_t Schedule::place() {
  // Largest first, each at the lowest offset that is free for the whole of its life.
  std::vector<Entry*> waiting;
  for (Entry& entry : tensors_) {
    if (entry.external == nullptr && entry.touched) waiting.push_back(&entry);
  }
  std::stable_sort(waiting.begin(), waiting.end(), [](const Entry* a, const Entry* b) {
    return a->temporary.bytes() > b->temporary.bytes();
  });
  std::vector<const Entry*> placed;  // by offset
  std::size_t total = 0;
  for (Entry* entry : waiting) {
    const std::size_t bytes = aligned_bytes(entry->temporary);
    std::size_t offset = 0;
    for (const Entry* other : placed) {
      const bool lives_together =
          other->first_step <= entry->last_step && entry->first_step <= other->last_step;
      if (!lives_together) continue;
      if (offset + bytes <= other->offset) break;
      offset = std::max(offset, other->offset + aligned_bytes(other->temporary));
    }
    entry->offset = offset;
    total = std::max(total, offset + bytes);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), entry,
                         [](const Entry* a, const Entry* b) { return a->offset < b->offset; }),
        entry);
  }
  return total;
}

void Schedule::bind(void* arena) {
  for (Entry& entry : tensors_) {
    if (entry.external == nullptr)
      entry.temporary.data = static_cast<std::byte*>(arena) + entry.offset;
  }
}

void Schedule::run(Backend& backend) const {
  for (const Step& step : steps_) {
    const std::string label = step.label();
    backend.begin_range(label);
    try {
      step.run(backend, *this);
    } catch (const Error& error) {
      throw Error(error.kind(), label + ": " + error.what());
    }
    backend.end_range();
  }
}

void add_zeros(Schedule& schedule, std::string_view name, TensorId values) {
  schedule.add({.name = name, .operation = "fill_zero"}, {values},
               [=](Backend& backend, const Schedule& s) { backend.fill_zero(s[values]); });
}

}  // namespace impasto
