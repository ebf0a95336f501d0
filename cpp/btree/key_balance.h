// Keeping the pages of a key tree full enough, as row_balance.h does it for row trees: two neighbouring pages under one
// parent, leaves or interior pages (with the separator that would come down between those), would not fit half a page.
// Not thread-safe: one writer. Paths from before are void afterwards.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "btree/key_structure.h"
#include "btree/row_balance.h"
#include "pager/file_writer.h"

namespace turdb::btree {

inline constexpr uint32_t kKeyRoomBytes = format::kPageBytes - format::kKeyEntries;
inline bool IsThin(const KeyPage& page) { return page.LiveBytes() <= kKeyRoomBytes / 2; }

// A page of the tree under its parent.
struct KeySpot {
  PageId id = kRootPage;
  PageId parent;
  uint32_t child = 0;  // index in the parent
  bool exists = false;
  bool is_root = true;
};
// The page of `level` whose range holds the key.
absl::Status FindKeySpot(const pager::FileView& view, std::string_view key, uint32_t level, KeySpot* spot);
// Takes child `child` of a page away, with the separator beside it. REQUIRES: the page has a separator.
absl::Status RemoveKeyChild(pager::FileWriter* writer, PageId id, uint32_t child, bool frees_chain);

// Bytes that two neighbours would take as one page, with the prefix that both have; `separator` stands between them in their
// parent. Padding of short heads is left out, so that shorter or longer prefixes of the pages change nothing.
uint32_t JoinedKeyBytes(const KeyPage& left, const KeyPage& right, const KeyCell& separator);
// Looks after the page of `level` whose range holds the key; pages above it follow. The key must not lie in a page.
absl::Status BalanceKeyTree(pager::FileWriter* writer, std::string_view key, uint32_t level, Balance balance);
// As that for the leaf of a path that is still good.
absl::Status BalanceKeyLeaf(pager::FileWriter* writer, const KeyPath& path, std::string_view key, Balance balance);
// Takes the leaf of the path, whose last key goes, out of the tree and frees it; an empty root stays.
absl::Status RemoveKeyLeaf(pager::FileWriter* writer, const KeyPath& path, std::string_view key);

}  // namespace turdb::btree
