#include "btree/row_pieces.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/overflow.h"
#include "record/row_record.h"

namespace turdb::btree {

using record::BuildResult;
using record::RowLeaf;
using record::RowRun;

absl::StatusOr<Cell> RecordCell(pager::FileWriter* writer, absl::Span<const Cell> row, std::string* bytes) {
  *bytes = record::EncodeRecord(row);
  const Cell cell = Cell::Blob(*bytes);
  if (bytes->size() <= format::kMaxInlineBytes) return cell;
  TURDB_ASSIGN_OR_RETURN(const OverflowRef first, WriteOverflow(writer, *bytes));
  return record::OverflowCell(cell, first);
}

void RowPieces::Add(std::unique_ptr<LeafBytes> page, int64_t first_key) {
  pieces_.push_back({std::move(page), first_key});
}

absl::Status RowPieces::Pack(absl::Span<const RowRun> runs, bool is_records) {
  return PackPart(runs, is_records, nullptr);
}

absl::Status RowPieces::PackAfter(const RowLeaf& before, const RowRun& row) {
  return PackPart({&row, 1}, before.is_records(), before.is_records() ? nullptr : &before);
}

absl::Status RowPieces::PackRecord(const RowRun& row) {
  if (row.row == nullptr) return InternalError("a stored row does not fit a leaf of its own");
  std::string bytes;
  TURDB_ASSIGN_OR_RETURN(const Cell cell, RecordCell(writer_, {row.row, row.column_count}, &bytes));
  const RowRun run = RowRun::OfRow(row.first_key, {&cell, 1});
  return PackPart({&run, 1}, true, nullptr);
}

absl::Status RowPieces::PackPart(absl::Span<const RowRun> runs, bool is_records, const RowLeaf* like) {
  auto page = std::make_unique<LeafBytes>();
  const BuildResult result = BuildRowLeaf(runs, is_records, page->bytes, like);
  if (result == BuildResult::kDamaged) {
    return CorruptionError("file '", writer_->view().path(), "': a leaf is damaged");
  }
  if (result == BuildResult::kFits) {
    Add(std::move(page), runs.front().KeyAt(0));
    return absl::OkStatus();
  }
  const uint32_t rows = CountRows(runs);
  if (rows == 1) {
    if (like != nullptr) return PackPart(runs, is_records, nullptr);
    if (is_records) return InternalError("a record does not fit a leaf");
    return PackRecord(runs.front());
  }
  page.reset();
  return Split(runs, is_records);
}

absl::Status RowPieces::PackHalves(absl::Span<const RowRun> runs, bool is_records) {
  return CountRows(runs) < 2 ? PackPart(runs, is_records, nullptr) : Split(runs, is_records);
}

absl::Status RowPieces::Split(absl::Span<const RowRun> runs, bool is_records) {
  const uint32_t rows = CountRows(runs);
  const uint32_t split = record::BalancedSplit(runs);  // rows of the left part
  std::vector<RowRun> part;
  SliceRuns(runs, 0, split, &part);
  TURDB_RETURN_IF_ERROR(PackPart(part, is_records, nullptr));
  SliceRuns(runs, split, rows - split, &part);
  return PackPart(part, is_records, nullptr);
}

}  // namespace turdb::btree
