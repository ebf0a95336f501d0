// LookUpRows: single rows by rowid or by encoded primary key.

#include "absl/base/optimization.h"
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

// Takes down what is looked for, found or not, when the transaction keeps a log of that.
class ReadNote {
 public:
  void Bind(txn::Transaction* txn) { txn_ = RowReadLog::Of(txn) != nullptr ? txn : nullptr; }
  void Release() { txn_ = nullptr; }
  void Take(const catalog::TableDef& table, RowRef row) const {
    if (ABSL_PREDICT_TRUE(txn_ == nullptr)) return;
    // The log is gone when the transaction has ended and its result is read on.
    if (RowReadLog* const reads = RowReadLog::Of(txn_)) reads->NoteRow(table, row);
  }

 private:
  txn::Transaction* txn_ = nullptr;  // null: it keeps none
};

class RowTreeLookup final : public RowLookup {
 public:
  RowTreeLookup(const catalog::TableDef& table, std::vector<int> columns)
      : table_(table), columns_(std::move(columns)), cursor_(pager::FileView(), nullptr) {}

  absl::Status Rebind(txn::Transaction* txn, Arena* arena) override {
    // Without vectors, what is wanted depends on the table alone.
    if (wanted_.outputs.empty() || !wanted_.vector_columns.empty()) {
      TURDB_ASSIGN_OR_RETURN(wanted_, WantedColumns::Resolve(txn, table_, columns_));
    }
    TURDB_ASSIGN_OR_RETURN(pager::FileView view, txn->View(table_.file));
    cursor_.Reset(std::move(view), arena);
    arena_ = arena;
    reads_.Bind(txn);
    return absl::OkStatus();
  }
  void Release() override {
    reads_.Release();
    cursor_.Reset(pager::FileView(), nullptr);
    if (!wanted_.vector_columns.empty()) wanted_ = WantedColumns();
  }

  absl::StatusOr<bool> Find(RowRef row, Cell* out) override {
    reads_.Take(table_, row);
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
  const catalog::TableDef& table_;
  const std::vector<int> columns_;
  ReadNote reads_;
  WantedColumns wanted_;
  Arena* arena_ = nullptr;
  btree::RowCursor cursor_;
};

class KeyTreeLookup final : public RowLookup {
 public:
  KeyTreeLookup(const catalog::TableDef& table, std::vector<int> columns)
      : table_(table), columns_(std::move(columns)), codec_(table, nullptr), cursor_(pager::FileView(), nullptr) {}

  absl::Status Rebind(txn::Transaction* txn, Arena* arena) override {
    TURDB_ASSIGN_OR_RETURN(wanted_, WantedColumns::Resolve(txn, table_, columns_));
    TURDB_ASSIGN_OR_RETURN(pager::FileView view, txn->View(table_.file));
    TURDB_ASSIGN_OR_RETURN(const PayloadForm form, PayloadFormOf(view));
    codec_.set_payload_form(form);
    cursor_ = btree::KeyCursor(std::move(view), arena);
    arena_ = arena;
    reads_.Bind(txn);
    return absl::OkStatus();
  }
  void Release() override {
    reads_.Release();
    cursor_ = btree::KeyCursor(pager::FileView(), nullptr);
    wanted_ = WantedColumns();
  }

  absl::StatusOr<bool> Find(RowRef row, Cell* out) override {
    reads_.Take(table_, row);
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
  const catalog::TableDef& table_;
  const std::vector<int> columns_;
  ReadNote reads_;
  IndexCodec codec_;
  WantedColumns wanted_;
  Arena* arena_ = nullptr;
  btree::KeyCursor cursor_;
  DecodedEntry entry_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowLookup>> LookUpRows(txn::Transaction* txn, const catalog::TableDef& table,
                                                      std::vector<int> columns, Arena* arena) {
  std::unique_ptr<RowLookup> lookup;
  if (table.is_without_rowid) lookup = std::make_unique<KeyTreeLookup>(table, std::move(columns));
  else lookup = std::make_unique<RowTreeLookup>(table, std::move(columns));
  TURDB_RETURN_IF_ERROR(lookup->Rebind(txn, arena));
  return lookup;
}

}  // namespace turdb::table
