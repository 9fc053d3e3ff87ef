// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simt/machine.hpp"

/// The functions that -fsanitize=thread makes a traced kernel call before every load and store.
/// Only the compiler's instrumentation is used; ThreadSanitizer's own runtime is never linked.

namespace {

constexpr int order = __ATOMIC_SEQ_CST;

void note(simt::Access access, const void* address, std::size_t size, const void* return_address) {
  simt::Machine* machine = simt::Machine::in_kernel();
  if (machine == nullptr) return;
  const simt::Machine::NoTrace no_trace;
  try {
    machine->check(access, address, size, simt::caller(return_address));
    return;
  } catch (const simt::Machine::Stopped&) {
    // The compiler assumes that these functions do not throw.
  }
  machine->abandon();
}

void note_copy(void* to, const void* from, std::size_t size, const void* return_address) {
  note(simt::Access::read, from, size, return_address);
  note(simt::Access::write, to, size, return_address);
}

}  // namespace

#define SIMT_TRACE(name, access, size)                                      \
  void name(void* address) {                                                \
    note(simt::Access::access, address, size, __builtin_return_address(0)); \
  }
#define SIMT_TRACE_SIZE(size)                          \
  SIMT_TRACE(__tsan_read##size, read, size)            \
  SIMT_TRACE(__tsan_write##size, write, size)          \
  SIMT_TRACE(__tsan_volatile_read##size, read, size)   \
  SIMT_TRACE(__tsan_volatile_write##size, write, size) \
  SIMT_TRACE(__tsan_unaligned_read##size, read, size)  \
  SIMT_TRACE(__tsan_unaligned_write##size, write, size)

#define SIMT_ATOMICS(bits, type)                                                               \
  type __tsan_atomic##bits##_load(const type* at, int) { return __atomic_load_n(at, order); }  \
  void __tsan_atomic##bits##_store(type* at, type value, int) {                                \
    __atomic_store_n(at, value, order);                                                        \
  }                                                                                            \
  type __tsan_atomic##bits##_exchange(type* at, type value, int) {                             \
    return __atomic_exchange_n(at, value, order);                                              \
  }                                                                                            \
  type __tsan_atomic##bits##_fetch_add(type* at, type value, int) {                            \
    return __atomic_fetch_add(at, value, order);                                               \
  }                                                                                            \
  type __tsan_atomic##bits##_fetch_sub(type* at, type value, int) {                            \
    return __atomic_fetch_sub(at, value, order);                                               \
  }                                                                                            \
  int __tsan_atomic##bits##_compare_exchange_strong(type* at, type* expected, type value, int, \
                                                    int) {                                     \
    return __atomic_compare_exchange_n(at, expected, value, false, order, order) ? 1 : 0;      \
  }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void* /*caller*/) {}
void __tsan_func_exit() {}

SIMT_TRACE_SIZE(1)
SIMT_TRACE_SIZE(2)
SIMT_TRACE_SIZE(4)
SIMT_TRACE_SIZE(8)
SIMT_TRACE_SIZE(16)

void __tsan_read_range(void* address, std::size_t size) {
  note(simt::Access::read, address, size, __builtin_return_address(0));
}
void __tsan_write_range(void* address, std::size_t size) {
  note(simt::Access::write, address, size, __builtin_return_address(0));
}
// clang copies whole structs by memcpy. The linker sends those calls here (--wrap=memcpy); newer versions
// call __tsan_memcpy themselves.
void* __real_memcpy(void* to, const void* from, std::size_t size);
void* __wrap_memcpy(void* to, const void* from, std::size_t size) {
  note_copy(to, from, size, __builtin_return_address(0));
  return __real_memcpy(to, from, size);
}
void* __tsan_memcpy(void* to, const void* from, std::size_t size) {
  note_copy(to, from, size, __builtin_return_address(0));
  return __real_memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, std::size_t size) {
  note_copy(to, from, size, __builtin_return_address(0));
  return std::memmove(to, from, size);
}
void* __real_memset(void* to, int value, std::size_t size);
void* __wrap_memset(void* to, int value, std::size_t size) {
  note(simt::Access::write, to, size, __builtin_return_address(0));
  return __real_memset(to, value, size);
}
void* __tsan_memset(void* to, int value, std::size_t size) {
  note(simt::Access::write, to, size, __builtin_return_address(0));
  return __real_memset(to, value, size);
}

// For std::atomic in host code beside the kernels, for example in a shared_ptr. Kernels do not use
// it.
SIMT_ATOMICS(8, std::uint8_t)
SIMT_ATOMICS(32, std::uint32_t)
SIMT_ATOMICS(64, std::uint64_t)
void __tsan_atomic_thread_fence(int /*order*/) {}

void __tsan_vptr_update(void** /*object*/, void* /*table*/) {}
void __tsan_vptr_read(void** /*object*/) {}
}
