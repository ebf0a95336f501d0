// How a connection runs INSERT, UPDATE, DELETE, and a SELECT that locks rows: its rows are read to the end and kept, as those of
// RETURNING are, so that it can run again.
//
// A statement that meets what another transaction has committed since its snapshot (kConflict) runs again on a newer snapshot where
// nobody can tell the difference: outside a transaction, as the first of one, and at READ COMMITTED. A deadlock rolls the whole
// transaction back, since only that lets the others go on.
#include <algorithm>
#include <chrono>
#include <optional>

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/result_impl.h"
#include "engine/statement_impl.h"
#include "table/read_log.h"
#include "table/table_lock.h"

namespace turdb::engine {
namespace {

// Errors after which a statement on one row has changed nothing: what refuses a row, and the locks that it needs, come first.
bool LeavesNoTrace(const absl::Status& status) {
  switch (KindOf(status)) {
    case ErrorKind::kConstraint:
    case ErrorKind::kBadValue:
    case ErrorKind::kDimension:
    case ErrorKind::kOverflow:
    case ErrorKind::kParameter:
    case ErrorKind::kBusy:
    case ErrorKind::kConflict:
    case ErrorKind::kInterrupted: return true;
    default: return false;
  }
}

}  // namespace

absl::Status StatementImpl::RunWrite(Execution* execution, RowBuffer* rows) {
  ColumnBatch& batch = execution->written;
  TURDB_RETURN_IF_ERROR(execution->root->Open());
  while (true) {
    TURDB_RETURN_IF_ERROR(execution->root->Next(&batch));
    if (batch.size == 0) break;
    TURDB_RETURN_IF_ERROR(rows->AddBatch(batch));
  }
  const bool is_untouched = batch.columns.empty() && batch.arena != nullptr && batch.arena.use_count() == 1;
  if (!is_untouched) batch = ColumnBatch();
  return absl::OkStatus();
}

const catalog::TableDef* StatementImpl::target() const {
  const sql::PhysicalNode& root = *plan_->root;
  switch (root.kind) {
    case sql::PhysicalKind::kInsert: return root.As<sql::PhysicalInsert>().table;
    case sql::PhysicalKind::kUpdate: return root.As<sql::PhysicalUpdate>().table;
    case sql::PhysicalKind::kDelete: return root.As<sql::PhysicalDelete>().table;
    default: return nullptr;
  }
}

// For many rows in a transaction of their own.
absl::Status StatementImpl::TakeWholeTable() {
  TURDB_ASSIGN_OR_RETURN(auto txn, state_->StatementTransaction());
  TURDB_RETURN_IF_ERROR(state_->StartSharedWriting(txn.get()));
  TURDB_RETURN_IF_ERROR(EnsurePlan(txn.get()));
  return target() == nullptr ? absl::OkStatus() : table::LockWhole(txn.get(), *target());
}

absl::StatusOr<std::unique_ptr<Result>> StatementImpl::ExecuteWrite(absl::Span<const Value> parameters) {
  RowBuffer rows(0);
  int64_t changes = -1;
  TURDB_RETURN_IF_ERROR(Write(parameters, &rows, &changes));
  return std::make_unique<ResultImpl>(state_, std::move(rows), ColumnsOf(plan_), changes);
}

// What it changes and returns, once it has run: again and again for as long as a lock may be waited for, if it must.
absl::Status StatementImpl::Write(absl::Span<const Value> parameters, RowBuffer* rows, int64_t* changes) {
  std::optional<std::chrono::steady_clock::time_point> deadline;
  while (true) {
    bool may_retry = false;
    absl::Status status = TryWrite(parameters, rows, changes, &may_retry);
    if (status.ok()) return status;
    // Also for a program that tries again itself: it would meet the same commit.
    if (KindOf(status) == ErrorKind::kConflict) state_->AwaitNewest();
    const auto now = std::chrono::steady_clock::now();
    if (!deadline.has_value()) deadline = now + state_->timeout;
    if (!may_retry || now >= *deadline) return status;
    if (state_->interrupted.load(std::memory_order_relaxed)) return InterruptedError("interrupted");
  }
}

absl::Status StatementImpl::TryWrite(absl::Span<const Value> parameters, RowBuffer* rows, int64_t* changes, bool* may_retry) {
  TURDB_ASSIGN_OR_RETURN(auto txn, state_->StatementTransaction());
  const bool is_autocommit = state_->transaction == nullptr;
  absl::Status status = state_->StartSharedWriting(txn.get(), !is_nowait_);
  if (status.ok()) status = EnsurePlan(txn.get());
  // Before anything is read, so that a wait for the table does not make the snapshot old.
  if (status.ok() && target() != nullptr) status = table::LockBeforeReading(txn.get(), *target());
  if (!status.ok()) {
    TURDB_RETURN_IF_ERROR(EndFailedWrite(txn.get(), sql::ExecContext(), status, may_retry));
    return status;
  }
  *rows = RowBuffer(columns().size(), state_.get());  // of this plan, and without what an attempt before may have left
  TURDB_ASSIGN_OR_RETURN(auto execution, TakeExecution());
  if (!state_->open_results.empty()) txn->Freeze();
  StartExecution(execution.get(), state_.get(), txn.get(), parameters);
  execution->context.wants_savepoint = !is_autocommit;
  status = RunWrite(execution.get(), rows);
  execution->root->Close();
  const sql::ExecContext& context = execution->context;
  if (status.ok() || context.keep_changes) {
    if (context.savepoint.has_value()) txn->Release(*context.savepoint);
    if (is_autocommit) {
      const absl::Status committed = state_->CommitStatement(txn.get());
      *may_retry = KindOf(committed) == ErrorKind::kConflict;
      if (status.ok()) status = committed;
    }
  } else {
    TURDB_RETURN_IF_ERROR(EndFailedWrite(txn.get(), context, status, may_retry));
  }
  const bool is_write = class_ == StatementClass::kWrite;
  if (status.ok() || context.keep_changes) state_->is_fresh = false;
  if (is_write && (status.ok() || context.keep_changes)) {
    state_->changes = context.changes;
    state_->total_changes += context.changes;
    state_->last_insert_rowid = context.last_insert_rowid;
  }
  state_->NoteTransaction();
  *changes = is_write ? context.changes : -1;
  execution->context.txn = nullptr;
  execution->context.parameters = {};
  Recycle(std::move(execution));
  return status;
}

// Takes back what the statement did, or the whole transaction, and says whether it may run again. An error returned is worse than
// the statement's own.
absl::Status StatementImpl::EndFailedWrite(txn::Transaction* txn, const sql::ExecContext& context, const absl::Status& status,
                                           bool* may_retry) {
  const ErrorKind kind = KindOf(status);
  if (state_->transaction == nullptr) {
    txn->Rollback();
    *may_retry = kind == ErrorKind::kConflict || kind == ErrorKind::kDeadlock;
    return absl::OkStatus();
  }
  if (kind == ErrorKind::kDeadlock || context.rollback_transaction) return state_->Rollback();
  if (kind == ErrorKind::kConflict && state_->is_fresh) {
    txn->Rollback();  // BEGIN stays in force: nothing has happened since
    if (state_->isolation == sql::Isolation::kSerializable) txn->set_read_log(std::make_unique<table::RowReadLog>());
    *may_retry = true;
    return absl::OkStatus();
  }
  state_->is_fresh = false;
  if (context.savepoint.has_value()) {
    const absl::Status restored = txn->RollbackTo(*context.savepoint);
    if (!restored.ok()) {
      TURDB_RETURN_IF_ERROR(state_->Rollback());
      return restored;
    }
    txn->Release(*context.savepoint);
  } else if (context.has_begun_writing && !LeavesNoTrace(status)) {
    return state_->Rollback();
  }
  *may_retry = kind == ErrorKind::kConflict && state_->reads_newest();
  return absl::OkStatus();
}

}  // namespace turdb::engine
