#include "engine/statement_impl.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/insert_batch.h"
#include "engine/result_impl.h"

namespace turdb::engine {
namespace {

StatementClass ClassOf(const sql::Statement& statement) {
  switch (statement.kind) {
    case sql::StatementKind::kSelect:
    case sql::StatementKind::kExplain: return StatementClass::kSelect;
    case sql::StatementKind::kInsert:
    case sql::StatementKind::kUpdate:
    case sql::StatementKind::kDelete: return StatementClass::kWrite;
    case sql::StatementKind::kBegin:
    case sql::StatementKind::kCommit:
    case sql::StatementKind::kRollback:
    case sql::StatementKind::kSavepoint:
    case sql::StatementKind::kRelease: return StatementClass::kTransaction;
    case sql::StatementKind::kPragma: return StatementClass::kPragma;
    default: return StatementClass::kSchema;
  }
}

StatementClass ClassOf(const sql::ParsedStatement& parsed) {
  const StatementClass plain = ClassOf(*parsed.statement);
  const bool is_locking = parsed.locks_rows && parsed.statement->kind == sql::StatementKind::kSelect;
  return is_locking ? StatementClass::kLockingSelect : plain;
}

const std::shared_ptr<const ResultColumns>& NoColumns() {
  static const auto* const none = new std::shared_ptr<const ResultColumns>(std::make_shared<const ResultColumns>());
  return *none;
}

bool HasPlan(const sql::Statement& statement) {
  return statement.kind == sql::StatementKind::kSelect || ClassOf(statement) == StatementClass::kWrite;
}

}  // namespace

StatementImpl::StatementImpl(std::shared_ptr<ConnectionState> state, sql::ParsedStatement parsed)
    : state_(std::move(state)), parsed_(std::move(parsed)), text_(parsed_.text), class_(ClassOf(parsed_)) {
  for (std::string_view name : parsed_.parameter_names) parameter_names_.emplace_back(name);
  if (class_ != StatementClass::kLockingSelect) return;
  for (const sql::LockingClause& clause : parsed_.statement->As<sql::Select>().locking) {
    is_nowait_ = is_nowait_ || clause.wait == sql::RowLockWait::kNoWait;
  }
}

absl::StatusOr<std::shared_ptr<StatementImpl>> StatementImpl::Create(std::shared_ptr<ConnectionState> state, sql::ParsedStatement parsed) {
  std::shared_ptr<StatementImpl> statement(new StatementImpl(std::move(state), std::move(parsed)));
  if (HasPlan(*statement->parsed_.statement)) {
    // Preparing must not count as reading in a transaction that may write later: it would make it conflict. But what the
    // statement names may be gone from the newest state and still be there in the transaction's.
    const ConnectionState& now = *statement->state_;
    const std::shared_ptr<txn::Transaction> own = now.transaction;
    const bool is_settled = own != nullptr && (own->is_writing() || (now.has_snapshot && !now.reads_newest()));
    const bool is_own_needed = is_settled || (own != nullptr && now.database->is_read_only());
    absl::Status planned;
    if (!is_own_needed) planned = statement->EnsurePlan(now.database->store()->Begin().get());
    if (is_own_needed || (own != nullptr && !planned.ok())) planned = statement->EnsurePlan(own.get());
    TURDB_RETURN_IF_ERROR(planned);
  } else if (statement->parsed_.statement->kind == sql::StatementKind::kExplain) {
    statement->own_columns_.push_back({"plan", "TEXT"});
  }
  return statement;
}

bool StatementImpl::has_returning() const {
  const sql::Statement& statement = *parsed_.statement;
  switch (statement.kind) {
    case sql::StatementKind::kInsert: return !statement.As<sql::Insert>().returning.empty();
    case sql::StatementKind::kUpdate: return !statement.As<sql::Update>().returning.empty();
    case sql::StatementKind::kDelete: return !statement.As<sql::Delete>().returning.empty();
    default: return false;
  }
}

absl::Status StatementImpl::EnsurePlan(txn::Transaction* txn) {
  // Equal versions of the catalog's file mean an equal catalog.
  const uint64_t catalog_version = txn->FileVersion(txn::kCatalogFile);
  const bool has_same_functions = functions_version_ == state_->functions.version();
  if (plan_ != nullptr && catalog_version_ == catalog_version && has_same_functions) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(auto catalog, state_->Catalog(txn));
  if (plan_ == nullptr || plan_->bound.catalog != catalog || !has_same_functions) {
    idle_ = nullptr;
    TURDB_ASSIGN_OR_RETURN(plan_, MakePlan(parsed_, state_.get(), txn, std::move(catalog)));
    functions_version_ = state_->functions.version();
  }
  catalog_version_ = catalog_version;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Execution>> StatementImpl::TakeExecution() {
  if (idle_ != nullptr) return std::move(idle_);
  return MakeExecution(plan_, state_.get());
}

void StatementImpl::Recycle(std::unique_ptr<Execution> execution) {
  if (idle_ == nullptr && execution->plan == plan_ && execution->functions_version == functions_version_) {
    idle_ = std::move(execution);
  }
}

absl::Status StatementImpl::CheckParameters(absl::Span<const Value> parameters) const {
  if (parameters.size() == parsed_.parameter_count) return absl::OkStatus();
  return ParameterError("Incorrect number of bindings supplied. The current statement uses ", parsed_.parameter_count,
                        ", and there are ", parameters.size(), " supplied.");
}

absl::StatusOr<std::unique_ptr<Result>> StatementImpl::Execute(absl::Span<const Value> parameters) {
  std::lock_guard lock(state_->mutex);
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  if (IsMemoryLow()) KeepMemoryReserve();  // it may be back
  const bool may_change = class_ != StatementClass::kSelect;
  return state_->WithinMemory(may_change, [&] { return ExecuteLocked(parameters); });
}

absl::StatusOr<std::unique_ptr<Result>> StatementImpl::ExecuteLocked(absl::Span<const Value> parameters) {
  TURDB_RETURN_IF_ERROR(CheckParameters(parameters));
  state_->interrupted.store(false, std::memory_order_relaxed);
  switch (class_) {
    case StatementClass::kSelect:
      return parsed_.statement->kind == sql::StatementKind::kExplain ? ExecuteExplain(parameters) : ExecuteRead(parameters);
    case StatementClass::kLockingSelect:
    case StatementClass::kWrite: return ExecuteWrite(parameters);
    case StatementClass::kSchema:
      if (parsed_.statement->kind == sql::StatementKind::kVacuum) return ExecuteVacuum(parameters);
      return ExecuteSchema(parameters);
    case StatementClass::kPragma: return ExecutePragma();
    case StatementClass::kTransaction:
      TURDB_RETURN_IF_ERROR(ExecuteTransactionControl());
      return Buffered(RowBuffer(0), {}, -1);
  }
  return InternalError("unknown class of statement");
}

absl::Status StatementImpl::ExecuteTransactionControl() {
  const sql::Statement& statement = *parsed_.statement;
  switch (statement.kind) {
    case sql::StatementKind::kBegin: return state_->Begin(statement.As<sql::Begin>());
    case sql::StatementKind::kCommit: return state_->Commit();
    case sql::StatementKind::kSavepoint: return state_->MakeSavepoint(statement.As<sql::Savepoint>().name.text);
    case sql::StatementKind::kRelease: return state_->Release(statement.As<sql::Release>().name.text);
    default: break;
  }
  const sql::Rollback& rollback = statement.As<sql::Rollback>();
  return rollback.savepoint.empty() ? state_->Rollback() : state_->RollbackTo(rollback.savepoint.text);
}

absl::StatusOr<std::unique_ptr<Result>> StatementImpl::ExecuteRead(absl::Span<const Value> parameters) {
  TURDB_ASSIGN_OR_RETURN(auto txn, state_->StatementTransaction());
  state_->is_fresh = false;
  TURDB_RETURN_IF_ERROR(EnsurePlan(txn.get()));
  TURDB_ASSIGN_OR_RETURN(auto execution, TakeExecution());
  StartExecution(execution.get(), state_.get(), txn.get(), execution->Keep(parameters));  // its rows are read later
  const absl::Status opened = execution->root->Open();
  if (!opened.ok()) {
    execution->root->Close();
    return opened;
  }
  return std::unique_ptr<Result>(std::make_unique<ResultImpl>(state_, shared_from_this(), std::move(execution), std::move(txn)));
}

absl::Status StatementImpl::RunMany(const NextParameters& next, int64_t* changes) {
  TURDB_RETURN_IF_ERROR(state_->StartSharedWriting(state_->transaction.get()));
  TURDB_RETURN_IF_ERROR(EnsurePlan(state_->transaction.get()));
  state_->is_fresh = false;
  const std::shared_ptr<sql::PhysicalPlan> plan = plan_;
  const bool is_batched = InsertBatch::Takes(*plan);
  std::optional<InsertBatch> batch;
  if (is_batched) batch.emplace(*plan);
  while (true) {
    const auto parameters = next();
    absl::Status given = parameters.status();
    const bool has_more = parameters.ok() && *parameters != nullptr;
    if (is_batched) {
      if (has_more) given = CheckParameters(**parameters);
      if (has_more && given.ok()) batch->Add(**parameters);
      // The rows before a set of parameters that is no good go in, as they do one by one.
      const bool is_due = batch->size() == InsertBatch::kRows || !has_more || !given.ok();
      if (is_due) TURDB_RETURN_IF_ERROR(RunBatch(&*batch, changes));
    } else if (has_more) {
      TURDB_RETURN_IF_ERROR(RunOne(**parameters, changes));
    }
    TURDB_RETURN_IF_ERROR(given);
    if (!has_more) return absl::OkStatus();
  }
}

absl::Status StatementImpl::RunOne(const std::vector<Value>& parameters, int64_t* changes) {
  if (state_->interrupted.load(std::memory_order_relaxed)) return InterruptedError("interrupted");
  TURDB_RETURN_IF_ERROR(CheckParameters(parameters));
  RowBuffer returned(0);
  int64_t changed = 0;
  TURDB_RETURN_IF_ERROR(Write(parameters, &returned, &changed));
  *changes += changed;
  return absl::OkStatus();
}

absl::Status StatementImpl::RunBatch(InsertBatch* batch, int64_t* changes) {
  constexpr size_t kLeastRows = 8;  // fewer are inserted one by one as fast
  if (state_->interrupted.load(std::memory_order_relaxed)) return InterruptedError("interrupted");
  if (batch->size() >= kLeastRows) {
    txn::Transaction* txn = state_->transaction.get();
    if (!state_->open_results.empty()) txn->Freeze();
    const txn::Savepoint savepoint = txn->MakeSavepoint();
    const absl::Status appended = batch->AppendTo(txn, state_.get());
    if (!appended.ok()) TURDB_RETURN_IF_ERROR(txn->RollbackTo(savepoint));
    txn->Release(savepoint);
    if (appended.ok()) {
      *changes += static_cast<int64_t>(batch->size());
      state_->total_changes += static_cast<int64_t>(batch->size());
      batch->Clear();
      return absl::OkStatus();
    }
  }
  // Row by row: the rows before the one that fails stay, and its error is that of its own INSERT.
  for (const std::vector<Value>& row : batch->rows()) TURDB_RETURN_IF_ERROR(RunOne(row, changes));
  batch->Clear();
  return absl::OkStatus();
}

absl::StatusOr<int64_t> StatementImpl::ExecuteMany(const NextParameters& next) {
  std::lock_guard lock(state_->mutex);
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  if (IsMemoryLow()) KeepMemoryReserve();
  return state_->WithinMemory(/*may_change=*/true, [&] { return ExecuteManyLocked(next); });
}

absl::StatusOr<int64_t> StatementImpl::ExecuteManyLocked(const NextParameters& next) {
  if (class_ != StatementClass::kWrite) return MisuseError("executemany() can only execute DML statements.");
  state_->interrupted.store(false, std::memory_order_relaxed);
  const bool begins = state_->transaction == nullptr;
  if (begins) TURDB_RETURN_IF_ERROR(state_->Begin(sql::Begin()));
  int64_t changes = 0;
  absl::Status status = begins ? TakeWholeTable() : absl::OkStatus();
  if (status.ok()) status = RunMany(next, &changes);
  if (begins && state_->transaction != nullptr) {
    const absl::Status ended = status.ok() ? state_->Commit() : state_->Rollback();
    TURDB_RETURN_IF_ERROR(status);
    TURDB_RETURN_IF_ERROR(ended);
  }
  TURDB_RETURN_IF_ERROR(status);
  state_->changes = changes;
  return changes;
}

std::unique_ptr<Result> StatementImpl::Buffered(RowBuffer rows, ResultColumns columns, int64_t changes) const {
  auto shared = columns.empty() ? NoColumns() : std::make_shared<const ResultColumns>(std::move(columns));
  return std::make_unique<ResultImpl>(state_, std::move(rows), std::move(shared), changes);
}

}  // namespace turdb::engine
