// VectorColumn: reading the .vec file of one vector column: its counters, and vectors by slot as cells.
//
// Vectors that lie in one page are handed out where they are; those that span pages are gathered into an arena. Slot
// numbers come from rows, which are bytes from disk: one out of range is kCorruption. The layout is
// format/vec_page.h (docs/format/vectors.md). Holds its view; immovable; reading is thread-safe.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "catalog/definitions.h"
#include "hnsw/vectors.h"
#include "pager/file_view.h"
#include "txn/store.h"
#include "types/cell.h"

namespace turdb::table {

class VectorColumn {
 public:
  // kCorruption when the header does not fit the column or the file's length.
  static absl::StatusOr<std::unique_ptr<VectorColumn>> Open(txn::Transaction* txn, const catalog::ColumnDef& column);
  static absl::StatusOr<std::unique_ptr<VectorColumn>> Open(pager::FileView view, const catalog::ColumnDef& column);
  VectorColumn(const VectorColumn&) = delete;
  VectorColumn& operator=(const VectorColumn&) = delete;

  uint32_t dim() const { return source_.dim(); }
  uint32_t slot_count() const { return source_.slot_count(); }
  uint32_t live_count() const { return live_count_; }
  const format::VecLayout& layout() const { return source_.layout(); }
  const hnsw::VectorSource& source() const { return source_; }
  const pager::FileView& view() const { return view_; }

  // The vector that a row's cell names by slot; NULL stays NULL.
  absl::StatusOr<Cell> Resolve(const Cell& slot, Arena* arena) const;
  absl::StatusOr<int64_t> RowIdOf(NodeId slot) const;

 private:
  VectorColumn() = default;

  pager::FileView view_;
  hnsw::VectorSource source_;
  uint32_t live_count_ = 0;
};

// The slot in a stored cell of a vector column. REQUIRES: not NULL.
absl::StatusOr<NodeId> SlotOfCell(const Cell& cell, uint32_t slot_count, std::string_view path);

}  // namespace turdb::table
