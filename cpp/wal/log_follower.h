// LogFollower: reads on in a log that another process is writing, from where it stopped.
//
// It reads only up to an LSN that the writer has published, so every byte it looks at is whole and will not change. It
// remembers the segment, the position and the checksum there; when that segment is not the same any more, or another one
// goes on from here, it finds its place again. Not thread-safe. Nothing is written.
#pragma once

#include <map>
#include <string>

#include "wal/log_reader.h"

namespace turdb::wal {

class LogFollower {
 public:
  LogFollower(env::Env* env, std::string directory, uint64_t salt);

  // Hands out the operations of the transactions in (from, to], which are ends of transactions. False when the log does not
  // hold them (any more): what was handed out is then worth nothing. Errors are those of the visitor and of the disk.
  absl::StatusOr<bool> Follow(Lsn from, Lsn to, LogVisitor* visitor);

 private:
  struct Place {
    uint32_t segment = 0;  // 0: unknown
    uint32_t header_crc = 0;
    Lsn start_lsn{0};
    Lsn lsn{0};
    uint32_t crc = 0;  // that the next frame continues
  };
  absl::StatusOr<bool> IsSameSegment() const;
  absl::StatusOr<bool> Seek(Lsn lsn);
  absl::StatusOr<bool> EnterNextSegment(Lsn* limit);
  // Reads frames from the place up to `limit`; visitor null: only to get there.
  absl::StatusOr<bool> ReadFrames(Lsn limit, LogVisitor* visitor);
  absl::Status Visit(const format::Frame& frame, Lsn end, LogVisitor* visitor, bool* is_good);

  env::Env* const env_;
  const std::string directory_;
  const uint64_t salt_;
  Place place_;
  std::map<FileId, std::string> names_;
};

}  // namespace turdb::wal
