#include "base/large_vector.h"

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace turdb {

#if defined(__linux__)
namespace {
constexpr size_t kHugePageBytes = size_t{2} << 20;
size_t RoundUp(size_t bytes) { return (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes; }
}  // namespace

// A mapping with a huge page to spare, of which what lies before and behind the aligned part is given back.
void* NewLargeMemory(size_t bytes) {
  const size_t size = RoundUp(bytes);
  void* const mapped = mmap(nullptr, size + kHugePageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const start = static_cast<uint8_t*>(mapped);
  const size_t before = (kHugePageBytes - reinterpret_cast<uintptr_t>(start) % kHugePageBytes) % kHugePageBytes;
  if (before > 0) munmap(start, before);
  munmap(start + before + size, kHugePageBytes - before);
  madvise(start + before, size, MADV_HUGEPAGE);  // where there are none, small pages do
  return start + before;
}

void DeleteLargeMemory(void* memory, size_t bytes) { munmap(memory, RoundUp(bytes)); }
#else
void* NewLargeMemory(size_t bytes) { return ::operator new(bytes); }
void DeleteLargeMemory(void* memory, size_t) { ::operator delete(memory); }
#endif

}  // namespace turdb
