#include "engine/system_views.h"

#include <mutex>

#include "absl/strings/str_format.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/connection_state.h"
#include "engine/listed_rows.h"
#include "engine/lock_list.h"
#include "engine/statistics.h"
#include "format/file_header.h"
#include "format/page.h"
#include "sql/bind/table_functions.h"
#include "table/rebuild.h"

namespace turdb::engine {
namespace {

using Rows = ListedRows::Rows;
using Lister = absl::StatusOr<Rows> (*)(sql::ExecContext* context);

Value Text(std::string_view s) { return Value::Text(std::string(s)); }
Value Int(uint64_t v) { return Value::Integer(static_cast<int64_t>(v)); }

ConnectionState* StateOf(sql::ExecContext* context) { return static_cast<ConnectionState*>(context->owner); }

std::string_view KindText(table::FileSpace::Kind kind) {
  switch (kind) {
    case table::FileSpace::Kind::kRows: return "table";
    case table::FileSpace::Kind::kVectors: return "vectors";
    case table::FileSpace::Kind::kIndex: return "index";
    case table::FileSpace::Kind::kGraph: return "vector index";
  }
  return "";
}

absl::StatusOr<table::FileSpace> CatalogSpace(txn::Transaction* txn) {
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(txn::kCatalogFile));
  const uint8_t* const header = view.Page(PageId(0));
  if (header == nullptr) return view.PageError(PageId(0));
  table::FileSpace space;
  space.path = view.path();
  space.pages = view.page_count();
  space.free_pages = Load<uint32_t>(header + format::kHeaderFreeCountOffset);
  return space;
}

absl::StatusOr<Rows> Storage(sql::ExecContext* context) {
  Rows rows;
  const auto add = [&](std::string_view schema, std::string_view table, std::string_view name, std::string_view kind, const table::FileSpace& file) {
    rows.push_back({Text(schema), Text(name), Text(kind), Text(table), Text(file.path), Int(file.pages), Int(file.free_pages),
                    Int(file.pages * format::kPageBytes), Int(file.dead_bytes), Int(file.unused_bytes), Int(file.rows)});
  };
  TURDB_ASSIGN_OR_RETURN(table::FileSpace catalog, CatalogSpace(context->txn));
  catalog.rows = context->catalog->Tables().size();
  add(catalog::kSystemSchema, "catalog", "catalog", "catalog", catalog);
  for (const catalog::TableDef* table : context->catalog->Tables()) {
    TURDB_RETURN_IF_ERROR(context->CheckInterrupt());
    TURDB_ASSIGN_OR_RETURN(std::vector<table::FileSpace> files, table::TableSpace(context->txn, *table));
    TURDB_RETURN_IF_ERROR(table::SampleLeaves(context->txn, *table, 0, &files));
    for (const table::FileSpace& file : files) add(table->schema, table->name, file.name, KindText(file.kind), file);
  }
  return rows;
}

absl::StatusOr<Rows> Statistics(sql::ExecContext* context) {
  Rows rows;
  for (const Statistic& each : StatisticsOf(*StateOf(context)->database)) {
    rows.push_back({Text(each.name), Int(each.value), Text(each.unit), Text(each.description)});
  }
  return rows;
}

// 2026-11-26 08:30:00.123, UTC, as datetime() writes it.
std::string TimeText(std::chrono::system_clock::time_point at) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return absl::StrFormat("%04d-%02d-%02d %02d:%02d:%02d.%03d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                         utc.tm_min, utc.tm_sec, ms % 1000);
}

absl::StatusOr<Rows> Transactions(sql::ExecContext* context) {
  ConnectionState* const state = StateOf(context);
  Rows rows;
  for (const TransactionFacts& each : state->database->transactions().List()) {
    rows.push_back({Int(each.id), Int(each.connection), Int(each.connection == state->connection_id), Text(each.isolation),
                    Text(each.is_writing ? "writing" : "reading"), Text(TimeText(each.started)), Int(each.snapshot_lsn),
                    Int(each.private_bytes)});
  }
  return rows;
}

absl::StatusOr<Rows> Snapshots(sql::ExecContext* context) {
  Rows rows;
  for (const txn::SnapshotInfo& each : StateOf(context)->database->store()->Snapshots()) {
    const std::chrono::system_clock::time_point since{std::chrono::microseconds(each.since_micros)};
    rows.push_back({Int(each.process_id), Int(each.is_own), Int(each.lsn.value()), each.since_micros == 0 ? Value() : Text(TimeText(since)),
                    Int(each.log_bytes), Int(each.kept_bytes / format::kPageBytes), Int(each.kept_bytes)});
  }
  return rows;
}

absl::StatusOr<Rows> Locks(sql::ExecContext* context) {
  Rows rows;
  for (const LockRow& lock : ListLocks(*StateOf(context)->database->store(), *context->catalog)) {
    rows.push_back({Value::Integer(lock.transaction_id), Text(lock.kind), lock.name.empty() ? Value() : Text(lock.name),
                    lock.row_id.has_value() ? Value::Integer(*lock.row_id) : Value(), Text(lock.mode), Int(lock.is_granted)});
  }
  return rows;
}

absl::StatusOr<Rows> SumOfFiles(sql::ExecContext* context, uint64_t table::FileSpace::*field) {
  TURDB_ASSIGN_OR_RETURN(const table::FileSpace catalog, CatalogSpace(context->txn));
  uint64_t sum = catalog.*field;
  for (const catalog::TableDef* table : context->catalog->Tables()) {
    TURDB_ASSIGN_OR_RETURN(const std::vector<table::FileSpace> files, table::TableSpace(context->txn, *table));
    for (const table::FileSpace& file : files) sum += file.*field;
  }
  return Rows{{Int(sum)}};
}

absl::StatusOr<Rows> PageCount(sql::ExecContext* context) { return SumOfFiles(context, &table::FileSpace::pages); }
absl::StatusOr<Rows> FreelistCount(sql::ExecContext* context) { return SumOfFiles(context, &table::FileSpace::free_pages); }

void Register(std::string name, const sql::TableFunctionDef& def, Lister lister) {
  const size_t hidden = def.hidden_columns.size();
  sql::TableFunction function;
  function.name = std::move(name);
  function.columns = def.columns.size() + hidden;
  function.open = [lister, hidden](sql::ExecContext* context,
                                   absl::Span<const Value> arguments) -> absl::StatusOr<std::unique_ptr<sql::TableFunctionRows>> {
    TURDB_ASSIGN_OR_RETURN(Rows rows, lister(context));
    for (std::vector<Value>& row : rows) {
      for (size_t i = 0; i < hidden; ++i) row.push_back(i < arguments.size() ? arguments[i] : Value());
    }
    return std::unique_ptr<sql::TableFunctionRows>(std::make_unique<ListedRows>(std::move(rows)));
  };
  sql::RegisterTableFunction(std::move(function));
}

void RegisterView(std::string_view name, Lister lister) {
  Register(Cat(catalog::kSystemSchema, ".", name), *sql::DescribeSystemView(name), lister);
}
void RegisterPragma(std::string_view name, Lister lister) {
  Register(std::string(name), *sql::DescribeTableFunction(name), lister);
}

}  // namespace

void RegisterSystemViews() {
  static std::once_flag once;
  std::call_once(once, [] {
    RegisterView("storage", Storage);
    RegisterView("statistics", Statistics);
    RegisterView("transactions", Transactions);
    RegisterView("snapshots", Snapshots);
    RegisterView("locks", Locks);
    RegisterPragma("pragma_lock_list", Locks);
    RegisterPragma("pragma_page_count", PageCount);
    RegisterPragma("pragma_freelist_count", FreelistCount);
  });
}

}  // namespace turdb::engine
