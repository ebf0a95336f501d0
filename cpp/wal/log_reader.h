// LogReader: the log as recovery sees it: the whole transactions, in order, up to the first that is not whole.
//
// Two passes: Scan() checks every frame and finds where the last whole transaction ends; Replay() then hands out the
// operations up to there. Bytes after that point are what a crash left of unfinished writes, and are ignored; but
// a bad frame in a segment that others follow is damage, because a segment is synced before the next one begins.
// Nothing is written. Not thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "env/env.h"
#include "format/wal_record.h"

namespace turdb::wal {

// Moves, which may be none, and a delta: against zeros or against the page before.
struct PageChange {
  bool is_from_zero = false;
  const uint8_t* moves = nullptr;  // null: none
  const uint8_t* moves_end = nullptr;
  const uint8_t* delta = nullptr;
  const uint8_t* delta_end = nullptr;
  Lsn lsn;  // the end of its frame
};

class LogVisitor {
 public:
  virtual ~LogVisitor() = default;
  virtual absl::Status OnCreate(FileId file, const std::string& path) = 0;
  virtual absl::Status OnDrop(FileId file) = 0;
  virtual absl::Status OnPage(FileId file, PageId page, const PageChange& change) = 0;
  // After the operations of each frame; `lsn` is its end.
  virtual absl::Status OnFrameEnd(format::FrameKind kind, Lsn lsn) = 0;
};

inline constexpr Lsn kEndOfLog{std::numeric_limits<uint64_t>::max()};

// The header of a segment; false when there is none, or none of this log that a finished write left. kNewerFormat, kIo.
absl::StatusOr<bool> ReadSegmentHeader(env::Env* env, const std::string& directory, uint64_t salt, uint32_t number,
                                       format::SegmentHeader* header);

class LogReader {
 public:
  struct Segment {
    uint32_t number;
    Lsn start_lsn;
    std::string path;
  };

  // The log of the database with this salt, from the segment on, where commits up to `checkpoint_lsn` are in the files.
  // Frames that end behind `limit` count for nothing: beside a process that writes, it is up to where that has published.
  LogReader(env::Env* env, std::string directory, uint64_t salt, uint32_t first_segment, Lsn checkpoint_lsn,
            Lsn limit = kEndOfLog);

  absl::Status Scan();
  // What Scan found. end_lsn is the end of the last whole transaction, at least the checkpoint's.
  Lsn end_lsn() const { return end_lsn_; }
  const std::vector<Segment>& segments() const { return segments_; }
  uint32_t next_segment() const { return next_segment_; }
  uint64_t commits() const { return commits_; }  // behind the checkpoint
  const std::map<FileId, std::string>& file_names() const { return names_; }
  // Files that a whole transaction behind the checkpoint drops; they may be gone from the disk already.
  bool IsDropped(FileId file) const { return dropped_.count(file) > 0; }

  // Operations of the transactions in (checkpoint_lsn, end_lsn]. REQUIRES: Scan.
  absl::Status Replay(LogVisitor* visitor);

 private:
  absl::StatusOr<std::string> ReadSegment(const Segment& segment) const;
  absl::StatusOr<bool> FindSegment(uint32_t number, format::SegmentHeader* header) const;
  absl::Status ScanSegment(const Segment& segment, const format::SegmentHeader& header, Lsn limit, bool is_last);
  absl::Status ScanPayload(std::string_view payload, const std::string& path);

  env::Env* const env_;
  const std::string directory_;
  const uint64_t salt_;
  const uint32_t first_segment_;
  const Lsn checkpoint_lsn_;
  const Lsn limit_;
  Lsn end_lsn_;
  uint32_t next_segment_;
  uint64_t commits_ = 0;
  std::vector<Segment> segments_;
  std::map<FileId, std::string> names_;
  std::set<FileId> dropped_;
  std::vector<FileId> pending_drops_;  // of the transaction being scanned
};

}  // namespace turdb::wal
