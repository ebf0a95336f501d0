// LargeVector: a vector whose memory, once it is large, comes from the operating system in huge pages and goes back to it.
//
// A first touch of memory costs a fault for each page: with pages of 4 KiB that is a good part of the time in which a join or a
// sort fills what it keeps. Nothing large stays in the allocator when the vector is freed.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace turdb {

// From so many bytes on a vector's memory is its own mapping: two huge pages of x86-64 and of arm64 with 4 KiB pages.
inline constexpr size_t kLargeMemoryBytes = size_t{4} << 20;
void* NewLargeMemory(size_t bytes);  // throws std::bad_alloc
void DeleteLargeMemory(void* memory, size_t bytes);

template <typename T>
class LargeAllocator {
 public:
  using value_type = T;
  LargeAllocator() = default;
  template <typename Other>
  LargeAllocator(const LargeAllocator<Other>&) {}

  T* allocate(size_t n) {
    if (n > static_cast<size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
    const size_t bytes = n * sizeof(T);
    return static_cast<T*>(bytes < kLargeMemoryBytes ? ::operator new(bytes) : NewLargeMemory(bytes));
  }
  void deallocate(T* memory, size_t n) {
    const size_t bytes = n * sizeof(T);
    if (bytes < kLargeMemoryBytes) ::operator delete(memory);
    else DeleteLargeMemory(memory, bytes);
  }
  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }
};

template <typename T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

}  // namespace turdb
