// SPDX-License-Identifier: MIT
#include "simt/fiber.hpp"

#include <boost/context/detail/fcontext.hpp>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace simt {
namespace {

namespace context = boost::context::detail;

std::size_t page() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

Stack::Stack() {
  void* memory = mmap(nullptr, size() + page(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (mprotect(memory, page(), PROT_NONE) != 0) throw std::bad_alloc();
  bottom_ = static_cast<char*>(memory) + page();
}

Stack::~Stack() { munmap(static_cast<char*>(bottom_) - page(), size() + page()); }

void* Stack::top() const { return static_cast<char*>(bottom_) + size(); }

struct Fiber::Entry {
  [[noreturn]] static void run(context::transfer_t from) {
    auto* fiber = static_cast<Fiber*>(from.data);
    finish_switch(nullptr, &fiber->caller_bottom_, &fiber->caller_size_);
    fiber->caller_ = from.fctx;
    fiber->body_(fiber->argument_);
    fiber->leave();
    __builtin_unreachable();
  }
};

void Fiber::start(Body body, void* argument) {
  body_ = body;
  argument_ = argument;
  sanitizer_stack_ = nullptr;
  unpoison(stack_->bottom(), Stack::size());
  context_ = context::make_fcontext(stack_->top(), Stack::size(), &Entry::run);
}

void Fiber::enter() {
  void* own_notes = nullptr;
  start_switch(&own_notes, stack_->bottom(), Stack::size());
  context_ = context::jump_fcontext(context_, this).fctx;
  finish_switch(own_notes, nullptr, nullptr);
}

void Fiber::leave() {
  start_switch(&sanitizer_stack_, caller_bottom_, caller_size_);
  caller_ = context::jump_fcontext(caller_, nullptr).fctx;
  finish_switch(sanitizer_stack_, &caller_bottom_, &caller_size_);
}

}  // namespace simt
