// FileWriter: one transaction's changes to one file, as private page versions over a base view.
//
// Changed pages are copied once, on first touch; everything else is shared with the base. The writer's view shows
// the changes at once. Freeze() makes all versions so far immutable (later changes copy again): it is how a
// savepoint is taken and how a reader keeps its view while the same transaction writes on.
// Direct pages: bulk work writes whole new pages past the committed end straight to the file; they never pass
// through the WAL and are synced before the commit record. Until commit nobody else can see them; a rollback or a
// crash leaves bytes past the end that the next extension overwrites.
// Not thread-safe, but WriteDirect of disjoint runs may be called by several threads at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pager/file_view.h"

namespace turdb::pager {

class FileWriter {
 public:
  virtual ~FileWriter() = default;

  virtual const FileView& view() const = 0;
  // Private, writable bytes of a page; the pointer holds until Freeze, commit or rollback.
  // An earlier pointer from view().Page(id) still shows the bytes before the first change.
  virtual absl::StatusOr<uint8_t*> MutablePage(PageId id) = 0;
  // A new zeroed page (header kind set), from the free list or the end of the file.
  virtual absl::StatusOr<PageId> Allocate(format::PageKind kind) = 0;
  virtual absl::Status Free(PageId id) = 0;

  // Whether new pages may go to the file before the commit: nobody else may be extending it. Where they may not, ExtendDirect
  // and WriteDirect work on private pages.
  virtual void set_may_write_direct(bool may) = 0;
  // Reserves n consecutive new pages at the end of the file; each must then be given by WriteDirect.
  virtual absl::StatusOr<PageId> ExtendDirect(uint32_t n) = 0;
  // Writes pages [first, first + n), reserved before, from `pages` (n * kPageBytes, 64-byte aligned; sealed in place).
  // A direct page may be changed by MutablePage afterwards in the same transaction (it is then logged).
  virtual absl::Status WriteDirect(PageId first, uint32_t n, uint8_t* pages) = 0;
  // What is left to do of that, for another thread to run while this one goes on; null when there is nothing. `pages` and this
  // writer must outlive it.
  using WriteJob = std::function<absl::Status()>;
  virtual absl::StatusOr<WriteJob> BeginWriteDirect(PageId first, uint32_t n, uint8_t* pages) = 0;
  // n zeroed consecutive pages at the end, as private versions in memory (logged at commit as usual).
  virtual absl::StatusOr<PageId> ExtendZeroed(uint32_t n, format::PageKind kind) = 0;

  virtual void Freeze() = 0;

  // Grows whenever the view may have changed, Freeze included: what was remembered of the pages is good while it stays.
  uint64_t change_count() const { return change_count_; }

 protected:
  uint64_t change_count_ = 0;
};

// Page 0 of each file: bytes [kUserAreaOffset, kUserAreaOffset + kUserAreaBytes) belong to the room that owns the file.
inline constexpr size_t kUserAreaOffset = format::kPageHeaderBytes + 128;
inline constexpr size_t kUserAreaBytes = 256;

}  // namespace turdb::pager
