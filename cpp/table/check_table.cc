// CheckTable: a table against its indexes, vectors and graphs (PRAGMA integrity_check), and CheckTableStructure, which is
// the first part of it (PRAGMA quick_check).
//
// Each structure's own check runs first, with what its pages are used for; where a tree is damaged its contents are not
// compared. Then every row is
// looked for in every index with the entry it should have, entries are counted, and each vector slot must belong to
// exactly the row that names it. Damage found while reading is a finding, not an error of the check.

#include <bit>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "hnsw/check.h"
#include "table/check_pages.h"
#include "table/graph_index.h"
#include "table/index_writer.h"
#include "table/row_reader.h"
#include "table/table_reader.h"
#include "table/vector_column.h"
#include "table/vector_search.h"
#include "vec/kernels.h"

namespace turdb::table {
namespace {

constexpr size_t kMaxFindings = 100;  // as SQLite's integrity_check
constexpr uint64_t kRowsPerCheck = 256;

std::string RowName(const catalog::TableDef& table, RowRef ref) {
  if (table.is_without_rowid) return Cat("row with a primary key of ", ref.key.size(), " bytes");
  return Cat("row ", ref.rowid.value());
}

class TableCheck {
 public:
  TableCheck(txn::Transaction* txn, const catalog::TableDef& table, const IndexExpressions& expressions,
             const std::function<absl::Status()>& check)
      : txn_(txn), table_(table), expressions_(expressions), check_(check) {}

  // Every file by itself.
  absl::StatusOr<std::vector<std::string>> RunStructure() {
    Note(CheckTree(table_.file, table_.is_without_rowid));
    for (const catalog::IndexDef& index : table_.indexes) {
      if (index.kind == catalog::IndexKind::kBtree) Note(CheckTree(index.file, true));
      else Note(CheckGraphAlone(index));
    }
    for (const catalog::ColumnDef& column : table_.columns) {
      if (column.type.is_vector()) Note(CheckVectorPages(column));
    }
    return TakeFindings();
  }

  absl::StatusOr<std::vector<std::string>> Run() {
    Note(CheckTree(table_.file, table_.is_without_rowid));
    for (const catalog::ColumnDef& column : table_.columns) {
      if (column.type.is_vector()) Note(CheckVectorPages(column));
    }
    if (findings_.empty()) {
      for (const catalog::IndexDef& index : table_.indexes) {
        if (index.kind == catalog::IndexKind::kBtree) Note(CheckIndex(index));
        else Note(CheckGraphWithVectors(index));
      }
      for (size_t c = 0; c < table_.columns.size(); ++c) {
        if (table_.columns[c].type.is_vector()) Note(CheckVectors(static_cast<int>(c)));
      }
    }
    return TakeFindings();
  }

 private:
  absl::StatusOr<std::vector<std::string>> TakeFindings() {
    TURDB_RETURN_IF_ERROR(stopped_);
    if (findings_.size() > kMaxFindings) findings_.resize(kMaxFindings);
    return std::move(findings_);
  }
  void Add(std::string finding) { findings_.push_back(std::move(finding)); }
  void Note(const absl::Status& status) {
    if (KindOf(status) == ErrorKind::kInterrupted) stopped_.Update(status);
    else if (!status.ok()) Add(std::string(FromAbsl(status.message())));
  }
  // Of rows; once stopped, what follows ends at once.
  absl::Status Next() {
    TURDB_RETURN_IF_ERROR(stopped_);
    if (check_ && ++n_rows_ % kRowsPerCheck == 0) return check_();
    return absl::OkStatus();
  }
  absl::Status CheckTree(FileId file, bool is_key_tree);
  absl::Status CheckIndex(const catalog::IndexDef& index);
  absl::Status CheckVectors(int column);
  absl::Status CheckVectorPages(const catalog::ColumnDef& column);
  absl::Status CheckGraphPages(const catalog::IndexDef& index);
  absl::Status CheckGraphAlone(const catalog::IndexDef& index);
  absl::Status CheckGraphWithVectors(const catalog::IndexDef& index);

  txn::Transaction* txn_;
  const catalog::TableDef& table_;
  const IndexExpressions& expressions_;
  const std::function<absl::Status()>& check_;
  absl::Status stopped_;
  uint64_t n_rows_ = 0;
  std::vector<std::string> findings_;
};

absl::Status TableCheck::CheckTree(FileId file, bool is_key_tree) {
  TURDB_RETURN_IF_ERROR(stopped_);
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn_->View(file));
  std::vector<PageId> used;
  TURDB_ASSIGN_OR_RETURN(const std::vector<std::string> found,
                         is_key_tree ? btree::CheckKeyTree(view, &used, check_) : btree::CheckRowTree(view, &used, check_));
  for (const std::string& finding : found) Add(Cat(view.path(), ": ", finding));
  // What a damaged tree does not reach is not lost.
  if (found.empty()) CheckPageUse(view, used, txn_->is_writing(), &findings_);
  return absl::OkStatus();
}

absl::Status TableCheck::CheckVectorPages(const catalog::ColumnDef& column) {
  TURDB_ASSIGN_OR_RETURN(const auto vectors, VectorColumn::Open(txn_, column));
  CheckFixedPages(vectors->view(), txn_->is_writing(), &findings_);
  for (uint32_t page = format::kVecFirstSlotPage; page < vectors->view().page_count(); ++page) {
    const uint8_t* const bytes = vectors->view().Page(PageId(page));
    if (bytes == nullptr || format::PageKindOf(bytes) == format::PageKind::kVectorData) continue;
    Add(Cat(vectors->view().path(), ": page ", page, " is of kind ", static_cast<int>(format::PageKindOf(bytes))));
    if (findings_.size() >= kMaxFindings) break;
  }
  return absl::OkStatus();
}

absl::Status TableCheck::CheckGraphPages(const catalog::IndexDef& index) {
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn_->View(index.file));
  CheckFixedPages(view, txn_->is_writing(), &findings_);
  return absl::OkStatus();
}

absl::Status TableCheck::CheckGraphAlone(const catalog::IndexDef& index) {
  TURDB_RETURN_IF_ERROR(CheckGraphPages(index));
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn_->View(index.file));
  TURDB_ASSIGN_OR_RETURN(const std::vector<std::string> found, hnsw::Check(view, nullptr, check_));
  for (const std::string& finding : found) Add(Cat("index ", index.name, ": ", finding));
  return absl::OkStatus();
}

absl::Status TableCheck::CheckGraphWithVectors(const catalog::IndexDef& index) {
  TURDB_RETURN_IF_ERROR(CheckGraphPages(index));
  return CheckGraph(txn_, table_, index, &findings_, check_);
}

absl::Status TableCheck::CheckIndex(const catalog::IndexDef& index) {
  const size_t before = findings_.size();
  TURDB_RETURN_IF_ERROR(CheckTree(index.file, true));
  if (findings_.size() > before) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn_->View(index.file));
  Arena arena;
  btree::KeyCursor cursor(view, &arena);
  EntryMaker maker(table_, index, &expressions_);
  std::vector<bool> needed(table_.columns.size());
  maker.MarkNeeded(&needed);
  IndexEntry entry;
  uint64_t expected = 0;
  TURDB_RETURN_IF_ERROR(ForEachRow(txn_, table_, needed, false, [&](RowRef ref, absl::Span<const Cell> row) -> absl::Status {
    TURDB_RETURN_IF_ERROR(Next());
    TURDB_ASSIGN_OR_RETURN(const bool is_in, maker.Make(ref, row, &entry));
    if (!is_in) return absl::OkStatus();
    ++expected;
    TURDB_ASSIGN_OR_RETURN(const bool found, cursor.Find(entry.key));
    if (!found) {
      Add(Cat(RowName(table_, ref), " missing from index ", index.name));
      return absl::OkStatus();
    }
    TURDB_ASSIGN_OR_RETURN(const std::string_view payload, cursor.Payload());
    if (payload == entry.payload) return absl::OkStatus();
    // A distinct entry's payload begins with its row: another row there is a broken constraint.
    Add(Cat(entry.is_distinct ? "non-unique entry in index " : "wrong payload in index ", index.name, " for ", RowName(table_, ref)));
    return absl::OkStatus();
  }));
  TURDB_ASSIGN_OR_RETURN(const uint64_t entries, btree::CountKeys(view));
  if (entries != expected) Add(Cat("wrong # of entries in index ", index.name, ": ", entries, ", not ", expected));
  return absl::OkStatus();
}

absl::Status TableCheck::CheckVectors(int column) {
  const catalog::ColumnDef& definition = table_.columns[column];
  TURDB_ASSIGN_OR_RETURN(const auto vectors, VectorColumn::Open(txn_, definition));
  std::vector<bool> needed(table_.columns.size());
  needed[column] = true;
  SlotBitmap seen(vectors->slot_count());
  std::vector<float> scratch(vectors->dim());
  uint32_t live = 0;
  TURDB_RETURN_IF_ERROR(ForEachRow(txn_, table_, needed, true, [&](RowRef ref, absl::Span<const Cell> row) -> absl::Status {
    TURDB_RETURN_IF_ERROR(Next());
    if (row[column].is_null()) return absl::OkStatus();
    const absl::StatusOr<NodeId> slot = SlotOfCell(row[column], vectors->slot_count(), definition.vector_path);
    if (!slot.ok()) {
      Add(Cat(RowName(table_, ref), " names a vector slot of column ", definition.name, " that does not exist"));
      return absl::OkStatus();
    }
    ++live;
    TURDB_ASSIGN_OR_RETURN(const int64_t owner, vectors->RowIdOf(*slot));
    const int64_t expected = table_.is_without_rowid ? slot->value() : ref.rowid.value();
    if (seen.Test(slot->value()) || owner != expected) {
      Add(Cat(RowName(table_, ref), ": slot ", slot->value(), " of column ", definition.name, " belongs to row ", owner));
    }
    seen.Set(slot->value());
    const float* const vector = vectors->source().Read(*slot, scratch.data());
    if (vector == nullptr) return vectors->source().Damage(*slot);
    if (!vec::ActiveKernels().is_all_finite(vector, vectors->dim())) {
      Add(Cat(RowName(table_, ref), ": its vector in column ", definition.name, " has a number that is not finite"));
    }
    return absl::OkStatus();
  }));
  uint32_t owned = 0;
  for (uint32_t slot = 0; slot < vectors->slot_count(); ++slot) {
    TURDB_ASSIGN_OR_RETURN(const int64_t owner, vectors->RowIdOf(NodeId(slot)));
    owned += owner != format::kFreeSlotRowId;
  }
  if (owned != live || vectors->live_count() != live) {
    Add(Cat("column ", definition.name, " has ", live, " vectors, its file ", owned, " and its header says ", vectors->live_count()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> CheckTable(txn::Transaction* txn, const catalog::TableDef& table,
                                                    IndexExpressions expressions, const std::function<absl::Status()>& check) {
  if (table.kind == catalog::TableKind::kView) return std::vector<std::string>();
  return TableCheck(txn, table, expressions, check).Run();
}

absl::StatusOr<std::vector<std::string>> CheckTableStructure(txn::Transaction* txn, const catalog::TableDef& table,
                                                             const std::function<absl::Status()>& check) {
  if (table.kind == catalog::TableKind::kView) return std::vector<std::string>();
  const IndexExpressions none;
  return TableCheck(txn, table, none, check).RunStructure();
}

}  // namespace turdb::table
