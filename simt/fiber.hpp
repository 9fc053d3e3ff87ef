// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>

#include "simt/sanitizer.hpp"

namespace simt {

/// A stack with a guard page below it, so that an overflow faults instead of damaging something.
class Stack {
 public:
  Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack();

  [[nodiscard]] void* bottom() const { return bottom_; }
  [[nodiscard]] void* top() const;
  /// Kernels have small arrays; AddressSanitizer adds room around each of them.
  [[nodiscard]] static constexpr std::size_t size() {
    return has_address_sanitizer ? 256U << 10U : 64U << 10U;
  }

 private:
  void* bottom_ = nullptr;
};

/// A function with its own stack, which can be left in the middle and entered again there. Every
/// switch is announced to AddressSanitizer.
class Fiber {
 public:
  using Body = void (*)(void*);

  /// Makes it ready to run body(argument) from the beginning, whatever it was doing.
  void start(Body body, void* argument);
  /// Runs until the fiber leaves or ends. Called from outside any fiber.
  void enter();
  /// Goes back to where `enter` was called. Called from inside this fiber.
  void leave();
  /// Whether the address lies on its stack.
  [[nodiscard]] bool owns(const void* address) const {
    const auto* byte = static_cast<const char*>(address);
    const auto* bottom = static_cast<const char*>(stack_->bottom());
    return byte >= bottom && byte < bottom + Stack::size();
  }

 private:
  struct Entry;

  std::unique_ptr<Stack> stack_ = std::make_unique<Stack>();
  void* context_ = nullptr;  ///< where the fiber goes on
  void* caller_ = nullptr;   ///< where `enter` was called
  Body body_ = nullptr;
  void* argument_ = nullptr;
  void* sanitizer_stack_ = nullptr;  ///< AddressSanitizer's own notes on this stack
  const void* caller_bottom_ = nullptr;
  std::size_t caller_size_ = 0;
};

}  // namespace simt
