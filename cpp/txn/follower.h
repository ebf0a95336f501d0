// Follower: the committed states that a reading process sees while another process writes.
//
// Before a snapshot is handed out, the commits that the writer has published since are read from the log and
// applied to copies of pages, as recovery does; states handed out before never change. Page versions that the writer's
// checkpoint has brought into the files are dropped. A snapshot holds a lease, and this process claims in turdb.readers the LSN
// of every lease.
// Invariants: (1) for every page that the files may show newer than the current state, the state has a version;
// (2) while a state is claimed, the files that it reads show nothing newer than it or than what was published when it was
// claimed: a checkpoint that would write more to such a file puts a copy in its place and leaves the file as it is, under a
// name that DataFile finds (SearchReplaced) when it is opened late.
// After a time without a claim (1) may not hold any more; reading the log on to what is published restores it, since the
// files show nothing newer. When the log does not reach back that far, or files have been replaced since they were loaded, everything
// is loaded anew from turdb.meta; snapshots handed out before keep the files they have.
// Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pager/page_memory.h"
#include "txn/database_state.h"
#include "txn/reader_table.h"
#include "txn/store.h"
#include "wal/log_follower.h"

namespace turdb::txn {

class LeaseCounter;

class Follower {
 public:
  // kBusy when the directory is being rearranged for longer than the timeout; errors of recovery.
  static absl::StatusOr<std::unique_ptr<Follower>> Open(env::Env* env, const std::string& directory,
                                                        std::shared_ptr<ReaderTable> table,
                                                        IntrusivePtr<pager::PageMemory> memory,
                                                        IntrusivePtr<pager::OpenFiles> open_files, uint64_t timeout_ms,
                                                        const CheckInterrupt& check);
  ~Follower();

  // The newest published state; one without files that says why when it cannot be read.
  IntrusivePtr<DatabaseState> Snapshot();
  std::vector<SnapshotInfo> Snapshots() const;  // of this process
  uint64_t recovered_commits() const { return recovered_commits_; }

 private:
  Follower(env::Env* env, const std::string& directory, std::shared_ptr<ReaderTable> table,
           IntrusivePtr<pager::PageMemory> memory, IntrusivePtr<pager::OpenFiles> open_files, uint64_t timeout_ms);
  // Each leaves a lease on the new current state in `snapshot`.
  absl::Status Advance(Lsn to, IntrusivePtr<DatabaseState>* snapshot);
  absl::Status Load(const CheckInterrupt& check, IntrusivePtr<DatabaseState>* snapshot);
  absl::StatusOr<bool> LoadUnlocked(IntrusivePtr<DatabaseState>* snapshot);
  absl::Status LoadLocked(const CheckInterrupt& check, IntrusivePtr<DatabaseState>* snapshot);
  // What the directory holds, with a lease.
  struct Loaded {
    IntrusivePtr<DatabaseState> state, snapshot;
    Lsn checkpoint{0}, files{0};
    uint64_t salt = 0, commits = 0;
  };
  absl::StatusOr<Loaded> Read(bool has_writer);
  IntrusivePtr<DatabaseState> Adopt(Loaded loaded);
  absl::Status Trim(Lsn checkpoint, IntrusivePtr<DatabaseState>* snapshot);
  absl::Status ToNewest(IntrusivePtr<DatabaseState>* snapshot);
  IntrusivePtr<DatabaseState> Lease(const DatabaseState& state);

  env::Env* const env_;
  const std::string directory_;
  const std::shared_ptr<ReaderTable> table_;
  const IntrusivePtr<pager::PageMemory> memory_;
  const IntrusivePtr<pager::OpenFiles> open_files_;
  const uint64_t timeout_ms_;
  const std::shared_ptr<LeaseCounter> leases_;

  std::mutex mutex_;  // guards what follows
  IntrusivePtr<DatabaseState> current_;
  std::unique_ptr<wal::LogFollower> log_;
  Lsn trimmed_{0};  // versions up to it were dropped
  Lsn loaded_files_{0};  // files that were replaced up to it were so when they were loaded
  uint64_t recovered_commits_ = 0;
};

}  // namespace turdb::txn
