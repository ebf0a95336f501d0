// RowLocker: the locks of SELECT .. FOR UPDATE and FOR SHARE on one table.
//
// A row is locked, then compared with the newest state, as a writer does before it changes one. The locks last until the
// transaction ends; a savepoint does not give them back. Past kEscalateAt locks the table is tried for whole. Not thread-safe.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "table/row_ref.h"
#include "txn/store.h"

namespace turdb::table {

class RowLocker {
 public:
  enum class WhenLocked : uint8_t { kWait, kFail, kSkip };

  // `mode` is kShared or kExclusive. REQUIRES: the transaction is writing; `table` outlives this.
  RowLocker(txn::Transaction* txn, const catalog::TableDef& table, txn::LockMode mode, WhenLocked when_locked)
      : txn_(txn), table_(table), mode_(mode), when_locked_(when_locked) {}

  // Announces row locks to those who want the whole table, and waits for those who have it, with kSkip too: which rows they will
  // leave is not known. kFail: kBusy instead of the wait.
  absl::Status Open();

  // Whether the row is the transaction's now and is as its snapshot shows it. False for kSkip alone: others have the row, or have
  // committed a change of it. kBusy, kDeadlock; kConflict when others have committed a change of the row.
  absl::StatusOr<bool> Lock(RowRef row);

 private:
  bool HasWholeTable() const;
  absl::StatusOr<bool> Acquire(const txn::LockKey& key, RowRef row, bool* is_new);
  void Escalate();

  txn::Transaction* const txn_;
  const catalog::TableDef& table_;
  const txn::LockMode mode_;
  const WhenLocked when_locked_;
};

}  // namespace turdb::table
