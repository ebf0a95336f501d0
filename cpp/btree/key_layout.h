// KeyLayout: cells of neighbouring leaves, and one that comes in, on their way into leaves that share them evenly.
//
// A cell goes over as it stands where its page and the new one have the same prefix and the same form of payloads; others are
// taken apart. The pages and loose cells added must stay as they are until the last call. Damaged cells make Add return false.
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
    const uint8_t* start = nullptr;
    uint32_t head = 0;
    uint32_t payload = 0;  // kKeyVariedPayload when it is outside
    uint16_t size = 0;
    uint8_t source = 0;
    uint8_t padding = 0;  // of the head
  };

  void AddItem(const KeyCell& cell);
  bool Parse(const Item& item, KeyCell* cell) const;
  // About what it takes in a page, up to what is the same for all.
  int64_t Weight(const Item& item) const;
  bool Cut(uint32_t n);
  bool FormOf(uint32_t begin, uint32_t end, uint32_t* prefix, uint32_t* payload) const;
  bool BuildPart(uint32_t begin, uint32_t end, uint8_t* page);

  std::vector<Source> sources_;
  std::vector<Item> items_;
  std::vector<uint32_t> cuts_;  // begin of each page's items, and their end
  std::unique_ptr<uint8_t[]> pages_;
  Arena arena_;
};

}  // namespace turdb::btree
