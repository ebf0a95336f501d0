// KeyLayout: cells of neighbouring leaves, and one that comes in, on their way into leaves that share them evenly.
//
// A cell goes over as it stands where its page and the new one have the same prefix and the same form of payloads; others are
// taken apart. The pages and loose cells added must stay as they are until the last call. Damaged cells, and more than were announced (a
// damaged tree has a page twice), make Add return false.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

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

  // Cuts the cells into n leaves of about the same bytes; false when that is not possible.
  bool Build(uint32_t n);
  // What Build made. REQUIRES: it was true.
  const uint8_t* page(uint32_t i) const { return pages_.get() + format::kPageBytes * size_t{i}; }
  bool FirstCell(uint32_t page, KeyCell* cell) const { return Parse(items_[cuts_[page]], cell); }
  bool LastCell(uint32_t page, KeyCell* cell) const { return Parse(items_[cuts_[page + 1] - 1], cell); }

 private:
  // What cells were taken from.
  struct Source {
    KeyCellForm form;
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
  bool StartPart(uint32_t begin, uint32_t end, uint8_t* page, KeyPageHeader* header) const;
  uint32_t Heap(uint32_t begin, uint32_t end, size_t* bytes) const;
  bool Convert(const Item& item, uint32_t entry, size_t entries_end, uint8_t* page, KeyPageHeader* header, size_t* at) const;

  std::vector<Source> sources_;
  std::unique_ptr<Item[]> items_;
  uint32_t count_ = 0;
  uint32_t most_ = 0;  // there is room for, of kept_
  uint32_t kept_ = 0;
  int64_t bytes_ = 0;           // of all items
  std::vector<uint32_t> cuts_;  // begin of each page's items, and their end
  std::unique_ptr<uint8_t[]> pages_;
  uint32_t most_pages_ = 0;
};

}  // namespace turdb::btree
