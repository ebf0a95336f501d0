// Locks of tables, rows and keys, and the look at what others committed while they were waited for.
#include "table/table_lock.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "catalog/table_files.h"
#include "table/row_log.h"
#include "table/vector_column.h"

namespace turdb::table {

using txn::LockKey;
using txn::LockMode;

bool IsTableNewest(const txn::Transaction& txn, const catalog::TableDef& table) {
  return catalog::AllFilesOf(table, [&](FileId file) { return txn.IsNewest(file); });
}

namespace {

// REQUIRES: the table is locked X.
absl::StatusOr<TableAccess> AccessUnderExclusiveLock(txn::Transaction* txn, const catalog::TableDef& table) {
  RowLog::Table* const log = RowLog::Find(txn, table);
  const bool needs_log = (log != nullptr && !log->empty()) || !IsTableNewest(*txn, table);
  if (needs_log) return TableAccess::kRows;
  if (log != nullptr) log->Close();
  absl::Status opened;
  catalog::AllFilesOf(table, [&](FileId file) {
    const absl::StatusOr<pager::FileWriter*> writer = txn->Writer(file);
    if (writer.ok()) (*writer)->set_may_write_direct(true);
    opened.Update(writer.status());
    return opened.ok();
  });
  TURDB_RETURN_IF_ERROR(opened);
  return TableAccess::kWhole;
}

}  // namespace

absl::StatusOr<TableAccess> LockForRows(txn::Transaction* txn, const catalog::TableDef& table) {
  if (txn->is_exclusive()) return TableAccess::kWhole;
  const LockMode held = txn->table_lock(table.file);
  if (held == LockMode::kIntentionExclusive) return TableAccess::kRows;
  if (held == LockMode::kExclusive) return AccessUnderExclusiveLock(txn, table);
  if (held == LockMode::kNone && txn->prefers_whole_tables() && txn->TryLockTable(table.file, LockMode::kExclusive)) {
    return AccessUnderExclusiveLock(txn, table);
  }
  TURDB_RETURN_IF_ERROR(txn->LockTable(table.file, table.name, LockMode::kIntentionExclusive).status());
  return TableAccess::kRows;
}

absl::Status LockBeforeReading(txn::Transaction* txn, const catalog::TableDef& table) {
  const LockMode held = txn->table_lock(table.file);
  const bool is_locked = held == LockMode::kIntentionExclusive || held == LockMode::kExclusive;
  return is_locked ? absl::OkStatus() : LockForRows(txn, table).status();
}

absl::StatusOr<TableAccess> LockForBulk(txn::Transaction* txn, const catalog::TableDef& table) {
  if (txn->is_exclusive()) return TableAccess::kWhole;
  if (txn->TryLockTable(table.file, LockMode::kExclusive)) return AccessUnderExclusiveLock(txn, table);
  return LockForRows(txn, table);
}

absl::Status LockWhole(txn::Transaction* txn, const catalog::TableDef& table) {
  if (txn->is_exclusive()) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(txn->LockTable(table.file, table.name, LockMode::kExclusive).status());
  if (IsTableNewest(*txn, table)) return absl::OkStatus();
  return turdb::ConflictError("another transaction committed a change of table '", table.name,
                              "' since this one's snapshot; roll back and retry");
}

LockKey RowLockKey(const catalog::TableDef& table, RowRef row) {
  const uint64_t id = table.is_without_rowid ? absl::HashOf(row.key) : static_cast<uint64_t>(row.rowid.value());
  return LockKey{table.file, LockKey::Kind::kRow, id};
}

LockKey KeyLockKey(const catalog::TableDef& table, const catalog::IndexDef& index, std::string_view key) {
  return LockKey{table.file, LockKey::Kind::kKey, absl::HashOf(key), index.file};
}

// --- what others committed -------------------------------------------------------------------

namespace {

absl::StatusOr<bool> IsSameStoredRow(const catalog::TableDef& table, RowId rowid, const pager::FileView& a,
                                     const pager::FileView& b) {
  Arena arena;
  btree::RowCursor in_a(a, &arena), in_b(b, &arena);
  TURDB_ASSIGN_OR_RETURN(const bool is_in_a, in_a.Find(rowid));
  TURDB_ASSIGN_OR_RETURN(const bool is_in_b, in_b.Find(rowid));
  if (is_in_a != is_in_b) return false;
  for (uint32_t i = 0; is_in_a && i < table.columns.size(); ++i) {
    TURDB_ASSIGN_OR_RETURN(const std::optional<Cell> cell_a, in_a.Column(i));
    TURDB_ASSIGN_OR_RETURN(const std::optional<Cell> cell_b, in_b.Column(i));
    if (cell_a.has_value() != cell_b.has_value()) return false;
    if (!cell_a.has_value()) continue;
    if (cell_a->type != cell_b->type || CompareCells(*cell_a, *cell_b) != 0) return false;
  }
  return true;
}

absl::StatusOr<std::optional<std::string>> PayloadOf(const pager::FileView& view, std::string_view key) {
  Arena arena;
  btree::KeyCursor cursor(view, &arena);
  TURDB_ASSIGN_OR_RETURN(const bool found, cursor.Find(key));
  if (!found) return std::optional<std::string>();
  TURDB_ASSIGN_OR_RETURN(const std::string_view payload, cursor.Payload());
  return std::optional<std::string>(payload);
}

}  // namespace

absl::StatusOr<bool> IsSameRow(const catalog::TableDef& table, RowRef row, const pager::FileView& a, const pager::FileView& b) {
  if (!table.is_without_rowid) return IsSameStoredRow(table, row.rowid, a, b);
  TURDB_ASSIGN_OR_RETURN(const auto payload_a, PayloadOf(a, row.key));
  TURDB_ASSIGN_OR_RETURN(const auto payload_b, PayloadOf(b, row.key));
  return payload_a == payload_b;
}

absl::Status CheckRowUnchanged(txn::Transaction* txn, const catalog::TableDef& table, RowRef row) {
  if (txn->IsNewest(table.file)) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const pager::FileView snapshot, txn->SnapshotView(table.file));
  TURDB_ASSIGN_OR_RETURN(const pager::FileView newest, txn->NewestView(table.file));
  TURDB_ASSIGN_OR_RETURN(const bool is_same, IsSameRow(table, row, snapshot, newest));
  if (is_same) return absl::OkStatus();
  const std::string name = table.is_without_rowid ? "a row" : Cat("row ", row.rowid.value());
  return turdb::ConflictError("another transaction committed a change of ", name, " of table '", table.name,
                              "' since this one's snapshot; roll back and retry");
}

absl::Status CheckKeyUntaken(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                             std::string_view key) {
  if (txn->IsNewest(index.file)) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const pager::FileView newest, txn->NewestView(index.file));
  TURDB_ASSIGN_OR_RETURN(const auto there, PayloadOf(newest, key));
  if (!there.has_value()) return absl::OkStatus();
  // An entry that the snapshot has, too, is one that the transaction sees, or has taken away itself.
  TURDB_ASSIGN_OR_RETURN(const pager::FileView snapshot, txn->SnapshotView(index.file));
  TURDB_ASSIGN_OR_RETURN(const auto here, PayloadOf(snapshot, key));
  if (here == there) return absl::OkStatus();
  return turdb::ConflictError("another transaction committed the same key of index '", index.name, "' of table '",
                              table.name, "' since this one's snapshot; roll back and retry");
}

}  // namespace turdb::table
