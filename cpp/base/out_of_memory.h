// What becomes of memory that is not to be had: an error like any other, and never the end of the process.
//
// Small allocations are everywhere, also where no error can be told of. So that they do not fail, a reserve of address space is given
// up when memory runs out for the first time, and IsMemoryLow() is true from then on: statements look at it as often as
// at interruptions, and end. When they have given back what they took, the reserve is taken again.
// What is too large for the reserve throws std::bad_alloc, which OrOutOfMemory turns into an error: at the calls of a connection,
// where a transaction that was writing is rolled back, and in threads of the background.
// Thread-safe.
#pragma once

#include <atomic>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace turdb {

// kOutOfMemory; made without taking memory.
absl::Status OutOfMemory();

// Puts the reserve in place; the first call of a process does, and later ones look whether it can be taken again.
void KeepMemoryReserve();
namespace internal {
extern std::atomic<bool> is_memory_low;
}
inline bool IsMemoryLow() { return internal::is_memory_low.load(std::memory_order_relaxed); }
// Ok, or kOutOfMemory when memory has run out and not come back.
absl::Status CheckMemory();

// f's status or StatusOr; kOutOfMemory when it throws std::bad_alloc.
template <typename F>
auto OrOutOfMemory(F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  }
}

// Adds a thread if the system has one to give.
template <typename... Args>
bool TryStartThread(std::vector<std::thread>* threads, Args&&... args) {
  try {
    threads->emplace_back(std::forward<Args>(args)...);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace turdb
