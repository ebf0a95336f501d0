// DataFile: one data file of the database: its descriptor, its maps, and which of its pages were checked.
//
// The file is opened on first use and created on disk only when bytes go into it; it may be closed while nobody needs it open
// (open_files.h). Maps reach beyond the end of the
// file, so growth rarely maps anew; a map lives as long as a view uses it (shared_mapping.h). A page read from the map for the first
// time is checked against its checksum, once in the life of the process (a bit a page).
// A checkpoint may put a copy in the file's place (Replace): maps made before go on showing the file as it was, and nothing
// is ever written to that any more.
// Invariants: (1) pages [0, file_pages()) can be read through a map that covers them; (2) pages from
// unprotected_from() on have never held anything that recovery would need, so a torn write there does no harm.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/intrusive_ptr.h"
#include "base/strong_id.h"
#include "env/env.h"
#include "format/page.h"
#include "pager/open_files.h"
#include "pager/page_memory.h"
#include "pager/shared_mapping.h"

namespace turdb::pager {

enum class OnDisk : uint8_t { kNo, kYes };

class DataFile : public RefCounted<DataFile> {
 public:
  // `path` is relative to the database directory. Versions of its pages lie in `memory`; without one, on the heap.
  DataFile(env::Env* env, std::string directory, std::string path, FileId id, OnDisk on_disk, bool is_read_only,
           IntrusivePtr<PageMemory> memory = nullptr, IntrusivePtr<OpenFiles> open_files = nullptr);
  ~DataFile();

  FileId id() const { return id_; }
  const std::string& path() const { return path_; }
  std::string full_path() const { return directory_ + "/" + path_; }

  // A version for a page of this file; see PageMemory.
  absl::StatusOr<IntrusivePtr<PageVersion>> NewVersion(Epoch owner);
  IntrusivePtr<PageVersion> NewHeapVersion(Epoch owner);

  // Look-ups of its pages, for the store's totals.
  void CountLookups(uint32_t mapped, uint32_t versions) {
    if (memory_) memory_->CountLookups(mapped, versions);
  }

  bool IsVerified(PageId id) const {
    const Bits* bits = bits_.load(std::memory_order_acquire);
    const uint32_t word = id.value() >> 6;
    return word < bits->n_words && (bits->words[word].load(std::memory_order_relaxed) >> (id.value() & 63) & 1);
  }
  void MarkVerified(PageId first, uint32_t n);
  uint32_t file_pages() const { return file_pages_.load(std::memory_order_acquire); }

  // A map of at least `pages` pages that shows the file, or null when the file is not on disk. Opens the file. kIo,
  // kCorruption when it is missing.
  absl::StatusOr<IntrusivePtr<SharedMapping>> MappingFor(uint32_t pages);
  // A map of at least `pages` pages that shows what `map` shows. REQUIRES: the caller keeps `map`, or it is null.
  absl::StatusOr<IntrusivePtr<SharedMapping>> Lengthened(const IntrusivePtr<SharedMapping>& map, uint32_t pages);
  // Who still reads what a checkpoint overwrites: states up to an LSN, pages before a limit.
  struct OldReaders {
    Lsn newest_state;
    uint32_t page_limit;
  };
  // Before the pages (ascending) are overwritten with those of state `written`: the maps of old readers go on showing what the
  // pages hold, and maps handed out from now on, to states from `written` on, are new. Checks the pages' checksums.
  // kUnsupported, kCorruption, kDiskFull, kIo: the pages must not be overwritten while somebody needs them.
  // REQUIRES: states before `written` that are in use have fixed their maps.
  absl::Status Preserve(const std::vector<PageId>& pages, const OldReaders& readers, Lsn written, PreservedSpace* space);
  // For a reading process: when another process has replaced the file since `known`, it is the replaced one that is opened, by the
  // name it has in `directory` (replaced_file.h). To be called before others use this.
  void SearchReplaced(std::string directory, Lsn known);
  // Looks again whether the file is there and how long it is: another process may have made it or written to it.
  absl::Status Refresh();
  // Creates the file when it is not on disk yet. False when it is not, and its name is given up: it never will be.
  absl::StatusOr<bool> EnsureOnDisk();
  bool is_on_disk();
  // True from the file's creation until its directory entry was synced. Whoever syncs the directory says so afterwards, so that
  // one that failed, or did not come to it, leaves it to the next.
  bool is_directory_dirty() const { return is_directory_dirty_.load(); }
  void set_directory_dirty(bool is_dirty) { is_directory_dirty_.store(is_dirty); }
  std::string directory_path() const { return full_path().substr(0, full_path().rfind('/')); }

  // Reads a page past the map and checks it. kIo, kCorruption.
  absl::Status ReadPage(PageId id, uint8_t* to);
  // Writes sealed pages and marks them verified. REQUIRES: EnsureOnDisk.
  absl::Status WritePages(PageId first, uint32_t n, const uint8_t* pages);
  void StartWriteback(PageId first, uint32_t n);
  // Reserves room on disk for pages [0, n) and, as long runs show that more will come, beyond. TrimReserve gives back what
  // lies past `n` pages. REQUIRES: EnsureOnDisk.
  absl::Status Reserve(PageId first, uint32_t n);
  absl::Status TrimReserve(uint32_t n);
  absl::Status Sync();

  // --- replacing; by checkpoints, one at a time ---------------------------------------------------
  // The states that may read the file as it is now are from this LSN on.
  Lsn oldest_state() const { return Lsn(oldest_state_.load(std::memory_order_acquire)); }
  void set_oldest_state(Lsn lsn) { oldest_state_.store(lsn.value(), std::memory_order_release); }
  // The right to write pages past the committed end, which keeps the file from being replaced; null when that is
  // going on, or `map`, the caller's, shows a file that was replaced. Given back with the last copy of the result.
  std::shared_ptr<void> TakeDirectRight(const IntrusivePtr<SharedMapping>& map);
  // From here to EndReplacing nobody gets that right, and the name stays. False when somebody has the right, or the name is about to go.
  bool BeginReplacing();
  void EndReplacing();
  // REQUIRES: BeginReplacing, EnsureOnDisk.
  absl::Status CopyTo(env::File* to, uint64_t* bytes);
  // The file at path `copy`, which has the pages of state `written`, gets this one's path and takes its place. After an error
  // nothing has changed. REQUIRES: BeginReplacing, and states before `written` that are in use have fixed their maps.
  absl::Status Replace(const std::string& copy, Lsn written);

  // From here on the file is not replaced, and not made if it is not on disk yet: its name may be another file's by then. False
  // while it is being replaced.
  bool BeginUnlinking();
  // Removes the name; what is open or mapped stays readable.
  absl::Status Unlink();

  uint32_t unprotected_from() const { return unprotected_from_.load(std::memory_order_acquire); }
  void Protect(uint32_t page_count);  // raises unprotected_from

  // Gives the descriptor up, unless it is needed; does not wait for others. For OpenFiles. The file must be found again: not when
  // its name goes. Where another process may put a copy in its place, a map keeps the file's identity from being another's.
  // What was written is synced before: an error of the disk may be told to descriptors that were open then, and to no others.
  bool TryClose();

 private:
  struct Bits {
    explicit Bits(uint32_t n) : n_words(n), words(new std::atomic<uint64_t>[n]) {}
    const uint32_t n_words;
    const std::unique_ptr<std::atomic<uint64_t>[]> words;
  };
  absl::Status OpenLocked();
  void SetFileLocked(std::shared_ptr<env::File> file);
  // The file, open for as long as the result is kept. kCorruption when it is not on disk.
  absl::StatusOr<std::shared_ptr<env::File>> Opened();
  absl::StatusOr<std::unique_ptr<env::File>> OpenRightFile();
  absl::Status CheckIdentityLocked(env::File* file);
  void GrowBitsLocked(uint32_t pages);
  absl::StatusOr<IntrusivePtr<SharedMapping>> NewMappingLocked(size_t bytes, Lsn oldest_state);

  env::Env* const env_;
  const std::string directory_;
  const std::string path_;
  const FileId id_;
  const bool is_read_only_;
  const IntrusivePtr<PageMemory> memory_;
  const IntrusivePtr<OpenFiles> open_files_;  // null: stays open

  std::mutex mutex_;  // guards what follows but for the atomics' reading
  OnDisk on_disk_;
  std::shared_ptr<env::File> file_;  // null while it is closed
  bool was_opened_ = false;
  std::string identity_;  // of the file opened first; of a reading process
  uint64_t n_writes_ = 0, n_synced_writes_ = 0;
  absl::Status failed_sync_;  // of TryClose, for the next Sync: the disk tells it once
  IntrusivePtr<SharedMapping> mapping_;              // the longest that shows the file; null after Preserve
  size_t map_bytes_ = 0;                             // length of the longest so far
  std::shared_ptr<MapSet> maps_ = std::make_shared<MapSet>();  // of the file that is open
  bool is_being_replaced_ = false;
  bool is_being_unlinked_ = false;
  uint32_t n_direct_rights_ = 0;
  std::string replaced_directory_;  // empty: not to be searched
  Lsn known_replacements_{0};
  std::vector<std::unique_ptr<Bits>> all_bits_;      // outgrown ones may still be read
  std::atomic<const Bits*> bits_;
  std::atomic<uint32_t> file_pages_{0};
  std::atomic<uint32_t> unprotected_from_{0};
  std::atomic<uint64_t> oldest_state_{0};
  std::atomic<bool> is_directory_dirty_{false};
  uint64_t reserved_bytes_ = 0;  // the file was grown to this length; by the one writer
};

}  // namespace turdb::pager
