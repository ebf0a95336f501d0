// LockTable: who may change what, among the transactions of one database in this process.
//
// A resource is the whole database, a table, a row, or a key of a unique index; LockKey names it by file and number. Who locks
// rows or keys has locked their table with an intention first; the rows of an owner that is alone with a table are in its own book
// (lock_owner.h).
// Modes are those of textbooks (Gray 1978): intention shared and exclusive, shared, exclusive. Requests are granted in the order
// they came, except that a holder that asks for more goes first. A request that closes a cycle of waits ends the cycle's
// youngest transaction with kDeadlock.
// Invariants: (1) modes held on a resource by different owners are compatible; (2) an owner waits for one resource at most;
// (3) a resource without holders and waiters has no entry; (4) an owner is alone with a table only while that resource has no other
// holder and no waiter.
// One mutex guards everything: a critical section is a few hash look-ups. Thread-safe; an owner belongs to one thread at a time.
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
};

struct LockInfo {
  LockKey key;
  TxnId owner;
  LockMode mode;
  bool is_granted;
};

class LockTable {
 public:
  // True when the lock is new or stronger than before; false when it was held already. `name` is of the table, for messages.
  // kBusy after the timeout, kDeadlock, or what `wait.check` gave.
  absl::StatusOr<bool> Acquire(LockOwner* owner, const LockKey& key, LockMode mode, std::string_view name,
                               const LockWait& wait);
  // Whether it is held now; never waits, and never passes those who do.
  bool TryAcquire(LockOwner* owner, const LockKey& key, LockMode mode);
  void Release(LockOwner* owner, const LockKey& key);
  void Downgrade(LockOwner* owner, const LockKey& key, LockMode mode);
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
    LockMode mode;
  };
  struct Request {
    LockOwner* owner;
    LockMode mode;  // what is to be held in the end
    bool is_upgrade;
    bool is_granted = false;
  };
  struct Resource {
    absl::InlinedVector<Holder, 1> holders;
    absl::InlinedVector<Request*, 1> queue;
    int64_t last_rowid = INT64_MIN;
  };

  static bool IsCompatible(const Resource& resource, const LockOwner* owner, LockMode mode);
  bool GrantAtOnceLocked(LockOwner* owner, const LockKey& key, LockMode mode);
  void EndSolitudeLocked(const LockOwner* newcomer, const LockKey& table);
  void SetHeldLocked(Resource* resource, LockOwner* owner, const LockKey& key, LockMode mode);
  void GrantWaitersLocked(const LockKey& key);
  void DropHolderLocked(LockOwner* owner, const LockKey& key);
  void DropBookLocked(LockOwner* owner, LockOwner::Table* table);
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
  absl::flat_hash_map<LockKey, Resource> resources_;
  LockStats stats_;
};

}  // namespace turdb::txn
