// KeyLayout: cells of neighbouring leaves, and one that comes in, on their way into leaves that share them evenly.
//
// A cell goes over as it stands where its page and the new one have the same prefix and the same form of payloads; others are
// taken apart. The pages and loose cells added must stay as they are until the last call. Damaged cells, and more than were announced, make
// Add return false.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "btree/key_page.h"

namespace turdb::btree {

class KeyLayout {
 public:
  // Begins anew, for so many cells at most; memory is kept.
  void Start(uint32_t most_cells);
  static void Prefetch(const KeyPage& page);
  // Cells [begin, end) of a leaf.
  bool Add(const KeyPage& page, uint32_t begin, uint32_t end);
  bool AddLoose(std::string_view cell);

  // Cuts the cells into n leaves of about the same bytes; false when that is not possible. Leaf i takes the place of homes[i], one of
  // the pages added; there may be fewer homes.
  bool Build(uint32_t n, absl::Span<const KeyPage> homes);
  // What Build made. REQUIRES for all of these: it was true.
  // Whether leaf i is its home with some cells taken out and others put in, so that the log gets those only.
  bool is_edited(uint32_t i) const { return edits_[i]; }
  // Does that to the home's bytes. REQUIRES: all edits are done before any page that was added is overwritten.
  void Edit(uint32_t i, const KeyPage& home, uint8_t* page) const;
  // REQUIRES: it is not edited.
  const uint8_t* page(uint32_t i) const { return pages_.get() + format::kPageBytes * size_t{i}; }
  bool FirstCell(uint32_t page, KeyCell* cell) const { return Parse(items_[cuts_[page]], cell); }
  bool LastCell(uint32_t page, KeyCell* cell) const { return Parse(items_[cuts_[page + 1] - 1], cell); }

 private:
  // What cells were taken from.
  struct Source {
    KeyCellForm form;
    const uint8_t* page = nullptr;
    bool is_loose = false;  // whole keys in the cells, as in pages of the first layout
  };
  struct Item {
    const uint8_t* start;
    uint32_t head;
    uint16_t size;
    uint16_t bytes;    // of key, payload and entry, about
    uint16_t payload;  // kKeyVariedPayload when it is outside
    uint8_t source;
    uint8_t padding;  // of the head
  };

  void AddItem(const KeyCell& cell);
  uint32_t AddShort(const KeyPage& page, uint32_t begin, uint32_t end);
  bool Parse(const Item& item, KeyCell* cell) const;
  bool Cut(uint32_t n);
  // Items [begin, end) as a page.
  bool BuildPart(uint32_t begin, uint32_t end, uint8_t* page);
  bool CanEdit(uint32_t begin, uint32_t end, const KeyPage& home) const;
  bool StartPart(uint32_t begin, uint32_t end, uint8_t* page, KeyPageHeader* header) const;
  uint32_t Heap(uint32_t begin, uint32_t end, size_t* bytes) const;
  bool Convert(const Item& item, uint32_t entry, size_t entries_end, uint8_t* page, KeyPageHeader* header, size_t* at) const;

  std::vector<Source> sources_;
  std::unique_ptr<Item[]> items_;
  uint32_t count_ = 0;
  uint32_t most_ = 0;  // there is room for, of kept_
  uint32_t kept_ = 0;
  int64_t bytes_ = 0;           // of all items
  std::vector<bool> edits_;
  std::vector<uint32_t> cuts_;  // begin of each page's items, and their end
  std::unique_ptr<uint8_t[]> pages_;
  uint32_t most_pages_ = 0;
};

}  // namespace turdb::btree
