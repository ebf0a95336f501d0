// See index_writer.h.

#include "table/index_writer.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"

namespace turdb::table {

EntryMaker::EntryMaker(const catalog::TableDef& table, const catalog::IndexDef& index, const IndexExpressions* expressions)
    : table_(table), codec_(table, &index), expressions_(expressions), has_expressions_(!index.where_sql.empty()),
      key_cells_(index.columns.size()) {
  for (const catalog::IndexColumn& column : index.columns) has_expressions_ |= column.column == catalog::kExpressionColumn;
}

bool EntryMaker::DependsOn(const std::vector<bool>& columns) const {
  if (has_expressions_) return true;
  for (int column : codec_.held()) {
    if (column >= 0 && columns[column]) return true;
  }
  return false;
}

void EntryMaker::MarkNeeded(std::vector<bool>* columns) const {
  if (has_expressions_) columns->assign(columns->size(), true);
  for (int column : codec_.held()) {
    if (column >= 0) (*columns)[column] = true;
  }
}

absl::StatusOr<bool> EntryMaker::Make(RowRef ref, absl::Span<const Cell> row, IndexEntry* entry) {
  codec_.KeyCells(row.data(), ref, key_cells_.data());
  if (has_expressions_) {
    if (expressions_ == nullptr || *expressions_ == nullptr) {
      return InternalError("index '", index().name, "' has expressions and nobody to evaluate them");
    }
    TURDB_ASSIGN_OR_RETURN(const bool is_in, (*expressions_)(index(), ref.rowid, row, key_cells_.data()));
    if (!is_in) return false;
  }
  codec_.Encode(key_cells_.data(), row.data(), ref, entry);
  return true;
}

absl::StatusOr<std::optional<Conflict>> IndexWriter::FindConflict(const IndexEntry& entry) {
  if (!entry.is_distinct) return std::nullopt;
  Arena arena;
  btree::KeyCursor cursor(writer_->view(), &arena);
  TURDB_ASSIGN_OR_RETURN(const bool found, cursor.Find(entry.key));
  if (!found) return std::nullopt;
  TURDB_ASSIGN_OR_RETURN(const std::string_view payload, cursor.Payload());
  RowRef row;
  TURDB_RETURN_IF_ERROR(maker_.codec().DecodeRow(entry.key, payload, &arena, &row));
  return Conflict{&index(), row.rowid, std::string(row.key)};
}

KeyRange IndexWriter::RangeOf(absl::Span<const Cell> key) const {
  KeyRange range;
  for (size_t i = 0; i < key.size(); ++i) record::AppendKey(&range.low, key[i], maker_.codec().key_columns()[i]);
  range.high = record::AfterPrefix(range.low);
  return range;
}

absl::StatusOr<uint32_t> IndexWriter::FindRows(absl::Span<const Cell> key, RowId* row) {
  low_.clear();
  for (size_t i = 0; i < key.size(); ++i) record::AppendKey(&low_, key[i], maker_.codec().key_columns()[i]);
  arena_->Reset();
  cursor_.Restart(writer_->view(), arena_.get());
  const auto count = FindRowsBehind(low_, key.size(), row);
  cursor_.Restart(pager::FileView(), nullptr);
  return count;
}

absl::StatusOr<uint32_t> IndexWriter::FindRowsBehind(std::string_view low, size_t key_cells, RowId* row) {
  TURDB_RETURN_IF_ERROR(cursor_.SeekAtLeast(low));
  for (uint32_t count = 0; count < 2; ++count) {
    if (!cursor_.valid()) return count;
    TURDB_ASSIGN_OR_RETURN(const std::string_view entry, cursor_.Key());
    if (entry.substr(0, low.size()) != low) return count;
    if (count == 1) break;
    TURDB_ASSIGN_OR_RETURN(const std::string_view payload, cursor_.Payload());
    RowRef found;
    TURDB_RETURN_IF_ERROR(maker_.codec().DecodeRowBehind(key_cells, entry.substr(low.size()), payload, arena_.get(), &found));
    *row = found.rowid;
    TURDB_RETURN_IF_ERROR(cursor_.Next());
  }
  return 2;
}

absl::StatusOr<bool> IndexWriter::Insert(const IndexEntry& entry) {
  TURDB_ASSIGN_OR_RETURN(const bool is_new, btree::InsertKey(writer_, entry.key, entry.payload));
  if (is_new || entry.is_distinct) return is_new;
  return CorruptionError("index '", index().name, "' has an entry already for a row that is new");
}

absl::Status IndexWriter::Erase(const IndexEntry& entry) {
  TURDB_ASSIGN_OR_RETURN(const bool found, btree::EraseKey(writer_, entry.key));
  if (found) return absl::OkStatus();
  return CorruptionError("index '", index().name, "' lacks the entry of a row");
}

absl::Status IndexWriter::Clear() { return btree::ClearKeyTree(writer_); }

absl::StatusOr<std::vector<IndexWriter>> OpenIndexWriters(txn::Transaction* txn, const catalog::TableDef& table,
                                                          const IndexExpressions* expressions) {
  std::vector<IndexWriter> writers;
  for (const catalog::IndexDef& index : table.indexes) {
    if (index.kind != catalog::IndexKind::kBtree) continue;
    TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(index.file));
    writers.emplace_back(EntryMaker(table, index, expressions), writer);
  }
  return writers;
}

}  // namespace turdb::table
