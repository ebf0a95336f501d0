// PackEdit: the packs of one row as an update will have them, made beside the page before anything in it changes.
//
// A pack that becomes no longer stays where it is; a longer one goes to the heap's free end. Cells may point into the page itself,
// into the very pack that is replaced. Not thread-safe.
#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "record/leaf_entry.h"

namespace turdb::record {

class PackEdit {
 public:
  explicit PackEdit(uint8_t* page) : page_(page) {}

  // A pack: its columns follow in order, each with Put or Keep, then Finish. `slot` has the row's offset. False: the page is
  // damaged, or a page would not hold the packs.
  bool Start(uint8_t* slot);
  bool Put(const Cell& cell);
  bool Keep();  // the value that is there
  void Finish();

  uint32_t heap_bytes() const { return heap_bytes_; }  // that Write needs
  void Write();

 private:
  struct Pack {
    uint8_t* slot;
    uint32_t begin, bytes;  // in made_
    uint32_t old_begin, old_bytes;
  };

  uint8_t* const page_;
  uint32_t made_bytes_ = 0;
  uint32_t old_end_ = 0;
  uint32_t heap_bytes_ = 0;
  Pack pack_ = {};  // in progress
  absl::InlinedVector<Pack, 4> packs_;
  uint8_t made_[format::kPageBytes];
};

}  // namespace turdb::record
