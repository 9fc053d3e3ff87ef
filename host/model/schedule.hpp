// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"

namespace impasto {

/// A tensor of a schedule: its index in the table.
struct Value {
  std::size_t index = 0;
};

/// A fixed list of operations with the tensors between them. Everything about a pass over the
/// network is decided when the list is built, so that memory is known before it is allocated and a
/// run is nothing but the same calls again.
class Schedule {
 public:
  using Operation = std::function<void(Backend&, const Schedule&)>;
  struct Step {
    std::string name;  ///< "conv3_1 forward": the label of traces, profiles and errors
    Operation run;
  };

  /// A tensor that someone else owns.
  Value external(const Tensor& tensor);
  /// A tensor in the arena, alive from the first step that touches it to the last.
  Value temporary(const Shape& shape, DataType type);

  /// Appends an operation that reads or writes the tensors in `touches`.
  void add(std::string name, std::initializer_list<Value> touches, Operation run);

  /// Places the temporaries: two share memory only when their lifetimes do not overlap. Returns the
  /// bytes the arena needs. To be called once, after the last add().
  std::size_t place();
  /// Gives the temporaries their memory: place()'s number of bytes at `arena`.
  void bind(void* arena);

  [[nodiscard]] const Tensor& operator[](Value value) const { return values_[value.index].tensor; }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  /// Enqueues every step. An error says which one it was.
  void run(Backend& backend) const;

 private:
  struct Entry {
    Tensor tensor;
    bool temporary = false;
    std::size_t first_step = 0;
    std::size_t last_step = 0;
    bool touched = false;
    std::size_t offset = 0;
  };

  std::vector<Entry> values_;
  std::vector<Step> steps_;
};

}  // namespace impasto
