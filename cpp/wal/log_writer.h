// LogWriter: appends transactions to the log, segment after segment.
//
// One transaction is written at a time (its caller has the commit's place); Sync and DropBefore may be called by
// others meanwhile. A segment's space is written with zeros ahead of use, so that a sync flushes data and no
// metadata. A segment is synced before the next one begins, so only the last can be torn.
// Invariants: (1) frames are in the file in LSN order without gaps; (2) a transaction that failed half-way is never followed
// by another in the same segment: the next segment begins at the LSN where it began, which cuts it off.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "env/env.h"
#include "format/wal_record.h"

namespace turdb::wal {

struct LogOptions {
  std::string directory;
  uint64_t salt = 0;
  uint64_t segment_bytes = 16u << 20;
};

class LogWriter {
 public:
  // Begins a new segment `number` at `lsn` on the first append.
  LogWriter(env::Env* env, LogOptions options, uint32_t number, Lsn lsn);

  // --- one transaction: Begin, any of Add..., then Commit or Abort -------------------------------
  absl::Status Begin();
  absl::Status AddCreate(FileId file, std::string_view path);
  absl::Status AddDrop(FileId file, std::string_view path);
  // `base` null: against a page of zeros.
  absl::Status AddPage(FileId file, std::string_view path, PageId id, const uint8_t* base, const uint8_t* page);
  absl::StatusOr<Lsn> Commit();  // written, not synced; the LSN after it. After an error: Abort.
  // Cuts off what was written. An error says that it may be there still, should nothing follow it.
  absl::Status Abort();

  // In place of a transaction's records where no log is wanted: only the LSN moves on.
  Lsn CommitUnlogged(uint64_t bytes);

  // Makes what was appended before the call durable; returns up to where.
  absl::StatusOr<Lsn> Sync();
  Lsn end_lsn() const { return Lsn(end_lsn_.load(std::memory_order_acquire)); }  // of the last whole transaction
  // After a failed sync nobody knows what the disk holds, and another sync proves nothing: nothing more is appended.
  bool has_failed_sync() const { return has_failed_sync_.load(std::memory_order_acquire); }
  uint64_t bytes_written() const { return bytes_written_.load(std::memory_order_relaxed); }

  // The next transaction begins a new segment. REQUIRES: the commit's place.
  void BeginNewSegment() { is_rotation_due_ = true; }
  // The segment that recovery must begin with when everything up to `lsn` is in the files.
  uint32_t FirstSegmentFor(Lsn lsn) const;
  uint32_t next_number() const;
  // Removes the segments before that one; keeps one for reuse.
  void DropBefore(uint32_t segment);
  // Gives up the segment kept for reuse. REQUIRES: the commit's place.
  void DropSpare();
  // Removes every segment. REQUIRES: nothing is appended afterwards.
  void DropAll();
  // Adds a segment that recovery has read, oldest first; it is dropped in its turn.
  void AdoptOldSegment(uint32_t number, Lsn start_lsn);

 private:
  struct Segment {
    uint32_t number;
    Lsn start_lsn;
  };
  absl::Status Name(FileId file, std::string_view path);
  absl::Status StartSegment();
  absl::Status SyncFile(env::File* file);
  absl::Status FinishFrame(format::FrameKind kind);
  absl::Status Flush();

  env::Env* const env_;
  const LogOptions options_;

  // Of the appending transaction.
  std::string payload_;  // of the frame being filled
  std::string frames_;   // complete, not yet written
  std::string plain_;    // of AddPage
  std::unique_ptr<uint8_t[]> moved_;
  absl::flat_hash_set<uint32_t> named_;
  uint32_t crc_ = 0;
  uint64_t offset_ = 0;         // in the segment, of the first byte of frames_
  uint64_t prepared_bytes_ = 0;  // of the segment that hold written blocks
  bool is_rotation_due_ = true;
  uint64_t write_lsn_;          // LSN at offset_
  std::shared_ptr<env::File> begin_file_;  // where the transaction begins
  uint64_t begin_offset_ = 0;
  uint32_t begin_number_ = 0;
  bool is_stuck_ = false;  // what a failed transaction left could not be removed

  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<env::File> file_;
  bool is_directory_dirty_ = false;
  std::deque<Segment> segments_;
  uint32_t next_number_;
  bool has_spare_ = false;

  std::atomic<bool> has_failed_sync_{false};
  std::atomic<uint64_t> end_lsn_;
  std::atomic<uint64_t> bytes_written_{0};
};

}  // namespace turdb::wal
