// LockTable: who may change what, among the transactions of one database in this process.
//
// A resource is the whole database, a table, a row, or a key of a unique index; LockKey names it by file and number. Who locks
// rows or keys has locked their table with an intention first, so the table's holders are all who can have one of its rows: their
// books (lock_book.h) are the only record of rows and keys. A row is looked for in the others' books, which costs a comparison with
// the range of each and a look-up in those whose range it is in.
// Modes are those of textbooks (Gray 1978): intention shared and exclusive, shared, exclusive. Requests are granted in the order
// they came, except that a holder that asks for more goes first. A request that closes a cycle of waits ends the cycle's
// youngest transaction with kDeadlock.
// Invariants: (1) modes held on a resource by different owners are compatible; (2) an owner waits for one resource at most;
// (3) a database or table without holders has no entry in held_, a resource nobody waits for none in queues_; (4) an owner is alone
// with a table only while that has no other holder and no waiter.
// One mutex guards everything: a critical section is a few look-ups. Thread-safe; an owner belongs to one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "txn/lock_owner.h"

namespace turdb::txn {

// How long to wait, and what may end a wait early: `check` is called every 20 ms without any lock held.
struct LockWait {
  std::chrono::milliseconds timeout{5000};
  std::function<absl::Status()> check;
};

struct LockStats {
  uint64_t waits = 0, wait_micros = 0, timeouts = 0, deadlocks = 0, escalations = 0;
  uint64_t held = 0, waiting = 0;  // now
  uint64_t bytes = 0;              // of memory that those of rows and keys take
};

struct LockInfo {
  LockKey key;
  TxnId owner;
  LockMode mode;
  bool is_granted;
};

class LockTable {
 public:
  // REQUIRES of all: the owner holds the table of a row or key; those are locked kShared or kExclusive.

  // True when the lock is new or stronger than before; false when it was held already. `name` is of the table, for messages.
  // kBusy after the timeout, kDeadlock, or what `wait.check` gave.
  absl::StatusOr<bool> Acquire(LockOwner* owner, const LockKey& key, LockMode mode, std::string_view name,
                               const LockWait& wait);
  // Whether it is held now; never waits, and never passes those who do.
  bool TryAcquire(LockOwner* owner, const LockKey& key, LockMode mode);
  void Release(LockOwner* owner, const LockKey& key);  // REQUIRES: a row or key
  void Downgrade(LockOwner* owner, const LockKey& key, LockMode mode);  // REQUIRES: it is held
  // Gives back the rows and keys of a table that its holder has locked whole.
  void ReleaseRows(LockOwner* owner, FileId table);
  void ReleaseAll(LockOwner* owner);

  // A rowid at least `least` that no other transaction writing the table has been given. Alone, it is `least`.
  // REQUIRES: the owner holds the table.
  int64_t ReserveRowId(LockOwner* owner, FileId table, int64_t least);
  void NoteRowId(LockOwner* owner, FileId table, int64_t rowid);  // was chosen by the user

  LockStats stats() const;
  std::vector<LockInfo> List() const;  // granted and awaited locks, for the system views

 private:
  struct Holder {
    LockOwner* owner;
    LockOwner::Table* table;  // of the owner; null for the database
    LockMode mode;
  };
  // The database or a table.
  struct Resource {
    absl::InlinedVector<Holder, 1> holders;
    int64_t last_rowid = INT64_MIN;
  };
  struct Request {
    LockOwner* owner;
    LockMode mode;  // what is to be held in the end
    bool is_upgrade;
    bool is_granted = false;
  };
  using Queue = absl::InlinedVector<Request*, 1>;

  // Calls visit(owner, mode) for who holds it, until that returns false; whether it never did.
  template <typename Visit>
  bool AllHoldersLocked(const LockKey& key, Visit visit) const;
  bool IsFreeLocked(const LockOwner* owner, const LockKey& key, LockMode mode) const;
  bool GrantAtOnceLocked(LockOwner* owner, const LockKey& key, LockMode mode);
  void EndSolitudeLocked(const LockOwner* newcomer, const LockKey& table);
  void SetHeldLocked(LockOwner* owner, const LockKey& key, LockMode mode);
  void SetTableLocked(LockOwner* owner, const LockKey& key, LockMode mode);
  void GrantWaitersLocked(const LockKey& key);
  void GrantWaitersForRowsLocked(FileId table);
  void DropHolderLocked(LockOwner* owner, const LockKey& key);
  void EnqueueLocked(const LockKey& key, Request* request);
  void LeaveQueueLocked(const LockKey& key, Request* request);
  template <typename Visit>
  void ForEachBookLocked(Visit visit) const;
  absl::Status WaitLocked(std::unique_lock<std::mutex>* lock, LockOwner* owner, const LockKey& key, Request* request,
                          std::string_view name, const LockWait& wait);
  void EndCyclesLocked(LockOwner* owner);
  bool FindCycleLocked(LockOwner* owner, std::vector<LockOwner*>* cycle) const;
  std::vector<LockOwner*> BlockersLocked(const LockOwner* owner) const;
  std::string DescribeCycleLocked(const std::vector<LockOwner*>& cycle, const LockOwner* victim) const;
  absl::Status TimeoutLocked(const LockOwner* owner, const LockKey& key, std::string_view name, const LockWait& wait) const;

  mutable std::mutex mutex_;
  absl::flat_hash_map<LockKey, Resource> held_;  // the database and tables
  absl::flat_hash_map<LockKey, Queue> queues_;   // of everything, first come first
  LockStats stats_;
};

// REQUIRES: the mutex is held; of a row or key: no owner is alone with the table, or it is the caller's own.
template <typename Visit>
bool LockTable::AllHoldersLocked(const LockKey& key, Visit visit) const {
  const bool is_whole = !key.is_of_table();
  const auto found = held_.find(is_whole ? key : LockKey{key.table, LockKey::Kind::kTable});
  if (found == held_.end()) return true;
  for (const Holder& holder : found->second.holders) {
    const LockMode mode = is_whole ? holder.mode : holder.table->book.Find(key);
    if (mode != LockMode::kNone && !visit(holder.owner, mode)) return false;
  }
  return true;
}

}  // namespace turdb::txn
