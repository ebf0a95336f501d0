// Counting, slicing and sizing runs of rows.
#include <algorithm>

#include "record/row_leaf_build.h"
#include "record/run_column.h"

namespace turdb::record {
namespace {

// Upper bounds of the bytes of each row: slots and unshared entries.
void BoundRowBytes(absl::Span<const RowRun> runs, std::vector<uint32_t>* bytes) {
  bytes->clear();
  RunColumn source;
  for (const RowRun& run : runs) {
    const size_t start = bytes->size();
    bytes->resize(start + run.count, 4);  // the key
    const uint32_t columns = run.leaf != nullptr ? run.leaf->columns() : run.column_count;
    for (uint32_t c = 0; c < columns; ++c) {
      if (!source.Open(run, c, false)) break;  // damaged: the layout says so
      for (uint32_t i = 0; i < run.count; ++i) {
        Cell cell;
        uint32_t size = 4;
        if (source.kind() == RunColumn::Kind::kOffsets || source.kind() == RunColumn::Kind::kCells) {
          size = source.CellAt(i, &cell) && !cell.is_null() ? 2 + EntrySize(cell) : 2;
        }
        (*bytes)[start + i] += size;
      }
    }
  }
}

}  // namespace

uint32_t CountRows(absl::Span<const RowRun> runs) {
  uint32_t rows = 0;
  for (const RowRun& run : runs) rows += run.count;
  return rows;
}

void SliceRuns(absl::Span<const RowRun> runs, uint32_t first, uint32_t count, std::vector<RowRun>* out) {
  out->clear();
  for (RowRun run : runs) {
    const uint32_t skipped = std::min(first, run.count);
    first -= skipped;
    run.first += skipped;
    run.count = std::min(run.count - skipped, count);
    count -= run.count;
    if (run.count > 0) out->push_back(run);
  }
}

uint32_t BalancedSplit(absl::Span<const RowRun> runs) {
  std::vector<uint32_t> bytes;
  BoundRowBytes(runs, &bytes);
  const uint32_t rows = static_cast<uint32_t>(bytes.size());
  uint64_t total = 0;
  for (const uint32_t b : bytes) total += b;
  uint64_t left = 0;
  uint32_t split = 0;
  while (split < rows && 2 * (left + bytes[split] / 2) < total) left += bytes[split++];
  return std::clamp<uint32_t>(split, 1, rows - 1);
}

}  // namespace turdb::record
