// KeyPage: one page of a key tree, leaf or interior (format/key_page.h): reading, searching, changing, laying out.
//
// Open() checks the header, CellAt() the cell: damaged bytes make them return false, never read outside the page.
// A KeyPage is a view; open it anew after a change. Functions that write need a page whose Open succeeded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "format/key_page.h"
#include "pager/file_writer.h"

namespace turdb::btree {

struct KeyCell {
  std::string_view key;      // the part in the page
  std::string_view payload;  // empty when it is outside
  uint32_t key_bytes = 0;    // of the whole key
  uint32_t payload_bytes = 0;
  PageId key_chain{0};  // 0 when the key is whole
  PageId payload_chain{0};
  const uint8_t* start = nullptr;  // of the cell
  uint32_t size = 0;               // of the cell
};

struct KeySlot {
  uint32_t index = 0;
  bool is_found = false;
};

class KeyPage {
 public:
  bool Open(const uint8_t* page);
  const uint8_t* page() const { return page_; }
  uint32_t count() const { return count_; }
  uint32_t slots() const { return slots_; }
  uint32_t level() const { return level_; }
  uint32_t heap_begin() const { return Load<uint16_t>(page_ + format::kKeyHeapBegin); }
  uint32_t free_bytes() const { return heap_begin() - static_cast<uint32_t>(slots_end()); }
  size_t slots_end() const { return format::kKeyHints + format::kKeySlotBytes * size_t{slots_}; }
  uint32_t LiveBytes() const;  // of cells and their slots
  uint32_t Hint(uint32_t i) const { return Load<uint32_t>(page_ + format::kKeyHints + 4 * size_t{i}); }
  uint32_t Offset(uint32_t i) const {
    return Load<uint16_t>(page_ + format::kKeyHints + 4 * size_t{slots_} + 2 * size_t{i});
  }
  bool CellAt(uint32_t i, KeyCell* cell) const;
  // Interior: child i of count() + 1.
  bool ChildAt(uint32_t i, PageId* child) const;
  uint32_t prefix() const { return prefix_; }

 private:
  const uint8_t* page_ = nullptr;
  uint32_t count_ = 0;
  uint32_t slots_ = 0;
  uint32_t prefix_ = 0;
  uint32_t level_ = 0;
};

absl::Status DamagedKeyPage(const pager::FileView& view, PageId id, std::string_view what);
// A page of the tree, of the level (-1: any).
absl::Status OpenKeyPage(const pager::FileView& view, PageId id, int level, KeyPage* page);

// The first cell whose key is not below `key`, and whether it is equal.
absl::StatusOr<KeySlot> SearchKeyPage(const pager::FileView& view, PageId id, const KeyPage& page,
                                      std::string_view key);
// Interior: the child whose range holds the key.
absl::StatusOr<uint32_t> ChildForKey(const pager::FileView& view, PageId id, const KeyPage& page, std::string_view key);
// The whole key.
absl::Status ReadFullKey(const pager::FileView& view, const KeyCell& cell, std::string* key);

// A cell's bytes; long keys and payloads go to overflow chains.
absl::StatusOr<std::string> MakeKeyCell(pager::FileWriter* writer, std::string_view key, std::string_view payload);
// Frees the chains that a cell refers to.
absl::Status FreeKeyCell(pager::FileWriter* writer, const KeyCell& cell);

// In place; false changes nothing: the page must be laid out anew.
bool TryInsertCell(uint8_t* page, uint32_t at, std::string_view cell);
bool TryReplaceCell(uint8_t* page, uint32_t at, std::string_view cell);
void EraseCell(uint8_t* page, uint32_t at);

// Lays cells out as the whole content of `page`. False when they do not fit. Cells must not be in `page`.
bool BuildKeyPage(absl::Span<const std::string_view> cells, uint32_t level, PageId first_child, uint8_t* page);
// All cells of a page.
bool ListCells(const KeyPage& page, std::vector<std::string_view>* cells);
bool ParseKeyCell(const uint8_t* at, const uint8_t* end, KeyCell* cell);

}  // namespace turdb::btree
