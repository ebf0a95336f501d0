// How a connection runs statements that change the schema, and PRAGMA.
#include <thread>

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/pragma.h"
#include "engine/result_impl.h"
#include "engine/statement_impl.h"
#include "sql/exec/schema.h"

namespace turdb::engine {

absl::StatusOr<std::unique_ptr<Result>> StatementImpl::ExecuteSchema(absl::Span<const Value> parameters) {
  TURDB_ASSIGN_OR_RETURN(auto txn, state_->StatementTransaction());
  const bool is_autocommit = state_->transaction == nullptr;
  TURDB_RETURN_IF_ERROR(state_->StartWriting(txn.get()));
  if (!state_->open_results.empty()) TURDB_RETURN_IF_ERROR(state_->DetachResults());
  txn::Savepoint savepoint;
  if (!is_autocommit) savepoint = txn->MakeSavepoint();

  sql::ExecContext exec;
  exec.txn = txn.get();
  TURDB_ASSIGN_OR_RETURN(exec.catalog, state_->Catalog(txn.get()));
  exec.parameters = parameters;
  exec.settings = &state_->settings;
  exec.temp_place = state_->TempPlace();
  exec.memory.set_limit(state_->settings.statement_memory);
  exec.interrupted = &state_->interrupted;
  exec.collations = state_->functions.collations();
  sql::SchemaContext context;
  context.exec = &exec;
  context.cache = state_->database->catalog_cache();
  context.functions = &state_->functions;
  const int machine = static_cast<int>(std::thread::hardware_concurrency());
  context.threads = std::max(1, state_->settings.threads > 0 ? state_->settings.threads : machine);
  context.progress = state_->TableProgress("index");
  absl::Status status = sql::ExecuteSchemaStatement(parsed_, &context);
  if (is_autocommit) {
    if (status.ok()) status = state_->CommitStatement(txn.get());
    else txn->Rollback();
  } else {
    if (!status.ok()) TURDB_RETURN_IF_ERROR(txn->RollbackTo(savepoint));
    txn->Release(savepoint);
  }
  TURDB_RETURN_IF_ERROR(status);
  return Buffered(RowBuffer(0), {}, -1);
}

absl::StatusOr<std::unique_ptr<Result>> StatementImpl::ExecutePragma() {
  TURDB_ASSIGN_OR_RETURN(PragmaResult result, RunPragma(state_.get(), parsed_.statement->As<sql::Pragma>()));
  return Buffered(std::move(result.rows), std::move(result.columns), -1);
}

}  // namespace turdb::engine
