// SPDX-License-Identifier: MIT
#include "host/model/schedule.hpp"

#include <algorithm>
#include <utility>

#include "host/core/error.hpp"

namespace impasto {
Value Schedule::external(const Tensor& tensor) {
  values_.push_back({.tensor = tensor});
  return {values_.size() - 1};
}

Value Schedule::temporary(const Shape& shape, DataType type) {
  values_.push_back({.tensor = {nullptr, shape, type}, .temporary = true});
  return {values_.size() - 1};
}

void Schedule::add(std::string name, std::initializer_list<Value> touches, Operation run) {
  const std::size_t step = steps_.size();
  for (const Value value : touches) {
    Entry& entry = values_[value.index];
    if (!entry.touched) entry.first_step = step;
    entry.touched = true;
    entry.last_step = step;
  }
  steps_.push_back({std::move(name), std::move(run)});
}

std::size_t Schedule::place() {
  // Largest first, each at the lowest offset that is free for the whole of its life.
  std::vector<Entry*> waiting;
  for (Entry& entry : values_) {
    if (entry.temporary && entry.touched) waiting.push_back(&entry);
  }
  std::stable_sort(waiting.begin(), waiting.end(), [](const Entry* a, const Entry* b) {
    return a->tensor.bytes() > b->tensor.bytes();
  });
  std::vector<const Entry*> placed;  // by offset
  std::size_t total = 0;
  for (Entry* entry : waiting) {
    const std::size_t bytes = aligned_bytes(entry->tensor);
    std::size_t offset = 0;
    for (const Entry* other : placed) {
      const bool lives_together =
          other->first_step <= entry->last_step && entry->first_step <= other->last_step;
      if (!lives_together) continue;
      if (offset + bytes <= other->offset) break;
      offset = std::max(offset, other->offset + aligned_bytes(other->tensor));
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
  for (Entry& entry : values_) {
    if (entry.temporary) entry.tensor.data = static_cast<std::byte*>(arena) + entry.offset;
  }
}

void Schedule::run(Backend& backend) const {
  for (const Step& step : steps_) {
    backend.begin_range(step.name);
    try {
      step.run(backend, *this);
    } catch (const Error& error) {
      throw Error(error.kind(), step.name + ": " + error.what());
    }
    backend.end_range();
  }
}

}  // namespace impasto
