#include "record/row_leaf_build.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "record/leaf_heap.h"
#include "record/leaf_pack.h"
#include "record/run_column.h"
#include "record/widen.h"

namespace turdb::record {
namespace {

using namespace format;
using Kind = RunColumn::Kind;

constexpr uint32_t kChunk = 256;  // integers converted at a time

// What a column's values need.
struct ColumnPlan {
  bool has_nulls = false;
  bool has_ints = false;
  bool has_reals = false;
  bool has_others = false;
  int64_t min = 0, max = 0;
  LeafEncoding encoding = LeafEncoding::kNull;
  uint32_t offset = 0;
  uint32_t pack = 0;   // of a packed column: the first column of its pack, which has the offsets
  uint32_t place = 0;  // in it

  bool has_slots() const { return encoding != LeafEncoding::kNull && place == 0; }
  bool has_bitmap() const { return has_nulls && (IsIntEncoding(encoding) || encoding == LeafEncoding::kReal); }
  uint32_t MinipageBytes(uint32_t capacity) const {
    return (place == 0 ? LeafWidth(encoding) * capacity : 0) + (has_bitmap() ? LeafBitmapBytes(capacity) : 0);
  }
};

LeafEncoding NarrowestInt(int64_t min, int64_t max) {
  const auto fits = [&](int bits) { return min >= -(int64_t{1} << (bits - 1)) && max < (int64_t{1} << (bits - 1)); };
  return fits(8) ? LeafEncoding::kInt8 : fits(16) ? LeafEncoding::kInt16 : fits(32) ? LeafEncoding::kInt32
                                                                                    : LeafEncoding::kInt64;
}

void NoteInts(const RunColumn& source, ColumnPlan* plan) {
  int64_t values[kChunk];
  for (uint32_t i = 0; i < source.count(); i += kChunk) {
    const uint32_t n = std::min(kChunk, source.count() - i);
    source.Ints(i, n, values);
    bool any = true;
    if (source.has_nulls()) {
      uint32_t kept = 0;
      for (uint32_t j = 0; j < n; ++j) {
        if (!source.IsNull(i + j)) values[kept++] = values[j];
      }
      plan->has_nulls |= kept < n;
      any = kept > 0;
      if (any) std::fill(values + kept, values + n, values[0]);
    }
    if (!any) continue;
    const IntRange range = RangeOf(values, n);
    plan->min = plan->has_ints ? std::min(plan->min, range.min) : range.min;
    plan->max = plan->has_ints ? std::max(plan->max, range.max) : range.max;
    plan->has_ints = true;
  }
}

void NoteReals(const RunColumn& source, ColumnPlan* plan) {
  if (!source.has_nulls()) {
    plan->has_reals |= source.count() > 0;
    return;
  }
  for (uint32_t i = 0; i < source.count(); ++i) (source.IsNull(i) ? plan->has_nulls : plan->has_reals) = true;
}

bool NoteCells(const RunColumn& source, ColumnPlan* plan) {
  for (uint32_t i = 0; i < source.count(); ++i) {
    Cell cell;
    if (!source.CellAt(i, &cell)) return false;
    if (cell.is_null()) {
      plan->has_nulls = true;
    } else if (cell.is_integer()) {
      plan->min = plan->has_ints ? std::min(plan->min, cell.integer) : cell.integer;
      plan->max = plan->has_ints ? std::max(plan->max, cell.integer) : cell.integer;
      plan->has_ints = true;
    } else if (cell.is_real()) {
      plan->has_reals = true;
    } else {
      plan->has_others = true;
      return true;  // entries it is, whatever the rest
    }
  }
  return true;
}

bool NoteSource(const RunColumn& source, ColumnPlan* plan) {
  switch (source.kind()) {
    case Kind::kNull: plan->has_nulls |= source.count() > 0; return true;
    case Kind::kInts: NoteInts(source, plan); return true;
    case Kind::kReals: NoteReals(source, plan); return true;
    case Kind::kOffsets:
    case Kind::kCells: return plan->has_others || NoteCells(source, plan);
  }
  return false;
}

void ChooseEncoding(ColumnPlan* plan) {
  if (plan->has_others || (plan->has_ints && plan->has_reals)) {
    plan->encoding = LeafEncoding::kEntry;
  } else if (plan->has_reals) {
    plan->encoding = LeafEncoding::kReal;
  } else if (plan->has_ints) {
    plan->encoding = NarrowestInt(plan->min, plan->max);
  }
}

// At least the encoding that the column has in `like`, where one can stand for the other; packs are seen to later.
void FollowEncoding(const RowLeaf& like, uint32_t c, ColumnPlan* plan) {
  LeafColumn column;
  if (!like.Column(c, &column)) return;
  if (column.encoding == LeafEncoding::kPacked) column.encoding = LeafEncoding::kEntry;
  const bool had_ints = IsIntEncoding(column.encoding);
  const bool is_wider = (had_ints && IsIntEncoding(plan->encoding) && column.encoding > plan->encoding) ||
                        plan->encoding == LeafEncoding::kNull ||
                        (column.encoding == LeafEncoding::kEntry && plan->encoding != LeafEncoding::kEntry);
  if (is_wider) plan->encoding = column.encoding;
  plan->has_nulls |= column.nulls != nullptr;
}

bool IsPackedIn(const RowLeaf& leaf, uint32_t c) {
  LeafColumn column;
  return c < leaf.columns() && leaf.Column(c, &column) && column.encoding == LeafEncoding::kPacked;
}

// One layout in progress.
class LeafBuild {
 public:
  LeafBuild(absl::Span<const RowRun> runs, bool is_records, uint8_t* page, const RowLeaf* like)
      : runs_(runs), is_records_(is_records), page_(page), rows_(CountRows(runs)), like_(like) {}

  BuildResult Run() {
    if (rows_ > kMaxLeafRows) return BuildResult::kFull;
    CountColumns();
    if (columns_ > kMaxLeafColumns) return BuildResult::kFull;
    plans_.resize(columns_ + is_varied_);
    if (!PlanColumns()) return BuildResult::kDamaged;
    PlanKeys();
    if (like_ != nullptr && (like_->is_records() != is_records_ || like_->rows() == 0)) like_ = nullptr;
    if (like_ != nullptr) Follow();
    if (!is_records_) PlanPacks();
    slots_end_ = PlaceMinipages(rows_);
    if (slots_end_ > kPageBytes) return BuildResult::kFull;
    LeafHeap heap(page_, slots_end_);
    WriteKeys();
    for (uint32_t c = 0; c < plans_.size(); ++c) {
      const BuildResult result = WriteColumn(c, &heap);
      if (result != BuildResult::kFits) return result;
    }
    Spread(heap.begin());
    WriteHeader(heap.begin());
    return BuildResult::kFits;
  }

 private:
  void CountColumns() {
    bool is_first = true;
    for (const RowRun& run : runs_) {
      if (run.count == 0) continue;
      const uint32_t columns = run.leaf != nullptr ? run.leaf->columns() : run.column_count;
      is_varied_ |= (run.leaf != nullptr && run.leaf->is_varied()) || (!is_first && columns != columns_);
      columns_ = std::max(columns_, columns);
      is_first = false;
    }
    overflows_.assign(columns_ + is_varied_, false);
  }

  bool PlanColumns() {
    RunColumn source;
    for (uint32_t c = 0; c < plans_.size(); ++c) {
      for (const RowRun& run : runs_) {
        if (!source.Open(run, c, c == columns_) || !NoteSource(source, &plans_[c])) return false;
      }
      ChooseEncoding(&plans_[c]);
    }
    return true;
  }

  void PlanKeys() {
    if (rows_ == 0) return;
    key_base_ = runs_.front().KeyAt(0);
    for (const RowRun& run : runs_) last_key_ = run.count > 0 ? run.KeyAt(run.count - 1) : last_key_;
    key_width_ = KeyWidthFor(static_cast<uint64_t>(last_key_) - static_cast<uint64_t>(key_base_), rows_);
    if (key_width_ == 8) key_base_ = std::numeric_limits<int64_t>::min();
  }

  void Follow() {
    const uint32_t columns = std::min(columns_, like_->columns());
    for (uint32_t c = 0; c < columns; ++c) FollowEncoding(*like_, c, &plans_[c]);
    if (rows_ > 0 && key_width_ < 8 && like_->key_width() > key_width_ && like_->key_width() < 8) {
      key_width_ = like_->key_width();
    }
  }

  void PlanPacks() {
    std::vector<LeafEncoding> encodings;
    bool has_entries = false;
    for (uint32_t c = 0; c < columns_; ++c) {
      encodings.push_back(plans_[c].encoding);
      has_entries |= encodings.back() == LeafEncoding::kEntry;
    }
    if (!has_entries) return;
    std::vector<bool> is_packed;
    if (like_ == nullptr) {
      is_packed = ChoosePacked(runs_, encodings);
    } else {
      for (uint32_t c = 0; c < columns_; ++c) is_packed.push_back(encodings[c] == LeafEncoding::kEntry && IsPackedIn(*like_, c));
    }
    for (const std::vector<uint32_t>& pack : PacksOf(is_packed)) {
      for (uint32_t place = 0; place < pack.size(); ++place) {
        ColumnPlan& plan = plans_[pack[place]];
        plan.encoding = LeafEncoding::kPacked;
        plan.pack = pack.front();
        plan.place = place;
      }
    }
  }

  uint32_t PlaceMinipages(uint32_t capacity) {
    uint32_t at = static_cast<uint32_t>(kLeafDirectory + kLeafDirectoryEntry * plans_.size());
    key_offset_ = at;
    at += key_width_ * capacity;
    for (ColumnPlan& plan : plans_) {
      plan.offset = plan.place == 0 ? at : plans_[plan.pack].offset;
      at += plan.MinipageBytes(capacity);
    }
    return at;
  }

  void WriteKeys() {
    if (key_width_ == 0) return;
    uint8_t* to = page_ + key_offset_;
    for (const RowRun& run : runs_) {
      for (uint32_t i = 0; i < run.count; ++i, to += key_width_) {
        const uint64_t delta = static_cast<uint64_t>(run.KeyAt(i)) - static_cast<uint64_t>(key_base_);
        std::memcpy(to, &delta, key_width_);
      }
    }
  }

  BuildResult WriteColumn(uint32_t c, LeafHeap* heap) {
    const ColumnPlan& plan = plans_[c];
    if (!plan.has_slots()) return BuildResult::kFits;
    if (plan.encoding == LeafEncoding::kPacked) return WritePackOf(c, heap);
    const uint32_t width = LeafWidth(plan.encoding);
    uint8_t* bitmap = plan.has_bitmap() ? page_ + plan.offset + width * rows_ : nullptr;
    if (bitmap != nullptr) std::memset(bitmap, 0xff, LeafBitmapBytes(rows_));
    heap->StartColumn();
    RunColumn source;
    uint32_t at = 0;
    for (const RowRun& run : runs_) {
      if (!source.Open(run, c, c == columns_)) return BuildResult::kDamaged;
      uint8_t* to = page_ + plan.offset + size_t{width} * at;
      if (plan.encoding == LeafEncoding::kEntry) {
        const BuildResult result = heap->AddRun(run, source, to);
        if (result != BuildResult::kFits) return result;
      } else {
        WriteFixed(source, plan.encoding, to);
        if (bitmap != nullptr) ClearNullBits(source, at, bitmap);
      }
      at += run.count;
    }
    overflows_[c] = heap->saw_overflow();
    return BuildResult::kFits;
  }

  BuildResult WritePackOf(uint32_t c, LeafHeap* heap) {
    std::vector<uint32_t> members;
    for (uint32_t i = c; i < columns_; ++i) {
      if (plans_[i].encoding == LeafEncoding::kPacked && plans_[i].pack == c) members.push_back(i);
    }
    return WritePacks(runs_, members, heap, page_ + plans_[c].offset, &overflows_);
  }

  static void WriteFixed(const RunColumn& source, LeafEncoding encoding, uint8_t* to) {
    const uint32_t width = LeafWidth(encoding);
    // Reals that are all NULL by now may have been planned as integers.
    if (source.kind() == Kind::kNull || (source.kind() == Kind::kReals && encoding != LeafEncoding::kReal)) {
      std::memset(to, 0, size_t{width} * source.count());
    } else if (source.kind() == Kind::kReals) {
      std::memcpy(to, source.reals(0), size_t{8} * source.count());
    } else if (source.kind() == Kind::kInts) {
      int64_t values[kChunk];
      for (uint32_t i = 0; i < source.count(); i += kChunk) {
        const uint32_t n = std::min(kChunk, source.count() - i);
        source.Ints(i, n, values);
        NarrowInts(values, width, n, to + size_t{width} * i);
      }
    } else {
      for (uint32_t i = 0; i < source.count(); ++i) {
        Cell cell;
        source.CellAt(i, &cell);
        std::memcpy(to + size_t{width} * i, &cell.integer, width);
      }
    }
  }

  static void ClearNullBits(const RunColumn& source, uint32_t at, uint8_t* bitmap) {
    const bool is_typed = source.kind() == Kind::kInts || source.kind() == Kind::kReals;
    if (is_typed && !source.has_nulls()) return;
    for (uint32_t i = 0; i < source.count(); ++i) {
      Cell cell;
      const bool is_null = is_typed ? source.IsNull(i) : !source.CellAt(i, &cell) || cell.is_null();
      if (is_null) bitmap[(at + i) >> 3] &= static_cast<uint8_t>(~(1u << ((at + i) & 7)));
    }
  }

  // Gives the minipages as many slots as the rest of the page is good for and moves them there, the last first.
  void Spread(uint32_t heap_begin) {
    capacity_ = SpreadCapacity(heap_begin);
    std::vector<uint32_t> compact;
    for (const ColumnPlan& plan : plans_) compact.push_back(plan.offset);
    while (capacity_ > rows_ && PlaceMinipages(capacity_) > heap_begin) --capacity_;
    slots_end_ = PlaceMinipages(capacity_);
    if (capacity_ == rows_) return;
    for (size_t c = plans_.size(); c-- > 0;) {
      const ColumnPlan& plan = plans_[c];
      if (!plan.has_slots()) continue;
      const uint32_t width = LeafWidth(plan.encoding);
      if (plan.has_bitmap()) {
        uint8_t* bitmap = page_ + plan.offset + width * capacity_;
        const uint32_t bytes = LeafBitmapBytes(rows_);
        std::memmove(bitmap, page_ + compact[c] + width * rows_, bytes);
        std::memset(bitmap + bytes, 0xff, LeafBitmapBytes(capacity_) - bytes);
      }
      std::memmove(page_ + plan.offset, page_ + compact[c], size_t{width} * rows_);
    }
  }

  uint32_t SpreadCapacity(uint32_t heap_begin) const {
    const uint32_t free = heap_begin - slots_end_;
    if (rows_ == 0) return 0;
    uint64_t row_bits = 8 * key_width_;
    for (const ColumnPlan& plan : plans_) row_bits += plan.has_slots() ? 8 * LeafWidth(plan.encoding) + plan.has_bitmap() : 0;
    // What a row takes on average, entries included; a few rows say little about the next ones, so leave heap room.
    uint64_t heap_bits = 8 * uint64_t{kPageBytes - heap_begin} / rows_;
    if (like_ != nullptr) heap_bits = std::max(heap_bits, 8 * uint64_t{kPageBytes - like_->heap_begin()} / like_->rows());
    const uint64_t per_row = std::max<uint64_t>(row_bits + heap_bits, 1);
    const uint64_t extra = 8 * uint64_t{free} / per_row;
    return static_cast<uint32_t>(std::min<uint64_t>(rows_ + extra, kMaxLeafRows));
  }

  void WriteHeader(uint32_t heap_begin) {
    SetPageKind(page_, PageKind::kRowLeaf);
    Store<uint16_t>(page_ + kLeafRows, static_cast<uint16_t>(rows_));
    Store<uint16_t>(page_ + kLeafCapacity, static_cast<uint16_t>(capacity_));
    Store<uint16_t>(page_ + kLeafColumns, static_cast<uint16_t>(columns_));
    page_[kLeafKeyWidth] = static_cast<uint8_t>(key_width_);
    page_[kLeafFlags] = static_cast<uint8_t>((is_records_ ? kLeafIsRecords : 0) | (is_varied_ ? kLeafIsVaried : 0));
    Store<int64_t>(page_ + kLeafKeyBase, key_base_);
    Store<uint16_t>(page_ + kLeafKeyOffset, static_cast<uint16_t>(key_width_ == 0 ? 0 : key_offset_));
    Store<uint16_t>(page_ + kLeafHeapBegin, static_cast<uint16_t>(heap_begin));
    Store<uint16_t>(page_ + kLeafHeapDead, 0);
    Store<uint16_t>(page_ + kLeafSlotsEnd, static_cast<uint16_t>(slots_end_));
    uint8_t* entry = page_ + kLeafDirectory;
    for (size_t c = 0; c < plans_.size(); ++c, entry += kLeafDirectoryEntry) {
      Store<uint16_t>(entry + kLeafDirOffset, static_cast<uint16_t>(plans_[c].offset));
      entry[kLeafDirEncoding] = static_cast<uint8_t>(plans_[c].encoding);
      entry[kLeafDirFlags] = static_cast<uint8_t>((plans_[c].has_bitmap() ? kLeafHasNulls : 0) |
                                                  (overflows_[c] ? kLeafMayOverflow : 0) |
                                                  plans_[c].place << kLeafPackPlaceShift);
    }
    // No bytes of an earlier content stay in the free room: pages compress and compare well.
    std::memset(page_ + slots_end_, 0, heap_begin - slots_end_);
  }

  const absl::Span<const RowRun> runs_;
  const bool is_records_;
  uint8_t* const page_;
  const uint32_t rows_;
  const RowLeaf* like_;
  uint32_t columns_ = 0;
  bool is_varied_ = false;
  std::vector<ColumnPlan> plans_;
  std::vector<bool> overflows_;
  uint32_t key_width_ = 0;
  uint32_t key_offset_ = 0;
  int64_t key_base_ = 0;
  int64_t last_key_ = 0;
  uint32_t slots_end_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace

uint32_t KeyWidthFor(uint64_t span, uint32_t rows) {
  if (span == rows - 1) return 0;
  // Twice the span must fit, so that later keys do; otherwise raw keys, which take any.
  if (span < 0x80 && rows <= 100) return 1;
  return span < 0x8000 ? 2 : span < 0x80000000u ? 4 : 8;
}

BuildResult BuildRowLeaf(absl::Span<const RowRun> runs, bool is_records, uint8_t* page, const RowLeaf* like) {
  return LeafBuild(runs, is_records, page, like).Run();
}

}  // namespace turdb::record
