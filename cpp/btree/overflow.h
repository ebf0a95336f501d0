// Overflow chains: long values outside the page of their row or key (format/overflow.h).
//
// Whole pages take what fills them, pieces of shared pages the rest. Who refers to a chain keeps its first link and length.
// A chain is never changed: a new value gets a new chain.
// Readers are safe beside writers of other snapshots. Errors: kCorruption, and what the writer returns.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "pager/file_writer.h"

namespace turdb::btree {

inline constexpr uint64_t kMaxValueBytes = uint64_t{1} << 30;

absl::StatusOr<OverflowRef> WriteOverflow(pager::FileWriter* writer, std::string_view bytes);  // bytes not empty
absl::StatusOr<std::string_view> ReadOverflow(const pager::FileView& view, OverflowRef first, uint32_t length, Arena* arena);
absl::Status FreeOverflow(pager::FileWriter* writer, OverflowRef first, uint32_t length);
absl::StatusOr<bool> OverflowEquals(const pager::FileView& view, OverflowRef first, std::string_view bytes);
// Appends the chain's links to `links`, checking each.
absl::Status ListOverflow(const pager::FileView& view, OverflowRef first, uint32_t length, std::vector<OverflowRef>* links);

}  // namespace turdb::btree
