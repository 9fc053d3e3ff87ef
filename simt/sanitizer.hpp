// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define SIMT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMT_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef SIMT_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/// AddressSanitizer's functions; in a build without it they do nothing.
namespace simt {

#ifdef SIMT_ADDRESS_SANITIZER
inline constexpr bool has_address_sanitizer = true;
inline void start_switch(void** notes, const void* bottom, std::size_t size) {
  __sanitizer_start_switch_fiber(notes, bottom, size);
}
inline void finish_switch(void* notes, const void** bottom, std::size_t* size) {
  __sanitizer_finish_switch_fiber(notes, bottom, size);
}
inline void poison(const void* memory, std::size_t size) {
  ASAN_POISON_MEMORY_REGION(memory, size);
}
inline void unpoison(const void* memory, std::size_t size) {
  ASAN_UNPOISON_MEMORY_REGION(memory, size);
}
#else
inline constexpr bool has_address_sanitizer = false;
inline void start_switch(void** /*notes*/, const void* /*bottom*/, std::size_t /*size*/) {}
inline void finish_switch(void* /*notes*/, const void** /*bottom*/, std::size_t* /*size*/) {}
inline void poison(const void* /*memory*/, std::size_t /*size*/) {}
inline void unpoison(const void* /*memory*/, std::size_t /*size*/) {}
#endif

}  // namespace simt
