// See row_store.h.

#include "table/row_store.h"

#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "table/index_codec.h"
#include "table/wanted_columns.h"

namespace turdb::table {
namespace {

class RowTreeStore final : public RowStore {
 public:
  RowTreeStore(const catalog::TableDef& table, pager::FileWriter* writer) : table_(table), editor_(writer) {}

  RowRef RefOf(RowId rowid, absl::Span<const Cell>) override { return rowid; }

  absl::StatusOr<bool> Contains(RowRef ref) override { return editor_.Find(ref.rowid); }
  absl::StatusOr<bool> Read(RowRef ref, const std::vector<bool>& wanted, Arena* arena, Cell* row) override {
    TURDB_ASSIGN_OR_RETURN(const bool found, editor_.Find(ref.rowid));
    if (!found) return false;
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (!wanted[i]) continue;
      TURDB_ASSIGN_OR_RETURN(const std::optional<Cell> cell, editor_.Column(static_cast<uint32_t>(i), arena));
      row[i] = cell.has_value() ? *cell : AddedDefault(table_.columns[i]);
    }
    return true;
  }
  absl::StatusOr<bool> Insert(RowRef ref, absl::Span<const Cell> row) override { return editor_.Insert(ref.rowid, row); }
  absl::StatusOr<bool> Update(RowRef ref, absl::Span<const Cell> row, const std::vector<bool>& changed) override {
    TURDB_ASSIGN_OR_RETURN(const bool is_done, editor_.TryUpdateColumns(ref.rowid, row, changed));
    if (is_done) return true;
    std::vector<bool> kept(changed);
    kept.flip();
    whole_.assign(row.begin(), row.end());
    arena_.Reset();
    TURDB_ASSIGN_OR_RETURN(const bool found, Read(ref, kept, &arena_, whole_.data()));
    if (!found) return false;
    return editor_.Update(ref.rowid, whole_);
  }
  absl::StatusOr<bool> Erase(RowRef ref) override { return editor_.Erase(ref.rowid); }
  absl::Status Clear() override { return btree::ClearRowTree(editor_.writer()); }
  pager::FileWriter* file() override { return editor_.writer(); }
  void Reset(pager::FileWriter* file) override { editor_.Reset(file); }
  btree::RowEditor* editor() override { return &editor_; }

 private:
  const catalog::TableDef& table_;
  btree::RowEditor editor_;
  std::vector<Cell> whole_;  // of Update
  Arena arena_;
};

class KeyTreeStore final : public RowStore {
 public:
  KeyTreeStore(const catalog::TableDef& table, pager::FileWriter* writer, PayloadForm form)
      : table_(table), codec_(table, nullptr), writer_(writer), key_cells_(table.primary_key.size()) {
    codec_.set_payload_form(form);
  }

  RowRef RefOf(RowId, absl::Span<const Cell> row) override {
    key_.clear();
    AppendPrimaryKey(table_, row.data(), &key_);
    return RowRef(std::string_view(key_));
  }
  absl::StatusOr<bool> Contains(RowRef ref) override {
    Arena arena;
    return btree::KeyCursor(writer_->view(), &arena).Find(ref.key);
  }
  absl::StatusOr<bool> Read(RowRef ref, const std::vector<bool>&, Arena* arena, Cell* row) override {
    btree::KeyCursor cursor(writer_->view(), arena);
    TURDB_ASSIGN_OR_RETURN(const bool found, cursor.Find(ref.key));
    if (!found) return false;
    TURDB_ASSIGN_OR_RETURN(const std::string_view payload, cursor.Payload());
    DecodedEntry entry;
    TURDB_RETURN_IF_ERROR(codec_.Decode(ref.key, payload, arena, &entry));
    std::copy(entry.cells.begin(), entry.cells.end(), row);
    return true;
  }
  absl::StatusOr<bool> Insert(RowRef, absl::Span<const Cell> row) override {
    Encode(row);
    return btree::InsertKey(writer_, entry_.key, entry_.payload);
  }
  absl::StatusOr<bool> Update(RowRef ref, absl::Span<const Cell> row, const std::vector<bool>&) override {
    Encode(row);
    return btree::UpdateKey(writer_, ref.key, entry_.payload);
  }
  absl::StatusOr<bool> Erase(RowRef ref) override { return btree::EraseKey(writer_, ref.key); }
  absl::Status Clear() override { return btree::ClearKeyTree(writer_); }
  pager::FileWriter* file() override { return writer_; }
  void Reset(pager::FileWriter* file) override { writer_ = file; }

 private:
  void Encode(absl::Span<const Cell> row) {
    codec_.KeyCells(row.data(), RowRef(), key_cells_.data());
    codec_.Encode(key_cells_.data(), row.data(), RowRef(), &entry_);
  }

  const catalog::TableDef& table_;
  IndexCodec codec_;
  pager::FileWriter* writer_;
  std::string key_;
  IndexEntry entry_;
  std::vector<Cell> key_cells_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowStore>> OpenRowStore(txn::Transaction* txn, const catalog::TableDef& table) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(table.file));
  if (!table.is_without_rowid) return std::unique_ptr<RowStore>(std::make_unique<RowTreeStore>(table, writer));
  TURDB_ASSIGN_OR_RETURN(const PayloadForm form, PayloadFormOf(writer->view()));
  return std::unique_ptr<RowStore>(std::make_unique<KeyTreeStore>(table, writer, form));
}

}  // namespace turdb::table
