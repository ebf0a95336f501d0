// Taking down ranges, and reading them again.
#include "table/read_log.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "table/table_lock.h"

namespace turdb::table {
namespace {

// More ranges than this cost more to keep and to compare than the whole table.
constexpr size_t kMostRanges = 10000;

absl::StatusOr<bool> AreRowsUnchanged(const catalog::TableDef& table, RowIdRange range, const pager::FileView& a,
                                      const pager::FileView& b) {
  Arena arena;
  btree::RowCursor in_a(a, &arena), in_b(b, &arena);
  TURDB_RETURN_IF_ERROR(in_a.SeekAtLeast(RowId(range.first)));
  TURDB_RETURN_IF_ERROR(in_b.SeekAtLeast(RowId(range.first)));
  while (true) {
    const bool has_a = in_a.valid() && in_a.key().value() <= range.last;
    const bool has_b = in_b.valid() && in_b.key().value() <= range.last;
    if (!has_a && !has_b) return true;
    if (has_a != has_b || in_a.key() != in_b.key()) return false;
    TURDB_ASSIGN_OR_RETURN(const bool is_same, IsSameRow(table, in_a.key(), a, b));
    if (!is_same) return false;
    TURDB_RETURN_IF_ERROR(in_a.Next());
    TURDB_RETURN_IF_ERROR(in_b.Next());
  }
}

// The two views of an index, and those of its table.
struct Views {
  pager::FileView index_a, index_b, table_a, table_b;
};

absl::StatusOr<bool> IsSameEntry(const catalog::TableDef& table, const catalog::IndexDef* index, std::string_view key,
                                 std::string_view payload, const Views& views) {
  if (index == nullptr) return true;  // the entry is the row
  Arena arena;
  RowRef row;
  TURDB_RETURN_IF_ERROR(IndexCodec(table, index).DecodeRow(key, payload, &arena, &row));
  return IsSameRow(table, row, views.table_a, views.table_b);
}

absl::StatusOr<bool> AreKeysUnchanged(const catalog::TableDef& table, const catalog::IndexDef* index, const KeyRange& range,
                                      const Views& views) {
  if (range.is_empty) return true;
  Arena arena;
  btree::KeyCursor in_a(views.index_a, &arena), in_b(views.index_b, &arena);
  TURDB_RETURN_IF_ERROR(in_a.SeekAtLeast(range.low));
  TURDB_RETURN_IF_ERROR(in_b.SeekAtLeast(range.low));
  while (in_a.valid() && in_b.valid()) {
    arena.Reset();
    TURDB_ASSIGN_OR_RETURN(const std::string_view key_a, in_a.Key());
    TURDB_ASSIGN_OR_RETURN(const std::string_view key_b, in_b.Key());
    const bool has_a = range.high.empty() || key_a < range.high;
    const bool has_b = range.high.empty() || key_b < range.high;
    if (!has_a && !has_b) return true;
    if (has_a != has_b || key_a != key_b) return false;
    TURDB_ASSIGN_OR_RETURN(const std::string_view payload_a, in_a.Payload());
    TURDB_ASSIGN_OR_RETURN(const std::string_view payload_b, in_b.Payload());
    if (payload_a != payload_b) return false;
    TURDB_ASSIGN_OR_RETURN(const bool is_same, IsSameEntry(table, index, key_a, payload_a, views));
    if (!is_same) return false;
    TURDB_RETURN_IF_ERROR(in_a.Next());
    TURDB_RETURN_IF_ERROR(in_b.Next());
  }
  for (btree::KeyCursor* rest : {&in_a, &in_b}) {
    if (!rest->valid()) continue;
    TURDB_ASSIGN_OR_RETURN(const std::string_view key, rest->Key());
    if (range.high.empty() || key < range.high) return false;
  }
  return true;
}

const catalog::IndexDef* IndexOf(const catalog::TableDef& table, FileId file) {
  for (const catalog::IndexDef& index : table.indexes) {
    if (index.file == file) return &index;
  }
  return nullptr;
}

}  // namespace

RowReadLog::TableReads& RowReadLog::ReadsOf(const catalog::TableDef& table) {
  return tables_.try_emplace(table.file, table).first->second;
}

void RowReadLog::Bound(TableReads* reads) {
  if (reads->size() <= kMostRanges) return;
  reads->is_whole = true;
  reads->rows.clear();
  reads->keys.clear();
}

void RowReadLog::NoteTable(const catalog::TableDef& table) { ReadsOf(table).is_whole = true; }

void RowReadLog::NoteRows(const catalog::TableDef& table, RowIdRange range) {
  TableReads& reads = ReadsOf(table);
  if (reads.is_whole) return;
  // Runs of look-ups and statements run again and again come one after another.
  if (!reads.rows.empty()) {
    RowIdRange& last = reads.rows.back();
    if (last.first <= range.first && range.last <= last.last) return;
    if (range.first > last.first && range.first - 1 == last.last) {
      last.last = range.last;
      return;
    }
  }
  reads.rows.push_back(range);
  Bound(&reads);
}

void RowReadLog::NoteKeys(const catalog::TableDef& table, const catalog::IndexDef* index, const KeyRange& range) {
  TableReads& reads = ReadsOf(table);
  if (reads.is_whole) return;
  reads.keys.push_back({index == nullptr ? table.file : index->file, range});
  Bound(&reads);
}

void RowReadLog::NoteRow(const catalog::TableDef& table, RowRef row) {
  if (!table.is_without_rowid) return NoteRows(table, {row.rowid.value(), row.rowid.value()});
  KeyRange range;
  range.low = std::string(row.key);
  range.high = range.low + '\0';
  NoteKeys(table, nullptr, range);
}

absl::StatusOr<bool> RowReadLog::IsUnchanged(txn::Transaction* txn, const TableReads& reads) {
  if (txn->IsNewest(reads.table.file)) return true;  // every change of rows changes this file
  Views views;
  TURDB_ASSIGN_OR_RETURN(views.table_a, txn->SnapshotView(reads.table.file));
  TURDB_ASSIGN_OR_RETURN(views.table_b, txn->NewestView(reads.table.file));
  if (reads.is_whole) return false;
  for (const RowIdRange& range : reads.rows) {
    TURDB_ASSIGN_OR_RETURN(const bool is_same, AreRowsUnchanged(reads.table, range, views.table_a, views.table_b));
    if (!is_same) return false;
  }
  for (const IndexKeys& keys : reads.keys) {
    TURDB_ASSIGN_OR_RETURN(views.index_a, txn->SnapshotView(keys.file));
    TURDB_ASSIGN_OR_RETURN(views.index_b, txn->NewestView(keys.file));
    TURDB_ASSIGN_OR_RETURN(const bool is_same,
                           AreKeysUnchanged(reads.table, IndexOf(reads.table, keys.file), keys.range, views));
    if (!is_same) return false;
  }
  return true;
}

absl::Status RowReadLog::Validate(txn::Transaction* txn) {
  for (const auto& [file, reads] : tables_) {
    TURDB_ASSIGN_OR_RETURN(const bool is_unchanged, IsUnchanged(txn, reads));
    if (is_unchanged) continue;
    return turdb::ConflictError("could not serialize: another transaction committed a change of what this one has read in table '",
                                reads.table.name, "'; roll back and retry");
  }
  return absl::OkStatus();
}

}  // namespace turdb::table
