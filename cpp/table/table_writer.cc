// See table_writer.h: one row at a time. Everything that can refuse a row (vectors, expressions) is asked first, so a
// refused row has changed nothing.

#include "table/table_writer.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_tree.h"
#include "table/guarded_writer.h"
#include "table/index_writer.h"
#include "table/read_log.h"
#include "table/row_log.h"
#include "table/row_store.h"
#include "table/rowid_source.h"
#include "table/table_lock.h"
#include "table/vector_set.h"

namespace turdb::table {
namespace {

class TableWriterImpl final : public TableWriter {
 public:
  TableWriterImpl(const catalog::TableDef& table, IndexExpressions expressions)
      : table_(table), expressions_(std::move(expressions)), given_(table.columns.size()), stored_(table.columns.size()),
        old_(table.columns.size()), needed_(table.columns.size()) {}

  absl::Status Open(txn::Transaction* txn) {
    txn_ = txn;
    TURDB_ASSIGN_OR_RETURN(store_, OpenRowStore(txn, table_));
    TURDB_ASSIGN_OR_RETURN(indexes_, OpenIndexWriters(txn, table_, &expressions_));
    TURDB_ASSIGN_OR_RETURN(vectors_, VectorSet::Open(txn, table_));
    entries_.resize(indexes_.size());
    old_entries_.resize(indexes_.size());
    for (IndexWriter& index : indexes_) {
      needs_vectors_ |= index.maker().has_expressions();
      for (size_t i = 0; i < vectors_.size(); ++i) needs_vectors_ |= index.maker().codec().PositionOf(vectors_.column(i)) >= 0;
    }
    needs_vectors_ &= !vectors_.empty();
    if (!table_.is_without_rowid) rowids_ = std::make_unique<RowIdSource>(table_, store_->file(), store_->editor());
    return absl::OkStatus();
  }
  absl::Status Rebind(txn::Transaction* txn) override;
  absl::StatusOr<bool> Read(RowRef row, const std::vector<bool>& wanted, Arena* arena, Cell* cells) override;
  absl::StatusOr<uint32_t> FindByIndex(const catalog::IndexDef& index, absl::Span<const Cell> key, RowId* row) override;
  bool is_guarded() const override { return false; }

  absl::StatusOr<RowId> NextRowId() override {
    if (rowids_ == nullptr) return RowId(0);
    return rowids_->Next();
  }
  absl::StatusOr<std::optional<Conflict>> FindConflict(RowId rowid, absl::Span<const Cell> row,
                                                       std::optional<RowRef> replacing) override;
  absl::Status Insert(RowId rowid, absl::Span<const Cell> row) override;
  absl::Status Update(RowRef row, RowId new_rowid, absl::Span<const Cell> new_row, const std::vector<bool>& changed) override;
  absl::StatusOr<bool> Delete(RowRef row) override;
  absl::Status DeleteAll() override;
  absl::StatusOr<bool> TryInsert(RowId rowid, absl::Span<const Cell> row, Conflict* conflict) override;

 private:
  // An entry, and whether the index has the row at all.
  struct MaybeEntry {
    IndexEntry entry;
    bool is_in = false;
    bool operator==(const MaybeEntry& other) const {
      return is_in == other.is_in && (!is_in || (entry.key == other.entry.key && entry.payload == other.entry.payload));
    }
  };

  void TakeGiven(RowId rowid, absl::Span<const Cell> row);
  absl::Status MakeStored();
  absl::Status MakeEntry(size_t i, RowRef ref, const std::vector<Cell>& row, MaybeEntry* entry) {
    TURDB_ASSIGN_OR_RETURN(entry->is_in, indexes_[i].maker().Make(ref, row, &entry->entry));
    return absl::OkStatus();
  }
  // The row of vectors: their files know rows by number; in a WITHOUT ROWID table that is the slot.
  RowId VectorOwner(RowId rowid, const Cell& slot) const {
    return table_.is_without_rowid && !slot.is_null() ? RowId(slot.integer) : rowid;
  }
  absl::Status UndoInsert(RowRef ref, size_t indexes);
  absl::Status ReadOld(RowRef ref, bool* found);
  absl::Status PlanUpdate(bool is_moved, const std::vector<bool>& changed);
  bool IsTreeAlone(const std::vector<bool>& changed) const;
  absl::Status KeepVectors(const std::vector<bool>& changed);
  absl::Status ChangeEntries(RowRef ref, RowRef new_ref);
  absl::Status ChangeVectors(RowRef new_ref, bool is_moved, const std::vector<bool>& changed);

  const catalog::TableDef& table_;
  const IndexExpressions expressions_;
  txn::Transaction* txn_ = nullptr;
  std::unique_ptr<RowStore> store_;
  std::vector<IndexWriter> indexes_;
  VectorSet vectors_;
  std::unique_ptr<RowIdSource> rowids_;
  bool needs_vectors_ = false;  // whether an index looks at vectors

  // Of the row at hand.
  Arena arena_;
  std::vector<Cell> given_;   // as the caller and the indexes see it
  std::vector<Cell> stored_;  // as the table's tree stores it
  std::vector<Cell> old_;     // given_ of the row before
  std::vector<Cell> old_slots_;
  std::vector<bool> needed_, is_affected_;
  std::vector<MaybeEntry> entries_, old_entries_;
};

void TableWriterImpl::TakeGiven(RowId rowid, absl::Span<const Cell> row) {
  std::copy(row.begin(), row.end(), given_.begin());
  if (table_.rowid_alias >= 0) given_[table_.rowid_alias] = Cell::Integer(rowid.value());
}

absl::Status TableWriterImpl::MakeStored() {
  stored_ = given_;
  if (table_.rowid_alias >= 0) stored_[table_.rowid_alias] = Cell();
  for (size_t i = 0; i < vectors_.size(); ++i) {
    TURDB_ASSIGN_OR_RETURN(stored_[vectors_.column(i)], vectors_.NextSlotCell(i, given_[vectors_.column(i)]));
  }
  return absl::OkStatus();
}

absl::Status TableWriterImpl::Rebind(txn::Transaction* txn) {
  txn_ = txn;
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const file, txn->Writer(table_.file));
  store_->Reset(file);
  if (rowids_ != nullptr) rowids_->Reset(file);
  for (IndexWriter& index : indexes_) {
    TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const index_file, txn->Writer(index.index().file));
    index.Reset(index_file);
  }
  if (vectors_.empty()) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(vectors_, VectorSet::Open(txn, table_));
  return absl::OkStatus();
}

absl::StatusOr<bool> TableWriterImpl::Read(RowRef row, const std::vector<bool>& wanted, Arena* arena, Cell* cells) {
  if (RowReadLog* const reads = RowReadLog::Of(txn_)) reads->NoteRow(table_, row);
  TURDB_ASSIGN_OR_RETURN(const bool found, store_->Read(row, wanted, arena, cells));
  if (found && table_.rowid_alias >= 0) cells[table_.rowid_alias] = Cell::Integer(row.rowid.value());
  return found;
}

absl::StatusOr<uint32_t> TableWriterImpl::FindByIndex(const catalog::IndexDef& index, absl::Span<const Cell> key, RowId* row) {
  for (IndexWriter& writer : indexes_) {
    if (writer.index().id != index.id) continue;
    if (RowReadLog* const reads = RowReadLog::Of(txn_)) reads->NoteKeys(table_, &writer.index(), writer.RangeOf(key));
    return writer.FindRows(key, row);
  }
  return InternalError("table '", table_.name, "' has no B+tree index '", index.name, "'");
}

absl::StatusOr<std::optional<Conflict>> TableWriterImpl::FindConflict(RowId rowid, absl::Span<const Cell> row,
                                                                      std::optional<RowRef> replacing) {
  TakeGiven(rowid, row);
  const RowRef ref = store_->RefOf(rowid, given_);
  const auto is_same = [&](RowRef other) {
    return replacing.has_value() && replacing->rowid == other.rowid && replacing->key == other.key;
  };
  if (!is_same(ref)) {
    TURDB_ASSIGN_OR_RETURN(const bool is_taken, store_->Contains(ref));
    if (is_taken) return Conflict{nullptr, rowid, std::string(ref.key)};
  }
  for (size_t i = 0; i < indexes_.size(); ++i) {
    if (!indexes_[i].index().is_unique) continue;
    TURDB_RETURN_IF_ERROR(MakeEntry(i, ref, given_, &entries_[i]));
    if (!entries_[i].is_in) continue;
    TURDB_ASSIGN_OR_RETURN(std::optional<Conflict> conflict, indexes_[i].FindConflict(entries_[i].entry));
    if (conflict.has_value() && !is_same(conflict->row())) return conflict;
  }
  return std::nullopt;
}

absl::StatusOr<bool> TableWriterImpl::TryInsert(RowId rowid, absl::Span<const Cell> row, Conflict* conflict) {
  TURDB_RETURN_IF_ERROR(vectors_.Check(row));
  TakeGiven(rowid, row);
  TURDB_RETURN_IF_ERROR(MakeStored());
  const RowRef ref = store_->RefOf(rowid, stored_);
  for (size_t i = 0; i < indexes_.size(); ++i) TURDB_RETURN_IF_ERROR(MakeEntry(i, ref, given_, &entries_[i]));

  TURDB_ASSIGN_OR_RETURN(const bool is_new, store_->Insert(ref, stored_));
  if (!is_new) {
    *conflict = Conflict{nullptr, rowid, std::string(ref.key)};
    return false;
  }
  for (size_t i = 0; i < indexes_.size(); ++i) {
    if (!entries_[i].is_in) continue;
    TURDB_ASSIGN_OR_RETURN(const bool is_free, indexes_[i].Insert(entries_[i].entry));
    if (is_free) continue;
    TURDB_ASSIGN_OR_RETURN(std::optional<Conflict> found, indexes_[i].FindConflict(entries_[i].entry));
    if (!found.has_value()) return InternalError("index '", indexes_[i].index().name, "' refuses a key it does not have");
    *conflict = *std::move(found);
    TURDB_RETURN_IF_ERROR(UndoInsert(ref, i));
    return false;
  }
  for (size_t i = 0; i < vectors_.size(); ++i) {
    const int column = vectors_.column(i);
    TURDB_RETURN_IF_ERROR(vectors_.Add(i, VectorOwner(rowid, stored_[column]), given_[column]));
  }
  if (rowids_ != nullptr) TURDB_RETURN_IF_ERROR(rowids_->Used(rowid));
  return true;
}

// Takes back the row and its entries in the first `indexes` indexes.
absl::Status TableWriterImpl::UndoInsert(RowRef ref, size_t indexes) {
  for (size_t i = 0; i < indexes; ++i) {
    if (entries_[i].is_in) TURDB_RETURN_IF_ERROR(indexes_[i].Erase(entries_[i].entry));
  }
  return store_->Erase(ref).status();
}

absl::Status TableWriterImpl::Insert(RowId rowid, absl::Span<const Cell> row) {
  Conflict conflict;
  TURDB_ASSIGN_OR_RETURN(const bool is_in, TryInsert(rowid, row, &conflict));
  if (is_in) return absl::OkStatus();
  return InternalError("a row of table '", table_.name, "' was inserted over a conflict");
}

// The columns of the row that needed_ marks: vectors as slots in old_slots_, and as vectors in old_ if an index looks.
absl::Status TableWriterImpl::ReadOld(RowRef ref, bool* found) {
  arena_.Reset();
  for (size_t i = 0; i < vectors_.size(); ++i) needed_[vectors_.column(i)] = true;
  std::fill(old_.begin(), old_.end(), Cell());
  TURDB_ASSIGN_OR_RETURN(*found, store_->Read(ref, needed_, &arena_, old_.data()));
  if (!*found) return absl::OkStatus();
  if (table_.rowid_alias >= 0) old_[table_.rowid_alias] = Cell::Integer(ref.rowid.value());
  old_slots_.resize(vectors_.size());
  for (size_t i = 0; i < vectors_.size(); ++i) old_slots_[i] = old_[vectors_.column(i)];
  return needs_vectors_ ? vectors_.Resolve(&arena_, old_.data()) : absl::OkStatus();
}

absl::StatusOr<bool> TableWriterImpl::Delete(RowRef given_ref) {
  const std::string key(given_ref.key);  // may point into what is changed below
  RowRef ref(given_ref.rowid);
  ref.key = key;
  needed_.assign(needed_.size(), false);
  for (IndexWriter& index : indexes_) index.maker().MarkNeeded(&needed_);
  bool found = false;
  TURDB_RETURN_IF_ERROR(ReadOld(ref, &found));
  if (!found) return false;
  for (size_t i = 0; i < indexes_.size(); ++i) {
    TURDB_RETURN_IF_ERROR(MakeEntry(i, ref, old_, &old_entries_[i]));
  }
  for (size_t i = 0; i < indexes_.size(); ++i) {
    if (old_entries_[i].is_in) TURDB_RETURN_IF_ERROR(indexes_[i].Erase(old_entries_[i].entry));
  }
  for (size_t i = 0; i < vectors_.size(); ++i) TURDB_RETURN_IF_ERROR(vectors_.Remove(i, old_slots_[i]));
  if (rowids_ != nullptr) rowids_->Forget();
  return store_->Erase(ref);
}

// Checks the new vectors, and marks the indexes that change (is_affected_) and the old columns that they need.
absl::Status TableWriterImpl::PlanUpdate(bool is_moved, const std::vector<bool>& changed) {
  for (size_t i = 0; i < vectors_.size(); ++i) {
    const int column = vectors_.column(i);
    if (changed[column]) TURDB_RETURN_IF_ERROR(CheckVector(table_.columns[column], given_[column]));
  }
  needed_.assign(needed_.size(), false);
  is_affected_.assign(indexes_.size(), false);
  for (size_t i = 0; i < indexes_.size(); ++i) {
    is_affected_[i] = is_moved || indexes_[i].maker().DependsOn(changed);
    if (is_affected_[i]) indexes_[i].maker().MarkNeeded(&needed_);
  }
  return absl::OkStatus();
}

// Whether the change is one of the table's tree and nothing else, with values as they are given.
bool TableWriterImpl::IsTreeAlone(const std::vector<bool>& changed) const {
  return vectors_.empty() && (table_.rowid_alias < 0 || !changed[table_.rowid_alias]) &&
         std::find(is_affected_.begin(), is_affected_.end(), true) == is_affected_.end();
}

// Completes given_ and stored_ by the vectors that stay.
absl::Status TableWriterImpl::KeepVectors(const std::vector<bool>& changed) {
  for (size_t i = 0; i < vectors_.size(); ++i) {
    if (!changed[vectors_.column(i)]) given_[vectors_.column(i)] = old_[vectors_.column(i)];
  }
  TURDB_RETURN_IF_ERROR(MakeStored());
  for (size_t i = 0; i < vectors_.size(); ++i) {
    if (!changed[vectors_.column(i)]) stored_[vectors_.column(i)] = old_slots_[i];
  }
  return absl::OkStatus();
}

absl::Status TableWriterImpl::ChangeEntries(RowRef ref, RowRef new_ref) {
  for (size_t i = 0; i < indexes_.size(); ++i) {
    if (!is_affected_[i]) continue;
    TURDB_RETURN_IF_ERROR(MakeEntry(i, ref, old_, &old_entries_[i]));
    TURDB_RETURN_IF_ERROR(MakeEntry(i, new_ref, given_, &entries_[i]));
  }
  for (size_t i = 0; i < indexes_.size(); ++i) {
    if (!is_affected_[i] || old_entries_[i] == entries_[i]) continue;
    if (old_entries_[i].is_in) TURDB_RETURN_IF_ERROR(indexes_[i].Erase(old_entries_[i].entry));
    if (!entries_[i].is_in) continue;
    TURDB_ASSIGN_OR_RETURN(const bool is_free, indexes_[i].Insert(entries_[i].entry));
    if (!is_free) return InternalError("a row of table '", table_.name, "' was updated over a conflict");
  }
  return absl::OkStatus();
}

absl::Status TableWriterImpl::Update(RowRef given_ref, RowId new_rowid, absl::Span<const Cell> new_row,
                                     const std::vector<bool>& changed) {
  const std::string key(given_ref.key);
  RowRef ref(given_ref.rowid);
  ref.key = key;
  TakeGiven(new_rowid, new_row);
  const RowRef new_ref = store_->RefOf(new_rowid, given_);
  const bool is_moved = new_ref.rowid != ref.rowid || new_ref.key != ref.key;
  TURDB_RETURN_IF_ERROR(PlanUpdate(is_moved, changed));
  bool found = true;
  if (!is_moved && IsTreeAlone(changed)) {
    TURDB_ASSIGN_OR_RETURN(found, store_->Update(ref, new_row, changed));
    if (found) return absl::OkStatus();
    return InternalError("a row of table '", table_.name, "' that is to be updated is not there");
  }
  const bool needs_old = !vectors_.empty() || std::find(needed_.begin(), needed_.end(), true) != needed_.end();
  if (needs_old) TURDB_RETURN_IF_ERROR(ReadOld(ref, &found));
  if (!found) return InternalError("a row of table '", table_.name, "' that is to be updated is not there");
  TURDB_RETURN_IF_ERROR(KeepVectors(changed));
  for (size_t i = 0; needs_old && i < given_.size(); ++i) {
    if (needed_[i] && !changed[i] && static_cast<int>(i) != table_.rowid_alias) given_[i] = old_[i];
  }
  TURDB_RETURN_IF_ERROR(ChangeEntries(ref, new_ref));
  TURDB_RETURN_IF_ERROR(ChangeVectors(new_ref, is_moved, changed));
  if (!is_moved) {
    TURDB_ASSIGN_OR_RETURN(found, store_->Update(ref, stored_, changed));
    if (found) return absl::OkStatus();
    return InternalError("a row of table '", table_.name, "' that is to be updated is not there");
  }
  TURDB_RETURN_IF_ERROR(store_->Erase(ref).status());
  TURDB_ASSIGN_OR_RETURN(const bool is_free, store_->Insert(new_ref, stored_));
  if (!is_free) return InternalError("a row of table '", table_.name, "' was moved onto another");
  if (rowids_ == nullptr) return absl::OkStatus();
  rowids_->Forget();
  return rowids_->Used(new_rowid);
}

absl::Status TableWriterImpl::ChangeVectors(RowRef new_ref, bool is_moved, const std::vector<bool>& changed) {
  for (size_t i = 0; i < vectors_.size(); ++i) {
    const int column = vectors_.column(i);
    if (changed[column]) {
      TURDB_RETURN_IF_ERROR(vectors_.Remove(i, old_slots_[i]));
      TURDB_RETURN_IF_ERROR(vectors_.Add(i, VectorOwner(new_ref.rowid, stored_[column]), given_[column]));
    } else if (is_moved && !table_.is_without_rowid) {
      TURDB_RETURN_IF_ERROR(vectors_.SetRowId(i, old_slots_[i], new_ref.rowid));
    }
  }
  return absl::OkStatus();
}

absl::Status TableWriterImpl::DeleteAll() {
  TURDB_RETURN_IF_ERROR(store_->Clear());
  for (IndexWriter& index : indexes_) TURDB_RETURN_IF_ERROR(index.Clear());
  if (rowids_ != nullptr) rowids_->Forget();
  return vectors_.RemoveAll();
}

}  // namespace

absl::Status ConflictError(const catalog::TableDef& table, const catalog::IndexDef* index) {
  std::string columns;
  const auto add = [&](std::string_view column) { columns += Cat(columns.empty() ? "" : ", ", table.name, ".", column); };
  auto kind = ConstraintKind::kPrimaryKey;
  if (index != nullptr) {
    if (index->origin != catalog::IndexOrigin::kPrimaryKey) kind = ConstraintKind::kUnique;
    for (const catalog::IndexColumn& column : index->columns) {
      if (column.column == catalog::kExpressionColumn) {
        return ConstraintError(kind, Cat("UNIQUE constraint failed: index '", index->name, "'"));
      }
      add(column.column < 0 ? "rowid" : std::string_view(table.columns[column.column].name));
    }
  } else if (table.is_without_rowid) {
    for (int column : table.primary_key) add(table.columns[column].name);
  } else if (table.rowid_alias >= 0) {
    add(table.columns[table.rowid_alias].name);
  } else {
    kind = ConstraintKind::kRowId;
    add("rowid");
  }
  return ConstraintError(kind, Cat("UNIQUE constraint failed: ", columns));
}

absl::StatusOr<std::unique_ptr<TableWriter>> NewPlainTableWriter(txn::Transaction* txn, const catalog::TableDef& table,
                                                                 IndexExpressions expressions) {
  auto writer = std::make_unique<TableWriterImpl>(table, std::move(expressions));
  TURDB_RETURN_IF_ERROR(writer->Open(txn));
  return std::unique_ptr<TableWriter>(std::move(writer));
}

absl::StatusOr<std::unique_ptr<TableWriter>> NewTableWriter(txn::Transaction* txn, const catalog::TableDef& table,
                                                            IndexExpressions expressions) {
  TURDB_ASSIGN_OR_RETURN(const TableAccess access, LockForRows(txn, table));
  if (access == TableAccess::kWhole) return NewPlainTableWriter(txn, table, std::move(expressions));
  return GuardedWriter::Open(txn, table, std::move(expressions));
}

absl::Status ReadyTableWriter(txn::Transaction* txn, const catalog::TableDef& table, const IndexExpressions& expressions,
                              std::unique_ptr<TableWriter>* writer) {
  if (*writer != nullptr) {
    TURDB_ASSIGN_OR_RETURN(const TableAccess access, LockForRows(txn, table));
    if ((*writer)->is_guarded() == (access == TableAccess::kRows)) return (*writer)->Rebind(txn);
    *writer = nullptr;
  }
  TURDB_ASSIGN_OR_RETURN(*writer, NewTableWriter(txn, table, expressions));
  return absl::OkStatus();
}

}  // namespace turdb::table
