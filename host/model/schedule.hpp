// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/vgg.hpp"

namespace impasto {

/// A tensor of a schedule: its index in the table.
struct TensorId {
  std::size_t index = 0;
};

/// What a step of a schedule is.
struct StepKind {
  /// For people: "style loss".
  std::string_view name = {};
  /// The function of Backend that it calls: "gram_loss".
  std::string_view operation = {};
  /// Where in the network it takes place; null where it is about the pixels alone.
  const VggLayer* layer = nullptr;
  /// How it adds to a feature map's gradient; none for a step that does not.
  std::optional<GradientEpilogue> epilogue = {};

  /// "conv3_1 style loss": in traces, profiles and errors.
  [[nodiscard]] std::string label() const;
};

/// A fixed list of operations with the tensors between them. Everything about a pass over the
/// network is decided when the list is built, so that memory is known before it is allocated and a
/// run is nothing but the same calls again.
class Schedule {
 public:
  using Run = std::function<void(Backend&, const Schedule&)>;
  struct Step : StepKind {
    Run run;
  };

  /// A tensor that someone else owns, which may get its memory later but stays where it is.
  TensorId external(const Tensor& tensor);
  /// A tensor in the arena, alive from the first step that touches it to the last.
  TensorId temporary(const Shape& shape, DataType type);

  /// The same, which holds something when the schedule begins: alive from the start.
  TensorId input(const Shape& shape, DataType type);

  /// Appends an operation that reads or writes the tensors in `touches`.
  void add(const StepKind& kind, const std::vector<TensorId>& touches, Run run);

  /// Places the temporaries: two share memory only when their lifetimes do not overlap. Returns the
  /// bytes the arena needs. To be called once, after the last add().
  std::size_t place();
  /// Gives the temporaries their memory: place()'s number of bytes at `arena`.
  void bind(void* arena);

  [[nodiscard]] const Tensor& operator[](TensorId id) const {
    const Entry& entry = tensors_[id.index];
    return entry.external != nullptr ? *entry.external : entry.temporary;
  }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  /// Enqueues every step. An error says which one it was.
  void run(Backend& backend) const;

 private:
  struct Entry {
    const Tensor* external = nullptr;
    Tensor temporary = {};
    std::size_t first_step = 0;
    std::size_t last_step = 0;
    bool touched = false;
    std::size_t offset = 0;
  };

  std::deque<Entry> tensors_;  // its entries stay where they are while others are added
  std::vector<Step> steps_;
};

/// Appends what sets a tensor to 0.
void add_zeros(Schedule& schedule, std::string_view name, TensorId values);

}  // namespace impasto
