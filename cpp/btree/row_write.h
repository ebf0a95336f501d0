// Changing a row whose place is known. Paths to the tree are void afterwards.
//
// REQUIRES: the path is one of the writer's view as it is now, and `at` a place in its leaf. Not thread-safe: one writer.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "btree/row_path.h"
#include "pager/file_writer.h"
#include "types/cell.h"

namespace turdb::btree {

// REQUIRES: `at` is where the key belongs, and it is not there.
absl::Status InsertRowAt(pager::FileWriter* writer, const RowPath& path, uint32_t at, int64_t key, absl::Span<const Cell> row);
absl::Status UpdateRowAt(pager::FileWriter* writer, const RowPath& path, uint32_t at, absl::Span<const Cell> row);
absl::Status EraseRowAt(pager::FileWriter* writer, const RowPath& path, uint32_t at);

}  // namespace turdb::btree
