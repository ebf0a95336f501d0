// How a transaction comes to write a table: whole, or row by row beside others.
//
// A table is a transaction's own when the transaction has the database for itself, or has locked the table X while nobody had
// changed it since the snapshot. Then rows need no locks and changes no log. Otherwise the table is locked IX and each row X.
#pragma once

#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "table/row_ref.h"
#include "txn/store.h"
#include "types/cell.h"

namespace turdb::table {

enum class TableAccess : uint8_t { kWhole, kRows };

// Takes the locks that LockForRows takes, and does nothing for a table that has them: a statement asks before it reads anything, and its
// writer again, which wants to know what it may do.
absl::Status LockBeforeReading(txn::Transaction* txn, const catalog::TableDef& table);
// Locks the table for changes of single rows; whole where the transaction prefers that and nobody is in the way.
absl::StatusOr<TableAccess> LockForRows(txn::Transaction* txn, const catalog::TableDef& table);
// kWhole when the table can be had whole without waiting; else it is locked for rows.
absl::StatusOr<TableAccess> LockForBulk(txn::Transaction* txn, const catalog::TableDef& table);
// Waits for the whole table. kConflict when others have changed it since the snapshot.
absl::Status LockWhole(txn::Transaction* txn, const catalog::TableDef& table);
// Whether nobody has committed a change of the table since the snapshot.
bool IsTableNewest(const txn::Transaction& txn, const catalog::TableDef& table);

// Past so many locks the table is tried for whole. As in SQL Server: so many row locks cost about half a megabyte, and who holds
// them works on a good part of the table.
inline constexpr size_t kEscalateAt = 5000;

// What a row is locked under.
txn::LockKey RowLockKey(const catalog::TableDef& table, RowRef row);
txn::LockKey KeyLockKey(const catalog::TableDef& table, const catalog::IndexDef& index, std::string_view key);

// kConflict when somebody has committed a change of the row since the snapshot. REQUIRES: the row is locked.
absl::Status CheckRowUnchanged(txn::Transaction* txn, const catalog::TableDef& table, RowRef row);
// The same for a key of a unique index that the transaction is about to take: nobody else has taken it since.
absl::Status CheckKeyUntaken(txn::Transaction* txn, const catalog::TableDef& table, const catalog::IndexDef& index,
                             std::string_view key);
// Whether a row is the same in two states of its table, its vectors included.
absl::StatusOr<bool> IsSameRow(const catalog::TableDef& table, RowRef row, const pager::FileView& a, const pager::FileView& b);

}  // namespace turdb::table
