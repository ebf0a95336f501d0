// ReaderTable: what the writing and the reading processes of a database tell each other, over turdb.readers.
//
// The writer says up to where commits are published and up to where the files are written. A reader claims the LSN of its
// oldest snapshot: nothing newer goes into files, and nothing that later commits dropped is removed. A reader claims first and
// asks then what is published, to read on up to there; the writer publishes first and looks at the claims then, before it
// writes what it has published to files. So one of them sees the other.
// Nothing here blocks for long: whoever died holds no locks, and what is not locked counts for nothing.
// Thread-safe, but for the directory's lock, which one thread of an object holds at a time. Bytes: format/reader_table.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

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

  // --- locks -------------------------------------------------------------------------------------
  // The right to rearrange the directory (exclusive) or to load from it (shared); given back by its end.
  class DirectoryLock {
   public:
    DirectoryLock() = default;
    explicit DirectoryLock(ReaderTable* table) : table_(table) {}
    DirectoryLock(DirectoryLock&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}
    DirectoryLock& operator=(DirectoryLock&& other) noexcept {
      std::swap(table_, other.table_);
      return *this;
    }
    ~DirectoryLock() {
      if (table_ != nullptr) table_->memory_->Unlock(format::kDirectoryLockByte);
    }
    bool is_held() const { return table_ != nullptr; }

   private:
    ReaderTable* table_ = nullptr;
  };
  // Not held after the timeout.
  absl::StatusOr<DirectoryLock> LockDirectory(env::LockMode mode, uint64_t timeout_ms, const CheckInterrupt& check = {});
  // Whether a process has set the words and may move them on.
  absl::StatusOr<bool> HasWriter() { return memory_->IsLocked(format::kWriterLockByte); }

  // --- the writing process -----------------------------------------------------------------------
  // REQUIRES: the directory's lock, exclusive.
  absl::Status BeginSession(uint64_t salt, Lsn published, Lsn checkpoint);
  void EndSession() { memory_->Unlock(format::kWriterLockByte); }
  struct Readers {
    uint32_t n = 0;                        // processes that have the database open for reading
    Lsn oldest{~uint64_t{0}};              // of what they claim; 0 while one is loading
    uint64_t oldest_pid = 0;
  };
  // Frees the slots of the dead.
  Readers Look();

  // --- a reading process -------------------------------------------------------------------------
  // kBusy when there are too many.
  absl::Status TakeSlot();
  void Claim(uint64_t claim) { slot_->claim.store(claim); }
  // Sets the words when there is no writer. REQUIRES: the directory's lock, and HasWriter() was false under it.
  void Reset(uint64_t salt, Lsn published, Lsn checkpoint);

 private:
  ReaderTable(env::Env* env, std::unique_ptr<env::SharedMemory> memory) : env_(env), memory_(std::move(memory)) {}
  format::ReaderTableHeader& header() const { return *reinterpret_cast<format::ReaderTableHeader*>(memory_->data()); }
  static uint64_t SlotByte(uint32_t i) { return format::kFirstReaderSlot + uint64_t{i} * format::kReaderSlotBytes; }
  format::ReaderSlot& slot(uint32_t i) const {
    return *reinterpret_cast<format::ReaderSlot*>(memory_->data() + SlotByte(i));
  }

  env::Env* const env_;
  const std::unique_ptr<env::SharedMemory> memory_;
  format::ReaderSlot* slot_ = nullptr;
  std::mutex look_mutex_;  // locks taken to look are this object's: two who look must not take them for each other's
};

}  // namespace turdb::txn
