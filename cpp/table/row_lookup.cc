// LookUpRows: single rows by rowid or by encoded primary key.

#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "table/index_codec.h"
#include "table/read_log.h"
#include "table/table_reader.h"
#include "table/wanted_columns.h"

namespace turdb::table {
namespace {

using Kind = WantedColumns::Kind;

class RowTreeLookup final : public RowLookup {
 public:
  RowTreeLookup(pager::FileView view, WantedColumns wanted, Arena* arena)
      : wanted_(std::move(wanted)), arena_(arena), cursor_(std::move(view), arena) {}

  absl::StatusOr<bool> Find(RowRef row, Cell* out) override {
    TURDB_ASSIGN_OR_RETURN(const bool found, cursor_.Find(row.rowid));
    if (!found) return false;
    for (const WantedColumns::Output& output : wanted_.outputs) {
      if (output.kind == Kind::kRowId) {
        *out++ = Cell::Integer(row.rowid.value());
        continue;
      }
      TURDB_ASSIGN_OR_RETURN(const std::optional<Cell> stored, cursor_.Column(wanted_.stored[output.stored]));
      Cell cell = stored.value_or(wanted_.defaults[output.stored]);
      if (output.kind == Kind::kVector) {
        TURDB_ASSIGN_OR_RETURN(cell, output.vectors->Resolve(cell, arena_));
      }
      *out++ = cell;
    }
    return true;
  }

 private:
  WantedColumns wanted_;
  Arena* arena_;
  btree::RowCursor cursor_;
};

class KeyTreeLookup final : public RowLookup {
 public:
  KeyTreeLookup(const catalog::TableDef& table, pager::FileView view, WantedColumns wanted, Arena* arena)
      : codec_(table, nullptr), wanted_(std::move(wanted)), arena_(arena), cursor_(std::move(view), arena) {}

  absl::StatusOr<bool> Find(RowRef row, Cell* out) override {
    TURDB_ASSIGN_OR_RETURN(const bool found, cursor_.Find(row.key));
    if (!found) return false;
    TURDB_ASSIGN_OR_RETURN(const std::string_view key, cursor_.Key());
    TURDB_ASSIGN_OR_RETURN(const std::string_view payload, cursor_.Payload());
    TURDB_RETURN_IF_ERROR(codec_.Decode(key, payload, arena_, &entry_));
    for (const WantedColumns::Output& output : wanted_.outputs) {
      Cell cell = output.kind == Kind::kRowKey ? Cell::Blob(key) : entry_.cells[wanted_.stored[output.stored]];
      if (output.kind == Kind::kVector) {
        TURDB_ASSIGN_OR_RETURN(cell, output.vectors->Resolve(cell, arena_));
      }
      *out++ = cell;
    }
    return true;
  }

 private:
  IndexCodec codec_;
  WantedColumns wanted_;
  Arena* arena_;
  btree::KeyCursor cursor_;
  DecodedEntry entry_;
};

// Takes down what is looked for, found or not.
class NotedLookup final : public RowLookup {
 public:
  NotedLookup(txn::Transaction* txn, const catalog::TableDef& table, std::unique_ptr<RowLookup> lookup)
      : txn_(txn), table_(table), lookup_(std::move(lookup)) {}

  absl::StatusOr<bool> Find(RowRef row, Cell* out) override {
    // The log is gone when the transaction has ended and its result is read on.
    if (RowReadLog* const reads = RowReadLog::Of(txn_)) reads->NoteRow(table_, row);
    return lookup_->Find(row, out);
  }

 private:
  txn::Transaction* const txn_;
  const catalog::TableDef& table_;
  const std::unique_ptr<RowLookup> lookup_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowLookup>> LookUpRows(txn::Transaction* txn, const catalog::TableDef& table,
                                                      std::vector<int> columns, Arena* arena) {
  TURDB_ASSIGN_OR_RETURN(WantedColumns wanted, WantedColumns::Resolve(txn, table, columns));
  TURDB_ASSIGN_OR_RETURN(pager::FileView view, txn->View(table.file));
  std::unique_ptr<RowLookup> lookup;
  if (table.is_without_rowid) lookup = std::make_unique<KeyTreeLookup>(table, std::move(view), std::move(wanted), arena);
  else lookup = std::make_unique<RowTreeLookup>(std::move(view), std::move(wanted), arena);
  if (RowReadLog::Of(txn) != nullptr) lookup = std::make_unique<NotedLookup>(txn, table, std::move(lookup));
  return lookup;
}

}  // namespace turdb::table
