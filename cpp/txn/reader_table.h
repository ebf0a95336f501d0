// ReaderTable: what the writing and the reading processes of a database tell each other, over turdb.readers.
//
// The writer says up to where commits are published and up to where the files are written. A reader claims the LSN of each of its
// snapshots: nothing newer goes into a file that shows what the snapshot sees, and nothing that it sees is removed. A reader
// claims first and asks then what is published; a snapshot is good only when it still was the newest state after it was
// claimed. The writer publishes first and looks at the claims then, before it touches files on behalf of newer states. So
// one of them sees the other. A claim stays in its word for as long as it lives, so nobody who goes through the words misses it.
// Nothing here blocks for long: whoever died holds no locks, and what is not locked counts for nothing.
// Thread-safe, but for the directory's lock, which one thread of an object holds at a time. Bytes: format/reader_table.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "env/env.h"
#include "format/reader_table.h"

namespace turdb::txn {

inline std::string ReaderTablePath(const std::string& directory) { return directory + "/turdb.readers"; }

// Called while waiting; an error ends the wait.
using CheckInterrupt = std::function<absl::Status()>;

class ReaderTable {
 public:
  static absl::StatusOr<std::shared_ptr<ReaderTable>> Open(env::Env* env, const std::string& directory);
  ~ReaderTable();

  // --- words -------------------------------------------------------------------------------------
  std::atomic<uint64_t>* published_word() { return &header().published; }
  Lsn published() const { return Lsn(header().published.load()); }
  Lsn checkpoint() const { return Lsn(header().checkpoint.load()); }
  void set_checkpoint(Lsn lsn) { header().checkpoint.store(lsn.value()); }
  // Up to where checkpoints have replaced data files; told before they do.
  Lsn replaced() const { return Lsn(header().replaced.load()); }
  void set_replaced(Lsn lsn) { header().replaced.store(lsn.value()); }

  // --- locks -------------------------------------------------------------------------------------
  // The right to rearrange the directory (exclusive) or to load from it (shared); given back by its end.
  class DirectoryLock {
   public:
    DirectoryLock() = default;
    DirectoryLock(ReaderTable* table, env::LockMode mode);
    DirectoryLock(DirectoryLock&& other) noexcept : table_(std::exchange(other.table_, nullptr)), mode_(other.mode_) {}
    DirectoryLock& operator=(DirectoryLock&& other) noexcept {
      std::swap(table_, other.table_);
      std::swap(mode_, other.mode_);
      return *this;
    }
    ~DirectoryLock();
    bool is_held() const { return table_ != nullptr; }

   private:
    ReaderTable* table_ = nullptr;
    env::LockMode mode_ = env::LockMode::kShared;
  };
  // Another number after every rearrangement of the directory, an odd one during it.
  uint64_t changes() const { return header().changes.load(); }
  // Not held after the timeout.
  absl::StatusOr<DirectoryLock> LockDirectory(env::LockMode mode, uint64_t timeout_ms, const CheckInterrupt& check = {});
  // Whether a process has set the words and may move them on.
  absl::StatusOr<bool> HasWriter() { return memory_->IsLocked(format::kWriterLockByte); }

  // --- the writing process -----------------------------------------------------------------------
  // REQUIRES: the directory's lock, exclusive.
  absl::Status BeginSession(uint64_t salt, Lsn published, Lsn checkpoint);
  void EndSession() { memory_->Unlock(format::kWriterLockByte); }
  struct Claim {
    uint64_t pid = 0;
    Lsn lsn{0};                 // of a snapshot; 0 while the process is loading
    bool is_open = false;       // it stands for everything from there on
    uint64_t since_micros = 0;  // wall clock; 0: not told
  };
  struct Readers {
    uint32_t n = 0;                        // processes that have the database open for reading
    Lsn oldest{~uint64_t{0}};              // of what they claim; 0 while one is loading
    uint64_t oldest_pid = 0;
    std::vector<Claim> claims;
    // Whether somebody may read what only states in [from, to) show.
    bool IsClaimed(Lsn from, Lsn to) const;
    bool HasOpenClaimBefore(Lsn lsn) const;
  };
  // Frees the slots of the dead.
  Readers Look();

  // --- a reading process -------------------------------------------------------------------------
  // The first slot of this process, or another for more snapshots. kBusy when none is free, or this process has its share.
  absl::Status TakeSlot();
  void GiveLastSlotBack();  // REQUIRES: none of its words is claimed, and it is not the first
  void ClaimFrom(uint64_t claim) { slots_.front()->claim.store(claim); }
  // Words are numbered through all slots.
  uint32_t snapshot_words() const { return static_cast<uint32_t>(slots_.size()) * format::kSlotSnapshots; }
  void ClaimSnapshot(uint32_t word, Lsn lsn, uint64_t since_micros) {
    snapshot_word(word).since.store(since_micros, std::memory_order_relaxed);
    snapshot_word(word).claim.store(format::kFirstLsnClaim + lsn.value());
  }
  void UnclaimSnapshot(uint32_t word) { snapshot_word(word).claim.store(format::kNoClaim); }
  // Sets the words when there is no writer. REQUIRES: the directory's lock, and HasWriter() was false under it.
  void Reset(uint64_t salt, Lsn published, Lsn checkpoint);

 private:
  ReaderTable(env::Env* env, std::unique_ptr<env::SharedMemory> memory) : env_(env), memory_(std::move(memory)) {}
  format::ReaderTableHeader& header() const { return *reinterpret_cast<format::ReaderTableHeader*>(memory_->data()); }
  static void Empty(format::ReaderSlot* slot);
  static void Note(Claim claim, Readers* readers);
  static uint64_t SlotByte(uint32_t i) { return format::kFirstReaderSlot + uint64_t{i} * format::kReaderSlotBytes; }
  format::ReaderSlot& slot(uint32_t i) const {
    return *reinterpret_cast<format::ReaderSlot*>(memory_->data() + SlotByte(i));
  }

  format::ReaderSlot::Snapshot& snapshot_word(uint32_t word) const {
    return slots_[word / format::kSlotSnapshots]->snapshots[word % format::kSlotSnapshots];
  }

  env::Env* const env_;
  const std::unique_ptr<env::SharedMemory> memory_;
  std::vector<format::ReaderSlot*> slots_;  // of this object, which has their locks
  std::mutex look_mutex_;  // locks taken to look are this object's: two who look must not take them for each other's
};

}  // namespace turdb::txn
