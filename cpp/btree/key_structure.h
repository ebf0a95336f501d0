// The shape of a key tree: ways through it, cells that enter a page of any level (splitting it when it is full). Pages that
// leave are in key_balance.h. Invariants as in row_path.h, with keys in place of numbers; a separator is the shortest key that parts its
// neighbours. Not thread-safe: one writer.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "btree/key_page.h"
#include "btree/row_path.h"
#include "pager/file_writer.h"

namespace turdb::btree {

struct KeyPath {
  RowStep steps[format::kMaxTreeLevel];  // count: cells of the interior page; child: 0..count
  uint32_t depth = 0;
  PageId leaf_id = kRootPage;
  KeyPage leaf;
};

absl::Status DescendToKey(const pager::FileView& view, std::string_view key, KeyPath* path);
absl::Status DescendToEdge(const pager::FileView& view, bool to_first, KeyPath* path);
absl::StatusOr<bool> NextKeyLeaf(const pager::FileView& view, KeyPath* path);
absl::StatusOr<bool> PreviousKeyLeaf(const pager::FileView& view, KeyPath* path);
absl::StatusOr<uint32_t> KeyRootLevel(const pager::FileView& view);

// Puts a cell, whose key is `key`, into the page of `level` where it belongs. REQUIRES: no such key there.
absl::Status InsertKeyCell(pager::FileWriter* writer, std::string_view key, std::string_view cell, uint32_t level);
// As that for a separator whose right child is `child`.
absl::Status InsertKeySeparator(pager::FileWriter* writer, std::string_view key, PageId child, uint32_t level);
// Erases cell `at` of the path's leaf, which is the key's (its chains are the caller's), and what becomes empty or thin.
absl::Status EraseFromKeyLeaf(pager::FileWriter* writer, const KeyPath& path, uint32_t at, std::string_view key);
// Lays the leaf out anew around a changed cell; it may split.
absl::Status ReplaceInKeyLeaf(pager::FileWriter* writer, const KeyPath& path, uint32_t at, std::string_view key,
                              std::string_view cell);
// How many of the loose cells the left page of two takes, so that both have about the same bytes.
uint32_t SplitPoint(absl::Span<const std::string_view> cells);
// The shortest key above `left` and not above `right`.
std::string_view Separator(std::string_view left, std::string_view right);
absl::Status CopyIntoKeyPage(pager::FileWriter* writer, PageId id, const uint8_t* from);

}  // namespace turdb::btree
