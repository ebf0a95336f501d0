#include "engine/vacuum.h"

#include <algorithm>
#include <thread>

#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/replace_files.h"
#include "engine/result_impl.h"
#include "engine/statement_impl.h"
#include "sql/syntax/printer.h"
#include "table/rebuild.h"

namespace turdb::engine {
namespace {

VacuumOptions OptionsOf(ConnectionState* state) {
  const int machine = static_cast<int>(std::thread::hardware_concurrency());
  const int threads = std::max(1, state->settings.threads > 0 ? state->settings.threads : machine);
  return {threads, state->TableProgress("vacuum"), {state->TempPlace(), state->settings.statement_memory}};
}

// What a statement names: everything, the tables of a schema, or one table.
absl::StatusOr<std::vector<ObjectId>> TablesNamed(const catalog::CatalogSnapshot& catalog, const sql::QualifiedName& name) {
  const bool is_everything = name.name.empty() || (name.schema.empty() && EqualsIgnoreCase(name.name.text, "main"));
  const bool is_schema = is_everything || (name.schema.empty() && catalog.HasSchema(name.name.text));
  std::vector<ObjectId> ids;
  if (!is_schema) {
    const catalog::TableDef* table = catalog.FindTable(name.schema.text, name.name.text);
    if (table == nullptr && name.schema.empty()) return NameError("unknown database ", name.name.text);
    if (table == nullptr) return NameError("no such table: ", name.schema.text, ".", name.name.text);
    if (table->kind == catalog::TableKind::kTable) ids.push_back(table->id);
    return ids;
  }
  for (const catalog::TableDef* table : catalog.Tables()) {
    const bool is_wanted = is_everything || EqualsIgnoreCase(table->schema, name.name.text);
    if (is_wanted && table->kind == catalog::TableKind::kTable) ids.push_back(table->id);
  }
  return ids;
}

const catalog::TableDef* FindById(const catalog::CatalogSnapshot& catalog, ObjectId id) {
  for (const catalog::TableDef* table : catalog.Tables()) {
    if (table->id == id) return table;
  }
  return nullptr;
}

// The value of an expression without a table: SELECT it.
absl::StatusOr<Value> Evaluate(const sql::Expr& expr, ConnectionState* state, txn::Transaction* txn, absl::Span<const Value> parameters) {
  const std::string text = Cat("SELECT ", sql::ToSql(expr));
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(const sql::ParsedStatement parsed, sql::ParseStatement(text, &consumed));
  TURDB_ASSIGN_OR_RETURN(auto catalog, state->Catalog(txn));
  TURDB_ASSIGN_OR_RETURN(auto plan, MakePlan(parsed, state, txn, std::move(catalog)));
  TURDB_ASSIGN_OR_RETURN(auto execution, MakeExecution(plan, state));
  StartExecution(execution.get(), state, txn, parameters);
  TURDB_RETURN_IF_ERROR(execution->root->Open());
  ColumnBatch batch;
  TURDB_RETURN_IF_ERROR(execution->root->Next(&batch));
  Value value = batch.size == 0 ? Value() : Value::FromCell(batch.columns[0].Get(0));
  execution->root->Close();
  return value;
}

absl::Status VacuumTables(ConnectionState* state, const std::vector<ObjectId>& ids, const VacuumOptions& options) {
  for (const ObjectId id : ids) {
    auto txn = state->database->store()->Begin();
    TURDB_RETURN_IF_ERROR(state->StartWriting(txn.get()));
    TURDB_ASSIGN_OR_RETURN(const auto catalog, state->Catalog(txn.get()));
    const catalog::TableDef* table = FindById(*catalog, id);
    if (table == nullptr) continue;  // dropped meanwhile
    TURDB_RETURN_IF_ERROR(VacuumTable(txn.get(), *table, options));
    // Synced whatever was asked for: only then do the old files go.
    TURDB_RETURN_IF_ERROR(txn->Commit(txn::Synchronous::kFull));
    state->database->NotifyCommit();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status VacuumUntil(ConnectionState* state, uint64_t pages) {
  std::vector<ObjectId> ids;
  {
    const auto txn = state->database->store()->Begin();
    TURDB_ASSIGN_OR_RETURN(const auto catalog, state->Catalog(txn.get()));
    for (const catalog::TableDef* table : catalog->Tables()) {
      TURDB_ASSIGN_OR_RETURN(const uint64_t gain, PagesToGain(txn.get(), *table));
      if (gain > 0) ids.push_back(table->id);
      pages -= std::min(pages, gain);
      if (pages == 0) break;
    }
  }
  return VacuumTables(state, ids, OptionsOf(state));
}

absl::Status VacuumTable(txn::Transaction* txn, const catalog::TableDef& table, const VacuumOptions& options) {
  const table::RebuildRequest request{txn, txn, options.threads, options.progress, options.space};
  TURDB_ASSIGN_OR_RETURN(const catalog::TableDef rebuilt, table::RebuildTable(request, table));
  return catalog::ReplaceFiles(txn, table, rebuilt);
}

absl::StatusOr<std::unique_ptr<Result>> StatementImpl::ExecuteVacuum(absl::Span<const Value> parameters) {
  const sql::Vacuum& vacuum = parsed_.statement->As<sql::Vacuum>();
  if (state_->transaction != nullptr) return MisuseError("cannot VACUUM from within a transaction");
  TURDB_ASSIGN_OR_RETURN(auto txn, state_->StatementTransaction());
  TURDB_ASSIGN_OR_RETURN(const auto catalog, state_->Catalog(txn.get()));
  TURDB_ASSIGN_OR_RETURN(const std::vector<ObjectId> ids, TablesNamed(*catalog, vacuum.name));
  const VacuumOptions options = OptionsOf(state_.get());
  if (vacuum.into == nullptr) {
    txn = nullptr;  // its snapshot would hold back what this is to give back
    TURDB_RETURN_IF_ERROR(VacuumTables(state_.get(), ids, options));
    return Buffered(RowBuffer(0), {}, -1);
  }
  if (!vacuum.name.name.empty() && !EqualsIgnoreCase(vacuum.name.name.text, "main")) {
    return UnsupportedError("VACUUM INTO copies the whole database, not ", vacuum.name.name.text, " alone");
  }
  TURDB_ASSIGN_OR_RETURN(const Value path, Evaluate(*vacuum.into, state_.get(), txn.get(), parameters));
  if (!path.cell().is_text() || path.cell().view().empty()) return BadValueError("non-text filename");
  env::Env* own = state_->database->store()->env();
  env::Env* env = own->IsVolatile() ? env::PosixEnv() : own;
  TURDB_RETURN_IF_ERROR(VacuumInto(state_->database->catalog_cache(), txn.get(), env, std::string(path.cell().view()), options));
  return Buffered(RowBuffer(0), {}, -1);
}

}  // namespace turdb::engine
