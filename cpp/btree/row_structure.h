// Growing a row tree: leaves become several, interior pages follow. Its other half, pages that go, is in row_balance.h.
//
// Every function leaves a tree that keeps the invariants of row_path.h; paths from before are void afterwards.
// Not thread-safe: one writer.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "btree/row_path.h"
#include "btree/row_pieces.h"
#include "pager/file_writer.h"

namespace turdb::btree {

// The leaf of the path becomes the pieces (at least one). When `keeps_leaf`, the leaf itself stays as it is and the
// pieces come after it.
absl::Status ReplaceLeaf(pager::FileWriter* writer, const RowPath& path, RowPieces* pieces, bool keeps_leaf);
// Joins pieces that are in their places, and that their layout left thin, with neighbours (row_balance.h).
absl::Status BalancePieces(pager::FileWriter* writer, absl::Span<const RowPiece> pieces);
// Adds a page of level `level` behind all others of that level: its keys are >= separator, the tree's last ones.
absl::Status InsertSeparator(pager::FileWriter* writer, int64_t separator, PageId right, uint32_t level);
// Puts page content into a page of the tree, all but the header that the pager owns.
absl::Status CopyIntoPage(pager::FileWriter* writer, PageId id, const uint8_t* from);
// The root's content moves to a new page, and the root becomes an interior page above it. Returns that page.
absl::StatusOr<PageId> PushDownRoot(pager::FileWriter* writer);

}  // namespace turdb::btree
