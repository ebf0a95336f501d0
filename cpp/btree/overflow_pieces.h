// Where the pieces of long values go: the pages of pieces of a file and the list of those with room.
//
// Values fill pages one after the other, so that a file of them has no more bytes than they have; a value is in three pages
// that were begun and one of its own at most. Invariants: (1) a page of pieces has one at least; (2) it is in the list
// exactly when it has room; (3) the file header's sum of room is that of its pages.
// Not thread-safe: one writer. Errors: kCorruption, and what the writer returns.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "pager/file_writer.h"

namespace turdb::btree {

// A chain of pieces with these bytes, at least one; null when the file has no more pages for pieces.
absl::StatusOr<OverflowRef> WritePieces(pager::FileWriter* writer, std::string_view bytes);
absl::Status FreePiece(pager::FileWriter* writer, OverflowRef ref);
// A page of pieces that can be relied on.
absl::StatusOr<const uint8_t*> OpenPiecesPage(const pager::FileView& view, PageId id);

}  // namespace turdb::btree
