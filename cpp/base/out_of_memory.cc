#include "base/out_of_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <mutex>

#include "base/errors.h"

namespace turdb {

namespace internal {
std::atomic<bool> is_memory_low{false};
}

namespace {

// Never touched, so it is address space and no memory. Enough for what statements take until they notice; where that cannot be had
// again, less will do for small ones. It goes piece by piece: of two threads that find nothing at a time, each gets some.
constexpr size_t kReserveBytes = 32u << 20, kLeastReserveBytes = 2u << 20, kPieceBytes = 4u << 20;

std::mutex mutex;
void* reserve = nullptr;  // guarded by mutex, as is its size
size_t reserve_bytes = 0;
std::new_handler next_handler = nullptr;

const absl::Status& Prepared() {
  static const auto* status = new absl::Status(OutOfMemoryError("out of memory"));
  return *status;
}

bool GivePieceUp() {
  std::lock_guard<std::mutex> guard(mutex);
  internal::is_memory_low.store(true, std::memory_order_relaxed);
  if (reserve_bytes == 0) return false;
  const size_t piece = std::min(kPieceBytes, reserve_bytes);
  reserve_bytes -= piece;
  munmap(static_cast<char*>(reserve) + reserve_bytes, piece);
  return true;
}

// Called by operator new, which tries again when this returns.
void FindMemory() {
  if (GivePieceUp()) return;
  if (next_handler != nullptr) return next_handler();
  throw std::bad_alloc();
}

}  // namespace

absl::Status OutOfMemory() { return Prepared(); }

void KeepMemoryReserve() {
  static std::once_flag once;
  std::call_once(once, [] {
    Prepared();
    next_handler = std::set_new_handler(FindMemory);
  });
  std::lock_guard<std::mutex> guard(mutex);
  if (reserve_bytes > 0 && !IsMemoryLow()) return;
  if (reserve_bytes > 0) munmap(reserve, reserve_bytes);  // what was left
  reserve_bytes = 0;
  for (size_t bytes = kReserveBytes; reserve_bytes == 0 && bytes >= kLeastReserveBytes; bytes /= 2) {
    void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) continue;
    reserve = mapped;
    reserve_bytes = bytes;
    internal::is_memory_low.store(false, std::memory_order_relaxed);
  }
}

// A statement that has used up the reserve must not go on with what is left of it: only the next one takes it again.
absl::Status CheckMemory() { return IsMemoryLow() ? OutOfMemory() : absl::OkStatus(); }

}  // namespace turdb
