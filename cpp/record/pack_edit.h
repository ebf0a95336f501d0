// PackEdit: the packs of one row as an update will have them, made beside the page before anything in it changes.
//
// A pack that becomes no longer stays where it is; a longer one goes to the heap's free end. Where there is no room for all of
// it, but for what it is longer, the heap between the free end and the pack moves down by that. Cells may point into the page
// itself, into the very pack that is replaced. Not thread-safe.
#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "record/row_leaf.h"

namespace turdb::record {

class PackEdit {
 public:
  explicit PackEdit(uint8_t* page) : page_(page) {}

  // A pack: its columns follow in order, each with Put or Keep, then Finish; `slot` has the row's offset. False: the page is
  // damaged, or a page would not hold the packs.
  bool Start(uint8_t* slot);
  bool Put(const Cell& cell);
  // The value that is there.
  bool Keep() {
    old_end_ = SkipEntries(page_, old_end_, 1);
    return old_end_ <= format::kPageBytes;
  }
  bool Finish();

  // Whether Write finds room when so much of the heap is free. REQUIRES: `leaf` is open on the page.
  bool Fits(const RowLeaf& leaf, uint32_t free_bytes);
  void Write();

 private:
  struct Pack {
    uint8_t* slot;
    uint32_t begin, bytes;  // in made_
    uint32_t old_begin, old_bytes;
  };

  bool TakeKept();
  void Push(const Pack& pack);
  void Widen(const Pack& pack);

  uint8_t* const page_;
  uint32_t made_bytes_ = 0;
  uint32_t old_end_ = 0;  // of the entries done
  uint32_t kept_ = 0;     // from here on they are kept, and not in made_ yet
  uint32_t moved_bytes_ = 0;   // of packs that become longer
  uint32_t longer_bytes_ = 0;  // what they become longer by
  uint32_t rows_ = 0;
  bool moves_heap_ = false;
  Pack pack_ = {};  // in progress
  absl::InlinedVector<Pack, 4> packs_;
  absl::InlinedVector<uint8_t*, 16> offsets_;  // minipages of them, when the heap is to move
  uint8_t made_[format::kPageBytes];
};

}  // namespace turdb::record
