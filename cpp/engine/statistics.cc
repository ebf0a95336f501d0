#include "engine/statistics.h"

#include "env/process_reads.h"

namespace turdb::engine {
namespace {

using txn::StoreStats;

struct StoreCounter {
  std::string_view name;
  uint64_t StoreStats::*field;
  std::string_view unit, description;
};

// A new field of StoreStats is a line here. A page is read by the processor from a file as the operating system maps it, so what
// is counted is that it was asked for; what the disk had to do for it only the operating system knows.
constexpr StoreCounter kStoreCounters[] = {
    {"wal_bytes", &StoreStats::wal_bytes, "bytes", "log that recovery would read if the process ended now"},
    {"wal_bytes_written", &StoreStats::wal_bytes_written, "bytes", "written to the log since the database was opened"},
    {"commits", &StoreStats::commits, "transactions", "committed since the database was opened, those of the background too"},
    {"syncs", &StoreStats::syncs, "calls", "syncs of the log; one serves all commits that wait for it"},
    {"checkpoints", &StoreStats::checkpoints, "checkpoints", "completed since the database was opened"},
    {"pages_written", &StoreStats::pages_checkpointed, "pages", "written to the data files by checkpoints"},
    {"pages_read", &StoreStats::pages_read, "pages", "asked for and found in the data files as the operating system maps and caches them; those of vectors and graphs are not counted"},
    {"cache_hits", &StoreStats::cache_hits, "pages", "asked for and found in memory, as versions that no checkpoint has written yet; neither are those"},
    {"recovered_commits", &StoreStats::recovered_commits, "transactions", "read back from the log when the database was opened"},
    {"repeated_commits", &StoreStats::repeated_commits, "transactions", "made anew at commit, because others had committed to the same table"},
    {"cache_limit_bytes", &StoreStats::cache_limit_bytes, "bytes", "of page versions in memory: cache_size"},
    {"cache_bytes", &StoreStats::cache_bytes, "bytes", "page versions in memory now"},
    {"spilled_bytes", &StoreStats::spilled_bytes, "bytes", "page versions past the limit, in the spill file"},
    {"committed_version_bytes", &StoreStats::committed_bytes, "bytes", "page versions of commits that no checkpoint has written, or a snapshot holds"},
    {"spill_file_bytes", &StoreStats::spill_file_bytes, "bytes", "disk space of the spill file"},
    {"snapshots", &StoreStats::snapshots, "snapshots", "states that transactions and cursors of this process look at"},
    {"oldest_snapshot_log_bytes", &StoreStats::oldest_snapshot_log_bytes, "bytes", "logged since the oldest of them"},
    {"preserved_pages", &StoreStats::preserved_pages, "pages", "kept on the disk for snapshots older than the last checkpoint"},
    {"preserved_file_bytes", &StoreStats::preserved_file_bytes, "bytes", "disk space of those"},
    {"files_replaced", &StoreStats::files_replaced, "files", "copied by checkpoints since the database was opened, because another process read them"},
    {"replaced_files", &StoreStats::replaced_files, "files", "as they were before, kept for snapshots of other processes now"},
    {"replaced_file_bytes", &StoreStats::replaced_file_bytes, "bytes", "length of those"},
    {"checkpoints_for_log", &StoreStats::checkpoints_for_log, "checkpoints", "because of the log's size"},
    {"checkpoints_for_memory", &StoreStats::checkpoints_for_memory, "checkpoints", "because of the page versions' size"},
    {"checkpoints_for_time", &StoreStats::checkpoints_for_time, "checkpoints", "because of checkpoint_interval"},
    {"checkpoints_requested", &StoreStats::checkpoints_requested, "checkpoints", "asked for, or at close"},
};

struct LockCounter {
  std::string_view name;
  uint64_t txn::LockStats::*field;
  std::string_view unit, description;
};
constexpr LockCounter kLockCounters[] = {
    {"locks_held", &txn::LockStats::held, "locks", "of transactions, now"},
    {"locks_awaited", &txn::LockStats::waiting, "locks", "that transactions wait for, now"},
    {"lock_waits", &txn::LockStats::waits, "times", "a lock was not free at once"},
    {"lock_wait_micros", &txn::LockStats::wait_micros, "microseconds", "waited for locks, by all transactions together"},
    {"lock_timeouts", &txn::LockStats::timeouts, "times", "a lock was not free within the timeout"},
    {"deadlocks", &txn::LockStats::deadlocks, "transactions", "rolled back to end a circle of waits"},
    {"lock_bytes", &txn::LockStats::bytes, "bytes", "memory that locks of rows and keys take, now"},
    {"lock_escalations", &txn::LockStats::escalations, "times", "row locks were exchanged for a table's"},
};

}  // namespace

std::vector<Statistic> StatisticsOf(const Database& database) {
  const StoreStats stats = database.store()->stats();
  std::vector<Statistic> all;
  for (const StoreCounter& counter : kStoreCounters) {
    all.push_back({counter.name, stats.*counter.field, counter.unit, counter.description});
  }
  for (const LockCounter& counter : kLockCounters) {
    all.push_back({counter.name, stats.locks.*counter.field, counter.unit, counter.description});
  }
  all.push_back({"oldest_snapshot_seconds", static_cast<uint64_t>(stats.oldest_snapshot_seconds), "seconds", "since a newer state than the oldest snapshot was committed"});
  all.push_back({"reading_processes", stats.reading_processes, "processes", "that read beside this one, which writes"});
  const env::ProcessReads reads = env::ReadsOfProcess();
  all.push_back({"major_page_faults", reads.major_faults, "times", "this process waited for a disk because of mapped memory, whatever the file"});
  if (reads.disk_bytes.has_value()) {
    all.push_back({"disk_read_bytes", *reads.disk_bytes, "bytes", "read from disks for this process, whatever the file; what the operating system had in its cache is not among them"});
  }
  const SpaceCounters& space = database.space_counters();
  all.push_back({"vacuumed_tables", space.vacuumed.load(), "tables", "rebuilt by automatic vacuum since the database was opened"});
  all.push_back({"vacuum_yields", space.yielded.load(), "times", "automatic vacuum gave way to a transaction that wanted to write"});
  all.push_back({"vacuum_failures", space.failed.load(), "times", "automatic vacuum could not read or rebuild a table: damaged, or no room"});
  all.push_back({"open_transactions", database.transactions().List().size(), "transactions", "explicit ones that are open now"});
  return all;
}

}  // namespace turdb::engine
