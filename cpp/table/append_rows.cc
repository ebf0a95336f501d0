// AppendRows: rows that come behind all others are written column by column, straight into full pages; others, and
// those of WITHOUT ROWID tables, one by one.

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_tree.h"
#include "table/entry_sorter.h"
#include "table/index_writer.h"
#include "table/rowid_source.h"
#include "table/table_lock.h"
#include "table/vector_set.h"
#include "vec/kernels.h"

namespace turdb::table {
namespace {

// Vectors between two calls of progress: 64 MiB of 384 dimensions.
constexpr uint32_t kVectorsPerStep = 40000;
constexpr uint32_t kRowsPerStep = 1024;
constexpr uint32_t kLeastBulkRows = 1024;

absl::Status CheckShape(const catalog::TableDef& table, const AppendBlock& block) {
  const size_t columns = table.columns.size();
  const bool is_sound = block.columns.size() <= columns && block.vectors.size() <= columns &&
                        block.vector_strides.size() >= block.vectors.size();
  if (!is_sound) return InternalError("an append to table '", table.name, "' has other columns than the table");
  return absl::OkStatus();
}

const float* VectorsOf(const AppendBlock& block, size_t column) {
  return column < block.vectors.size() ? block.vectors[column] : nullptr;
}

Cell CellOf(const catalog::TableDef& table, const AppendBlock& block, size_t column, uint32_t row) {
  if (const float* vectors = VectorsOf(block, column)) {
    return Cell::Vector(vectors + row * block.vector_strides[column], table.columns[column].type.dim);
  }
  const ColumnVector* values = column < block.columns.size() ? block.columns[column] : nullptr;
  return values == nullptr ? Cell() : values->Get(row);
}

absl::Status CheckFinite(const catalog::TableDef& table, const AppendBlock& block) {
  const vec::Kernels& kernels = vec::ActiveKernels();
  for (size_t c = 0; c < block.vectors.size(); ++c) {
    if (block.vectors[c] == nullptr) continue;
    const uint32_t dim = table.columns[c].type.dim;
    const size_t stride = block.vector_strides[c];
    if (stride == dim && kernels.is_all_finite(block.vectors[c], size_t{block.rows} * dim)) continue;
    for (uint32_t row = 0; row < block.rows; ++row) {
      if (kernels.is_all_finite(block.vectors[c] + row * stride, dim)) continue;
      return BadValueError("column ", table.columns[c].name, ", row ", row, ": a vector may not contain NaN or infinity");
    }
  }
  return absl::OkStatus();
}

class BulkAppend {
 public:
  BulkAppend(const catalog::TableDef& table, const AppendBlock& block, const IndexExpressions& expressions,
             const Progress& progress)
      : table_(table), block_(block), expressions_(expressions), progress_(progress) {}

  absl::Status Run(txn::Transaction* txn);

 private:
  absl::Status ChooseRowIds(pager::FileWriter* writer, bool* is_behind_all);
  absl::Status AppendVectors();
  absl::Status AppendTableRows(pager::FileWriter* writer);
  absl::Status AppendEntries(IndexWriter* index);
  absl::Status OneByOne(txn::Transaction* txn);
  absl::Status Did(uint64_t rows) {
    done_ += rows;
    return progress_ == nullptr ? absl::OkStatus() : progress_(done_, total_);
  }

  const catalog::TableDef& table_;
  const AppendBlock& block_;
  const IndexExpressions& expressions_;
  const Progress& progress_;
  uint64_t done_ = 0, total_ = 0;  // rows times the structures they go to
  std::vector<int64_t> made_rowids_;
  const int64_t* rowids_ = nullptr;
  VectorSet vectors_;
  std::vector<ColumnVector> slots_;  // per vector column
};

// Decides where the rows go; false when some row does not come behind all that are there.
absl::Status BulkAppend::ChooseRowIds(pager::FileWriter* writer, bool* is_behind_all) {
  *is_behind_all = true;
  if (block_.rowids == nullptr) {
    RowIdSource source(table_, writer);
    TURDB_ASSIGN_OR_RETURN(const RowId first, source.Next());
    if (first.value() > std::numeric_limits<int64_t>::max() - static_cast<int64_t>(block_.rows)) *is_behind_all = false;
    made_rowids_.resize(block_.rows);
    for (uint32_t i = 0; i < block_.rows; ++i) made_rowids_[i] = static_cast<int64_t>(uint64_t(first.value()) + i);
    rowids_ = made_rowids_.data();
    return absl::OkStatus();
  }
  rowids_ = block_.rowids;
  TURDB_ASSIGN_OR_RETURN(const std::optional<RowId> last, btree::LastRowId(writer->view()));
  *is_behind_all = !last.has_value() || last->value() < rowids_[0];
  for (uint32_t i = 1; i < block_.rows; ++i) *is_behind_all &= rowids_[i - 1] < rowids_[i];
  return absl::OkStatus();
}

absl::Status BulkAppend::AppendVectors() {
  slots_.resize(vectors_.size());
  for (size_t v = 0; v < vectors_.size(); ++v) {
    const float* vectors = VectorsOf(block_, vectors_.column(v));
    if (vectors == nullptr) {
      slots_[v].SetConstant(Cell());
      continue;
    }
    VectorColumnWriter& writer = vectors_.writer(v);
    const size_t stride = block_.vector_strides[vectors_.column(v)];
    int64_t* slots = slots_[v].ResetInt64(block_.rows);
    for (uint32_t row = 0; row < block_.rows;) {
      // A step ends with a page, so that the next one begins with a new page and goes to the file directly.
      TURDB_ASSIGN_OR_RETURN(const NodeId next, writer.NextSlot());
      const uint64_t per_page = writer.layout().vectors_per_page();
      const uint64_t end = (uint64_t{next.value()} + kVectorsPerStep + per_page) / per_page * per_page;
      const auto n = static_cast<uint32_t>(std::min<uint64_t>(block_.rows - row, end - next.value()));
      TURDB_ASSIGN_OR_RETURN(const NodeId first, writer.Append(rowids_ + row, vectors + row * stride, stride, n));
      for (uint32_t i = 0; i < n; ++i) slots[row + i] = first.value() + i;
      row += n;
      TURDB_RETURN_IF_ERROR(Did(n));
    }
  }
  return absl::OkStatus();
}

absl::Status BulkAppend::AppendTableRows(pager::FileWriter* writer) {
  std::vector<ColumnVector> columns(table_.columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    const bool is_given = c < block_.columns.size() && block_.columns[c] != nullptr && static_cast<int>(c) != table_.rowid_alias;
    if (is_given) columns[c].Reference(*block_.columns[c]);
    else columns[c].SetConstant(Cell());
  }
  for (size_t v = 0; v < vectors_.size(); ++v) columns[vectors_.column(v)].Reference(slots_[v]);
  btree::RowBlock rows;
  if (block_.rowids == nullptr) rows.first_key = rowids_[0];
  else rows.keys = rowids_;
  rows.rows = block_.rows;
  rows.columns = columns;
  btree::RowAppender appender(writer, [this](uint32_t n) { return Did(n); });
  TURDB_RETURN_IF_ERROR(appender.Append(rows));
  TURDB_RETURN_IF_ERROR(appender.Finish());
  RowIdSource source(table_, writer);
  return source.Used(RowId(rowids_[block_.rows - 1]));
}

absl::Status BulkAppend::AppendEntries(IndexWriter* index) {
  std::vector<bool> needed(table_.columns.size());
  index->maker().MarkNeeded(&needed);
  std::vector<Cell> row(table_.columns.size());
  EntrySorter sorter(block_.sort_space);
  sorter.Reserve(block_.rows);
  IndexEntry entry;
  for (uint32_t i = 0; i < block_.rows; ++i) {
    for (size_t c = 0; c < row.size(); ++c) {
      if (needed[c]) row[c] = CellOf(table_, block_, c, i);
    }
    if (table_.rowid_alias >= 0) row[table_.rowid_alias] = Cell::Integer(rowids_[i]);
    TURDB_ASSIGN_OR_RETURN(const bool is_in, index->maker().Make(RowId(rowids_[i]), row, &entry));
    if (is_in) TURDB_RETURN_IF_ERROR(sorter.Add(entry));
    if ((i + 1) % kRowsPerStep == 0) TURDB_RETURN_IF_ERROR(Did(kRowsPerStep));
  }
  TURDB_RETURN_IF_ERROR(sorter.WriteTo(index->file(), table_, index->index(), [this] { return Did(0); }));
  return Did(block_.rows % kRowsPerStep);
}

absl::Status BulkAppend::OneByOne(txn::Transaction* txn) {
  TURDB_ASSIGN_OR_RETURN(const auto writer, NewTableWriter(txn, table_, expressions_));
  std::vector<Cell> row(table_.columns.size());
  total_ = block_.rows;
  for (uint32_t i = 0; i < block_.rows; ++i) {
    for (size_t c = 0; c < row.size(); ++c) row[c] = CellOf(table_, block_, c, i);
    RowId rowid(block_.rowids == nullptr ? 0 : block_.rowids[i]);
    if (block_.rowids == nullptr) {
      TURDB_ASSIGN_OR_RETURN(rowid, writer->NextRowId());
    }
    Conflict conflict;
    TURDB_ASSIGN_OR_RETURN(const bool is_in, writer->TryInsert(rowid, row, &conflict));
    if (!is_in) return ConflictError(table_, conflict.index);
    if ((i + 1) % kRowsPerStep == 0) TURDB_RETURN_IF_ERROR(Did(kRowsPerStep));
  }
  return absl::OkStatus();
}

absl::Status BulkAppend::Run(txn::Transaction* txn) {
  // A few rows are not worth keeping other writers out of the table.
  const bool is_bulk = block_.rows >= kLeastBulkRows || txn->prefers_whole_tables();
  TURDB_ASSIGN_OR_RETURN(const TableAccess access, is_bulk ? LockForBulk(txn, table_) : LockForRows(txn, table_));
  if (table_.is_without_rowid || access == TableAccess::kRows) return OneByOne(txn);
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(table_.file));
  bool is_behind_all = false;
  TURDB_RETURN_IF_ERROR(ChooseRowIds(writer, &is_behind_all));
  if (!is_behind_all) return OneByOne(txn);
  TURDB_ASSIGN_OR_RETURN(vectors_, VectorSet::Open(txn, table_));
  TURDB_ASSIGN_OR_RETURN(std::vector<IndexWriter> indexes, OpenIndexWriters(txn, table_, &expressions_));
  total_ = uint64_t{block_.rows} * (1 + indexes.size());
  for (size_t v = 0; v < vectors_.size(); ++v) {
    if (VectorsOf(block_, vectors_.column(v)) != nullptr) total_ += block_.rows;
  }
  TURDB_RETURN_IF_ERROR(AppendVectors());
  TURDB_RETURN_IF_ERROR(AppendTableRows(writer));
  for (IndexWriter& index : indexes) TURDB_RETURN_IF_ERROR(AppendEntries(&index));
  return absl::OkStatus();
}

}  // namespace

absl::Status AppendRows(txn::Transaction* txn, const catalog::TableDef& table, const AppendBlock& block,
                        IndexExpressions expressions, const Progress& progress) {
  if (block.rows == 0) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(CheckShape(table, block));
  TURDB_RETURN_IF_ERROR(CheckFinite(table, block));
  return BulkAppend(table, block, expressions, progress).Run(txn);
}

}  // namespace turdb::table
