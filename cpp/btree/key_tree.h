// KeyTree: the B+tree of indexes and WITHOUT ROWID tables: memcmp-ordered key bytes -> payload bytes.
//
// Slotted pages keep the common beginning of their keys once; interior nodes keep truncated separators. The root is page 1.
// Keys up to 1 MiB and payloads up to 1 GiB work: long ones continue in overflow chains (a key's first ~2 KiB stay in
// the page). Same rules on views, threads and lifetimes as RowTree.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "pager/file_writer.h"

namespace turdb::btree {

absl::Status CreateKeyTree(pager::FileWriter* writer);

class KeyCursor {
 public:
  KeyCursor(pager::FileView view, Arena* arena);
  KeyCursor(KeyCursor&&) noexcept;
  KeyCursor& operator=(KeyCursor&&) noexcept;
  ~KeyCursor();
  // As one made anew; a cursor that is restarted for each look-up takes memory once.
  void Restart(pager::FileView view, Arena* arena);

  absl::Status SeekFirst();
  absl::Status SeekLast();
  absl::Status SeekAtLeast(std::string_view key);  // first key >= key
  absl::Status SeekAtMost(std::string_view key);   // last key <= key, a key that `key` is a proper prefix of counts as greater
  absl::StatusOr<bool> Find(std::string_view key);
  absl::Status Next();
  absl::Status Prev();
  bool valid() const { return valid_; }
  // Point into the page or the arena, where keys are put together; valid while the view and arena live.
  absl::StatusOr<std::string_view> Key();
  absl::StatusOr<std::string_view> Payload();

 private:
  struct Position;
  Position* position_;
  bool valid_ = false;
};

absl::StatusOr<bool> InsertKey(pager::FileWriter* writer, std::string_view key, std::string_view payload);  // false: exists
absl::StatusOr<bool> UpdateKey(pager::FileWriter* writer, std::string_view key, std::string_view payload);  // false: none
absl::StatusOr<bool> EraseKey(pager::FileWriter* writer, std::string_view key);
absl::Status ClearKeyTree(pager::FileWriter* writer);
absl::StatusOr<uint64_t> CountKeys(const pager::FileView& view);
absl::StatusOr<uint64_t> EstimateKeys(const pager::FileView& view);

// Keys strictly ascending and greater than the tree's last: packed into full pages.
class KeyAppender {
 public:
  explicit KeyAppender(pager::FileWriter* writer);
  ~KeyAppender();
  absl::Status Append(std::string_view key, std::string_view payload);
  absl::Status Finish();

 private:
  struct State;
  State* state_;
};

absl::StatusOr<std::vector<std::string>> CheckKeyTree(const pager::FileView& view, std::vector<PageId>* used,
                                                      const std::function<absl::Status()>& check = nullptr);

}  // namespace turdb::btree
