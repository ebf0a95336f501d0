// Freed pieces are kept up to 4 MiB: enough for the pages that small transactions copy and drop again and again.
#include "pager/page_pool.h"

#include <mutex>
#include <new>
#include <vector>

namespace turdb::pager {
namespace {

constexpr size_t kMaxFree = 256;
constexpr std::align_val_t kAlignment{64};

struct Pool {
  std::mutex mutex;
  std::vector<uint8_t*> free;
};
Pool& ThePool() {
  static auto* pool = new Pool;
  return *pool;
}

}  // namespace

uint8_t* AllocatePageMemory() {
  Pool& pool = ThePool();
  {
    std::lock_guard<std::mutex> guard(pool.mutex);
    if (!pool.free.empty()) {
      uint8_t* memory = pool.free.back();
      pool.free.pop_back();
      return memory;
    }
  }
  return static_cast<uint8_t*>(::operator new(kPageMemoryBytes, kAlignment));
}

void FreePageMemory(uint8_t* memory) {
  Pool& pool = ThePool();
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
