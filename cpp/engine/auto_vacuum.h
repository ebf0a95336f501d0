// AutoVacuum: which tables are worth rebuilding, and the background step that does it.
//
// A table is due when one of its files has at least a MiB, and at least its share, of room that holds nothing: free pages,
// slots and nodes of deleted vectors, or leaves half empty because rows have gone (guessed from some of them: ThinLeaves). Only tables
// that changed since the last look are looked at, so a database that rests costs nothing, and looks that read pages leave pauses
// of many times their length. The step has the database for itself while it works and gives it back at once when somebody
// waits for it; it then leaves longer and longer pauses before it tries again.
// Belongs to the maintenance thread of its Database, but for the counters.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "catalog/catalog.h"
#include "sql/exec/memory_budget.h"
#include "table/rebuild.h"
#include "txn/store.h"

namespace turdb::engine {

enum class AutoVacuumMode : uint8_t { kNone = 0, kFull = 1, kIncremental = 2 };  // SQLite's names and numbers

struct SpaceCounters {
  std::atomic<uint64_t> vacuumed{0}, yielded{0}, failed{0};
};

absl::StatusOr<AutoVacuumMode> ReadAutoVacuumMode(txn::Transaction* txn);  // of the database; kFull until it is changed
absl::Status WriteAutoVacuumMode(txn::Transaction* txn, AutoVacuumMode mode);  // REQUIRES: is_writing()

// What VACUUM of the table would give back, in pages, whether it is worth it or not.
absl::StatusOr<uint64_t> PagesToGain(txn::Transaction* txn, const catalog::TableDef& table);

// Which tables have lost so many rows that their leaves are thin. Full leaves split when rows come between theirs, so leaves may be
// half empty because a table grows; packing them would only have them split again. So what counts is that a table once
// held more: since it was first looked at or, when it is looked at for the first time, that it is so now.
class ThinLeaves {
 public:
  // Whether the table, whose leaves have been sampled, is to be rebuilt for it.
  bool IsDue(ObjectId table, const std::vector<table::FileSpace>& files);
  // `files` as they were sampled before that.
  void NoteRebuilt(ObjectId table, const std::vector<table::FileSpace>& files);
  void ForgetAllBut(const std::vector<const catalog::TableDef*>& tables);

 private:
  absl::flat_hash_map<uint32_t, uint64_t> most_live_bytes_;  // of all trees of a table, by its id
};

class AutoVacuum {
 public:
  // `must_yield` is asked often while a table is rebuilt.
  AutoVacuum(txn::Store* store, catalog::CatalogCache* cache, std::function<bool()> must_yield);

  // Rebuilds at most one table that is due; true when there may be more to do, now or after retry_at(). In mode kFull only.
  absl::StatusOr<bool> Step();
  // Not before this; the epoch when there is nothing to wait for.
  std::chrono::steady_clock::time_point retry_at() const { return retry_at_; }
  const SpaceCounters& counters() const { return counters_; }
  // Of a graph while it is built: past that it lies in a temporary file. From any thread.
  void set_memory_bytes(uint64_t bytes) { memory_bytes_.store(bytes); }

 private:
  using Versions = absl::flat_hash_map<uint32_t, uint64_t>;  // of contents, by file

  absl::StatusOr<bool> Rebuild(ObjectId id);
  enum class Look : uint8_t { kDue, kNotDue, kMustSample };
  absl::StatusOr<Look> LookAt(txn::Transaction* txn, const catalog::TableDef& table, bool may_sample);
  bool HasChanged(txn::Transaction* txn, const catalog::TableDef& table) const;
  void Remember(txn::Transaction* txn, const catalog::TableDef& table, Versions* versions) const;
  void NoteFailure(const absl::Status& status, const Versions& versions);
  void Postpone();

  txn::Store* const store_;
  catalog::CatalogCache* const cache_;
  const std::function<bool()> must_yield_;
  SpaceCounters counters_;
  std::atomic<uint64_t> memory_bytes_{sql::MemoryBudget::kDefaultBytes};
  const uint64_t opened_at_;  // contents up to this version were there when the database was opened
  Versions looked_at_;        // per file that changed since, the content that was last looked at
  Versions to_retry_;         // of those, what could not be rebuilt
  ThinLeaves thin_leaves_;
  std::chrono::steady_clock::time_point sample_at_;  // no leaf is read for the look before this
  std::chrono::milliseconds pause_;
  std::chrono::steady_clock::time_point retry_at_;
};

}  // namespace turdb::engine
