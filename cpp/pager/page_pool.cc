// Freed pieces are kept up to 16 MiB: enough for the pages that transactions of some thousand rows copy and drop again and again.
// None under a sanitizer, which would not see the use of a freed piece.
#include "pager/page_pool.h"

#include <mutex>
#include <new>
#include <vector>

#include "base/per_process.h"
#include "base/poison.h"

namespace turdb::pager {
namespace {

constexpr size_t kMaxFree = kIsSanitized ? 0 : 1024;
constexpr std::align_val_t kAlignment{64};

struct Pool {
  std::mutex mutex;
  std::vector<uint8_t*> free;
};

}  // namespace

uint8_t* AllocatePageMemory() {
  Pool& pool = PerProcess<Pool>::Get();
  {
    std::lock_guard<std::mutex> guard(pool.mutex);
    if (!pool.free.empty()) {
      uint8_t* memory = pool.free.back();
      pool.free.pop_back();
      return memory;
    }
  }
  auto* memory = static_cast<uint8_t*>(::operator new(kPageMemoryBytes, kAlignment));
  Poison(memory + format::kPageBytes, kPageMemoryVersion - format::kPageBytes);
  return memory;
}

void FreePageMemory(uint8_t* memory) {
  Pool& pool = PerProcess<Pool>::Get();
  {
    std::lock_guard<std::mutex> guard(pool.mutex);
    if (pool.free.size() < kMaxFree) {
      pool.free.push_back(memory);
      return;
    }
  }
  ::operator delete(memory, kAlignment);
}

}  // namespace turdb::pager
