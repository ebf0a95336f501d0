// PageMemory: where the page versions of one store lie, and how many there may be on the heap.
//
// Below the limit (the cache size) a version is a piece of heap, from the pool. Past it the bytes lie in the spill region and
// only the 64 bytes of the PageVersion itself are heap. Bytes of a version never move, so whoever holds a pointer to a page
// need not know where it lies. Where there is nothing to spill to (a database in memory), and while spilling is switched
// off, the heap takes all.
// Invariant: it lives until the last of its versions is gone. Thread-safe. In a forked child versions are not given back:
// their spilled bytes are the parent's, and a lock may have been held when the child was made.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/intrusive_ptr.h"
#include "pager/page_table.h"
#include "pager/spill_region.h"

namespace turdb::pager {

class PageMemory : public RefCounted<PageMemory> {
 public:
  // Spills to the disk of `directory`.
  PageMemory(env::Env* env, std::string directory, uint64_t limit_bytes);

  // Contents undefined. kDiskFull, kIo when there is no room on the disk to spill to.
  absl::StatusOr<IntrusivePtr<PageVersion>> NewVersion(Epoch owner);
  // On the heap, whatever the limit: for the few that must not fail.
  IntrusivePtr<PageVersion> NewHeapVersion(Epoch owner);

  void set_limit_bytes(uint64_t bytes) { limit_bytes_.store(bytes, std::memory_order_relaxed); }
  uint64_t limit_bytes() const { return limit_bytes_.load(std::memory_order_relaxed); }
  void set_spilling(bool is_on) { is_spilling_.store(is_on, std::memory_order_relaxed); }
  bool is_spilling() const { return is_spilling_.load(std::memory_order_relaxed); }

  uint64_t heap_bytes() const { return heap_bytes_.load(std::memory_order_relaxed); }
  uint64_t spilled_bytes() const { return region_.used_bytes(); }
  uint64_t spill_file_bytes() const { return region_.file_bytes(); }
  // Of versions that belong to commits, wherever they lie.
  uint64_t committed_bytes() const {
    return n_committed_.load(std::memory_order_relaxed) * format::kPageBytes;
  }

  // Look-ups of pages, by all views of the store together: answered by the files' maps, and by page versions.
  void CountLookups(uint32_t mapped, uint32_t versions) {
    if (mapped > 0) n_mapped_lookups_.fetch_add(mapped, std::memory_order_relaxed);
    if (versions > 0) n_version_lookups_.fetch_add(versions, std::memory_order_relaxed);
  }
  uint64_t mapped_lookups() const { return n_mapped_lookups_.load(std::memory_order_relaxed); }
  uint64_t version_lookups() const { return n_version_lookups_.load(std::memory_order_relaxed); }

 private:
  friend class PageVersion;
  bool IsForeignProcess() const;

  const uint64_t process_id_;
  std::atomic<uint64_t> limit_bytes_;
  std::atomic<bool> is_spilling_{true};
  std::atomic<uint64_t> heap_bytes_{0};
  std::atomic<uint64_t> n_committed_{0};
  std::atomic<uint64_t> n_mapped_lookups_{0}, n_version_lookups_{0};
  SpillRegion region_;
};

}  // namespace turdb::pager
