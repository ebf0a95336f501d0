// RowPieces: rows laid out as one or more leaf pages in memory, before they take their places in a row tree.
//
// Rows that do not fit one page are cut where the bytes balance; a row too wide for columns gets a leaf of records, its
// bytes going to an overflow chain when they are long. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "pager/file_writer.h"
#include "record/row_leaf_build.h"

namespace turdb::btree {

struct alignas(64) LeafBytes {
  uint8_t bytes[format::kPageBytes] = {};
};

struct RowPiece {
  std::unique_ptr<LeafBytes> page;
  int64_t first_key = 0;
};

class RowPieces {
 public:
  explicit RowPieces(pager::FileWriter* writer) : writer_(writer) {}

  // Lays the runs out (`is_records`: they are of leaves of records).
  absl::Status Pack(absl::Span<const record::RowRun> runs, bool is_records);
  // As two leaves at least, though one might do.
  absl::Status PackHalves(absl::Span<const record::RowRun> runs, bool is_records);
  // As Pack, with the new leaf made like the one before it. REQUIRES: the runs are one row.
  absl::Status PackAfter(const record::RowLeaf& before, const record::RowRun& row);
  // A ready page.
  void Add(std::unique_ptr<LeafBytes> page, int64_t first_key);

  std::vector<RowPiece>& pieces() { return pieces_; }
  size_t size() const { return pieces_.size(); }

 private:
  absl::Status PackPart(absl::Span<const record::RowRun> runs, bool is_records, const record::RowLeaf* like);
  absl::Status Split(absl::Span<const record::RowRun> runs, bool is_records);
  absl::Status PackRecord(const record::RowRun& row);

  pager::FileWriter* const writer_;
  std::vector<RowPiece> pieces_;
};

// The row as the one cell of a leaf of records; `bytes` keeps it. Long records go to an overflow chain.
absl::StatusOr<Cell> RecordCell(pager::FileWriter* writer, absl::Span<const Cell> row, std::string* bytes);

}  // namespace turdb::btree
