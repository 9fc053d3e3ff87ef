// SPDX-License-Identifier: MIT
// Loaded into a program by LD_PRELOAD: once the file THREAD_FAULT is there, threads other than the first get no
// memory any more.

#include <cstdlib>
#include <new>
#include <sys/syscall.h>
#include <unistd.h>

void* operator new(std::size_t size) {
  static const char* const file = std::getenv("THREAD_FAULT");
  const bool first = ::syscall(SYS_gettid) == ::getpid();
  if (!first && file != nullptr && ::access(file, F_OK) == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
