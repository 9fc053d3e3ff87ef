// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>

namespace simt {

/// A stack of its own with a page below it that must not be touched: an overflow is a fault there
/// and not damage elsewhere.
class Stack {
 public:
  Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack();

  [[nodiscard]] void* bottom() const { return bottom_; }
  [[nodiscard]] void* top() const;
  [[nodiscard]] static std::size_t size();

 private:
  void* bottom_ = nullptr;
};

/// A function that runs on a stack of its own and can be left and entered again in the middle.
/// Tells AddressSanitizer about every switch.
class Fiber {
 public:
  using Body = void (*)(void*);

  /// Ready to run body(argument) from its beginning, whatever it was doing before.
  void start(Body body, void* argument);
  /// Runs until the fiber leaves or ends. Called from outside any fiber.
  void enter();
  /// Goes back to where `enter` was called. Called from inside this fiber.
  void leave();

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
