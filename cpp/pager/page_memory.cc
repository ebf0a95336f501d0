// Making and giving back of page versions.
#include "pager/page_memory.h"

#include <new>
#include <utility>

#include "base/out_of_memory.h"
#include "base/status_macros.h"
#include "pager/page_pool.h"

namespace turdb::pager {

PageMemory::PageMemory(env::Env* env, std::string directory, uint64_t limit_bytes)
    : process_id_(env::PosixEnv()->ProcessId()), limit_bytes_(limit_bytes), region_(env, std::move(directory)) {}

bool PageMemory::IsForeignProcess() const { return env::PosixEnv()->ProcessId() != process_id_; }

IntrusivePtr<PageVersion> PageMemory::NewHeapVersion(Epoch owner) {
  heap_bytes_.fetch_add(kPageMemoryBytes, std::memory_order_relaxed);
  uint8_t* memory = AllocatePageMemory();
  return IntrusivePtr<PageVersion>(::new (memory + kPageMemoryVersion) PageVersion(owner, this, memory, 0, false));
}

absl::StatusOr<IntrusivePtr<PageVersion>> PageMemory::NewVersion(Epoch owner) {
  if (IsMemoryLow()) TURDB_RETURN_IF_ERROR(CheckMemory());
  if (heap_bytes() + kPageMemoryBytes > limit_bytes() && is_spilling()) {
    TURDB_ASSIGN_OR_RETURN(const SpillRegion::Slot slot, region_.Take());
    if (slot.bytes != nullptr) {
      return IntrusivePtr<PageVersion>(new PageVersion(owner, this, slot.bytes, slot.number, true));
    }
  }
  return NewHeapVersion(owner);
}

IntrusivePtr<PageVersion> PageVersion::New(Epoch owner) {
  uint8_t* memory = AllocatePageMemory();
  return IntrusivePtr<PageVersion>(::new (memory + kPageMemoryVersion) PageVersion(owner, nullptr, memory, 0, false));
}

PageVersion::PageVersion(Epoch owner, PageMemory* memory, uint8_t* bytes, uint32_t slot, bool is_spilled)
    : owner_(owner), bytes_(bytes), memory_(memory), slot_(slot), is_spilled_(is_spilled) {}

PageVersion::~PageVersion() = default;

void PageVersion::set_lsn(Lsn lsn) {
  if (lsn_ == Lsn(0) && lsn != Lsn(0) && memory_) memory_->n_committed_.fetch_add(1, std::memory_order_relaxed);
  lsn_ = lsn;
}

void PageVersion::operator delete(PageVersion* version, std::destroying_delete_t) {
  const IntrusivePtr<PageMemory> memory = version->memory_;
  if (memory && memory->IsForeignProcess()) return;
  uint8_t* const bytes = version->bytes_;
  const uint32_t slot = version->slot_;
  const bool is_spilled = version->is_spilled_;
  if (memory && version->lsn_ != Lsn(0)) memory->n_committed_.fetch_sub(1, std::memory_order_relaxed);
  version->~PageVersion();
  if (is_spilled) {
    ::operator delete(static_cast<void*>(version), std::align_val_t{alignof(PageVersion)});
    memory->region_.Give(slot);
    return;
  }
  if (memory) memory->heap_bytes_.fetch_sub(kPageMemoryBytes, std::memory_order_relaxed);
  FreePageMemory(bytes);
}

}  // namespace turdb::pager
