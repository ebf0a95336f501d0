// Follower: the committed states that a reading process sees while another process writes.
//
// Before a snapshot is handed out, the commits that the writer has published since are read from the log and
// applied to copies of pages, as recovery does; states handed out before never change. Page versions that the writer's
// checkpoint has brought into the files are dropped. A snapshot holds a lease; the oldest lease is what this process
// claims in turdb.readers, and without leases it claims nothing.
// Invariants: (1) for every page that the files may show newer than the current state, the state has a version;
// (2) while something is claimed, the files show nothing newer than the claim or than what was published when it was made.
// After a time without a claim (1) may not hold any more; reading the log on to what is published restores it, since the
// files show nothing newer. When the log does not reach back that far, everything is loaded anew from turdb.meta.
// Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "pager/page_memory.h"
#include "txn/database_state.h"
#include "txn/reader_table.h"
#include "wal/log_follower.h"

namespace turdb::txn {

class LeaseCounter;

class Follower {
 public:
  // kBusy when the directory is being rearranged for longer than the timeout; errors of recovery.
  static absl::StatusOr<std::unique_ptr<Follower>> Open(env::Env* env, const std::string& directory,
                                                        std::shared_ptr<ReaderTable> table,
                                                        IntrusivePtr<pager::PageMemory> memory, uint64_t timeout_ms,
                                                        const CheckInterrupt& check);
  ~Follower();

  // The newest published state; one without files that says why when it cannot be read.
  IntrusivePtr<DatabaseState> Snapshot();
  uint64_t recovered_commits() const { return recovered_commits_; }

 private:
  Follower(env::Env* env, const std::string& directory, std::shared_ptr<ReaderTable> table,
           IntrusivePtr<pager::PageMemory> memory, uint64_t timeout_ms);
  absl::Status Advance(Lsn to);
  absl::Status Load(const CheckInterrupt& check);
  absl::Status Trim(Lsn checkpoint);
  IntrusivePtr<DatabaseState> Lease();

  env::Env* const env_;
  const std::string directory_;
  const std::shared_ptr<ReaderTable> table_;
  const IntrusivePtr<pager::PageMemory> memory_;
  const uint64_t timeout_ms_;
  const std::shared_ptr<LeaseCounter> leases_;

  std::mutex mutex_;  // guards what follows
  IntrusivePtr<DatabaseState> current_;
  std::unique_ptr<wal::LogFollower> log_;
  Lsn trimmed_{0};  // versions up to it were dropped
  uint64_t recovered_commits_ = 0;
};

}  // namespace turdb::txn
