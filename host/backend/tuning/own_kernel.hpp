// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "host/backend/tuning/chooser.hpp"

namespace impasto {

/// A library's ways to solve a problem and a kernel of ours beside them. It comes second: untimed,
/// the library's first way is taken, and timed, the kernel is among the candidates however few of
/// them there is time to make.
template <class Tensors>
class WithOwnKernel final : public Problem<Tensors> {
 public:
  using typename Problem<Tensors>::Stage;

  /// The library must outlive the object. The kernel's recipe is its name.
  WithOwnKernel(Problem<Tensors>& library, Way<Tensors> kernel)
      : library_(library), kernel_(std::move(kernel)) {
    kernel_.recipe = {"own kernel", {}};
  }

  [[nodiscard]] std::string describe() const override { return library_.describe(); }

  [[nodiscard]] std::optional<Way<Tensors>> next() override {
    if (turn_++ == 1) return kernel_;
    try {
      if (std::optional<Way<Tensors>> way = library_.next()) return way;
    } catch (const Error& error) {
      // The kernel is enough.
      if (error.kind() != ErrorKind::backend) throw;
    }
    // A library that has no way at all leaves its turn to the kernel.
    if (turn_ > 1) return std::nullopt;
    ++turn_;
    return kernel_;
  }

  [[nodiscard]] std::optional<Way<Tensors>> make(const Recipe& recipe) override {
    if (recipe == kernel_.recipe) return kernel_;
    return library_.make(recipe);
  }

  [[nodiscard]] Stage set_up(std::int64_t workspace_bytes) override {
    return library_.set_up(workspace_bytes);
  }

 private:
  Problem<Tensors>& library_;
  Way<Tensors> kernel_;
  int turn_ = 0;
};

}  // namespace impasto
