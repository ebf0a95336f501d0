// KeyPage: one page of a key tree, leaf or interior (format/key_page.h): reading, searching, changing, laying out.
//
// Open() checks the header, CellAt() the cell: damaged bytes make them return false, never read outside the page.
// Pages of the first layout are read like the others; a function that changes one lays it out anew. A KeyPage is a view;
// open it anew after a change. Functions that write need a page whose Open succeeded, and take loose cells (key_cell.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/arena.h"
#include "btree/key_cell.h"
#include "format/key_page.h"
#include "pager/file_writer.h"

namespace turdb::btree {

struct KeySlot {
  uint32_t index = 0;
  bool is_found = false;
};

enum class KeyRun : uint8_t { kNone, kAscending, kDescending };

class KeyPage {
 public:
  bool Open(const uint8_t* page);
  const uint8_t* page() const { return page_; }
  bool is_plain() const { return is_plain_; }  // of the first layout
  uint32_t count() const { return count_; }
  uint32_t level() const { return level_; }
  // What every key of the page begins with, as far as the page's header says.
  std::string_view prefix() const { return form_.prefix; }
  // Of all cells, or kKeyVariedPayload.
  uint32_t payload() const { return form_.payload; }
  uint32_t heap_begin() const { return Load<uint16_t>(page_ + format::kKeyHeapBegin); }
  uint32_t free_bytes() const { return heap_begin() - static_cast<uint32_t>(entries_end()); }
  size_t entries_end() const { return format::kKeyEntries + format::kKeyEntryBytes * size_t{is_plain_ ? slots_ : count_}; }
  // Of cells, what stands for them in the array, and the prefix; without what holds nothing.
  uint32_t LiveBytes() const;
  uint32_t Head(uint32_t i) const { return Load<uint32_t>(page_ + format::kKeyEntries + head_stride() * size_t{i}); }
  size_t head_stride() const { return is_plain_ ? format::kPlainHintBytes : format::kKeyEntryBytes; }
  bool CellAt(uint32_t i, KeyCell* cell) const;
  // Of a cell, unchecked.
  uint32_t Offset(uint32_t i) const {
    const size_t at = is_plain_ ? format::kPlainHintBytes * slots_ + format::kPlainOffsetBytes * size_t{i}
                                : format::kKeyEntryBytes * size_t{i} + format::kKeyHeadBytes;
    return Load<uint16_t>(page_ + format::kKeyEntries + at);
  }
  // Whether the cells that came last stand one beside the other where another one is to go, and in which order keys then come.
  KeyRun RunAt(uint32_t at) const;
  // Interior: child i of count() + 1.
  bool ChildAt(uint32_t i, PageId* child) const;
  // Bytes that all keys have in common and heads do not show; false when the page is damaged.
  bool CommonPart(std::string_view* common) const;

 private:
  const uint8_t* page_ = nullptr;
  uint32_t count_ = 0;
  uint32_t slots_ = 0;         // plain
  uint32_t plain_prefix_ = 0;  // plain: of the hints
  uint32_t level_ = 0;
  bool is_plain_ = false;
  KeyCellForm form_;
};

absl::Status DamagedKeyPage(const pager::FileView& view, PageId id, std::string_view what);
// A page of the tree, of the level (-1: any).
absl::Status OpenKeyPage(const pager::FileView& view, PageId id, int level, KeyPage* page);

// The first cell whose key is not below `key`, and whether it is equal.
absl::StatusOr<KeySlot> SearchKeyPage(const pager::FileView& view, PageId id, const KeyPage& page,
                                      std::string_view key);
// Interior: the child whose range holds the key.
absl::StatusOr<uint32_t> ChildForKey(const pager::FileView& view, PageId id, const KeyPage& page, std::string_view key);

// In place; false changes nothing: the page must be laid out anew.
bool TryInsertCell(uint8_t* page, uint32_t at, std::string_view cell);
bool TryReplaceCell(uint8_t* page, uint32_t at, std::string_view cell);
// Lays a page out anew whose keys have more in common than its prefix, so that heads tell them apart again: a page that began with one
// key has no prefix. Changes nothing where that gains less than two bytes.
void LengthenPrefix(uint8_t* page);
// False when the page is damaged.
bool EraseCell(uint8_t* page, uint32_t at);

// Whether a new layout of the page may have room for one more cell that did not fit in place: something lies idle, or the
// form changes.
bool MayFitAnew(const KeyPage& page, uint32_t at, std::string_view cell);
// Lays loose cells out as the whole content of `page`. False when they do not fit, `page` is then spoilt. Cells must not be
// in `page`.
bool BuildKeyPage(absl::Span<const std::string_view> cells, uint32_t level, PageId first_child, uint8_t* page);
// All cells of a page in their loose form, copied to the arena; false when it is damaged.
bool ListCells(const KeyPage& page, Arena* arena, std::vector<std::string_view>* cells);
// What the keys of loose cells in order have in common, as far as they are in a page; of a single one nothing.
size_t CommonPrefix(absl::Span<const std::string_view> cells);

// Of a page laid out.
struct KeyPageHeader {
  uint32_t cells = 0;
  uint32_t payload = format::kKeyVariedPayload;
  uint32_t heap_begin = 0;
  uint32_t dead = 0;
  uint32_t prefix = 0;  // its length
  uint32_t level = 0;
  PageId first_child{0};
};
void StoreKeyPageHeader(const KeyPageHeader& header, uint8_t* page);

inline void StoreKeyEntry(uint8_t* page, uint32_t at, uint32_t head, uint32_t offset) {
  uint8_t* const entry = page + format::kKeyEntries + format::kKeyEntryBytes * size_t{at};
  Store<uint32_t>(entry, head);
  Store<uint16_t>(entry + format::kKeyHeadBytes, static_cast<uint16_t>(offset));
}

// The bytes that loose cells take as one page, cell after cell in order.
class KeyPageSize {
 public:
  // As BuildKeyPage would take them with another one behind.
  bool FitsWith(absl::Span<const std::string_view> cells, const KeyCell& next);
  // Takes the one that FitsWith was asked about last.
  void Take() { now_ = next_; }
  void Reset() { now_ = {}; }

 private:
  struct State {
    size_t bytes = 0;
    size_t prefix = 0;
    uint32_t payload = format::kKeyVariedPayload;
  };
  State now_, next_;
};

}  // namespace turdb::btree
