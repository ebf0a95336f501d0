#include "record/leaf_heap.h"

#include <cstring>

namespace turdb::record {
namespace {

using namespace format;

constexpr uint32_t kTriesBeforeGivingUp = 64;  // a column of distinct texts does not pay for the look-ups

// Where the entry at an offset of the source page went, per stamp; 64 KiB a thread.
struct MovedEntries {
  uint16_t stamp = 0;
  uint16_t stamps[kPageBytes] = {};
  uint16_t offsets[kPageBytes];
};
thread_local MovedEntries moved;

void StartMoving() {
  if (++moved.stamp == 0) {
    std::memset(moved.stamps, 0, sizeof(moved.stamps));
    moved.stamp = 1;
  }
}

uint32_t HashOf(const Cell& cell) {
  uint64_t hash = cell.length * 0x9e3779b97f4a7c15ull;
  const char* at = cell.bytes;
  uint32_t left = cell.length;
  for (; left >= 8; at += 8, left -= 8) hash = (hash ^ Load<uint64_t>(at)) * 0x9e3779b97f4a7c15ull + (hash >> 29);
  uint64_t rest = 0;
  std::memcpy(&rest, at, left);
  hash = (hash ^ rest) * 0x9e3779b97f4a7c15ull;
  return static_cast<uint32_t>(hash >> 40);
}

}  // namespace

void LeafHeap::StartColumn() {
  saw_overflow_ = false;
  moving_from_ = nullptr;
  tries_ = hits_ = 0;
  std::memset(recent_, 0, sizeof(recent_));
}

uint32_t LeafHeap::Push(const Cell& cell) {
  const uint32_t at = Reserve(EntrySize(cell));
  if (at == 0) return 0;
  WriteEntry(page_ + at, cell);
  saw_overflow_ |= IsOverflowCell(cell);
  return at;
}

uint32_t LeafHeap::PushShared(const Cell& cell) {
  if (!cell.has_bytes() || IsOverflowCell(cell) || (tries_ >= kTriesBeforeGivingUp && hits_ == 0)) return Push(cell);
  ++tries_;
  uint16_t* slot = &recent_[HashOf(cell) % kRecent];
  Cell known;
  if (*slot != 0 && ReadEntry(page_ + *slot, page_ + kPageBytes, &known) != nullptr && known.type == cell.type &&
      known.subtype == cell.subtype && known.length == cell.length &&
      std::memcmp(known.bytes, cell.bytes, cell.length) == 0) {
    ++hits_;
    return *slot;
  }
  const uint32_t offset = Push(cell);
  *slot = static_cast<uint16_t>(offset);
  return offset;
}

BuildResult LeafHeap::MoveEntries(const RowRun& run, const RunColumn& source, uint8_t* offsets) {
  const uint8_t* from = run.leaf->page();
  if (moving_from_ != from) {
    StartMoving();
    moving_from_ = from;
  }
  for (uint32_t i = 0; i < run.count; ++i) {
    const uint32_t old = source.Offset(i);
    uint32_t offset = 0;
    if (old != 0) {
      if (old >= kPageBytes) return BuildResult::kDamaged;
      if (moved.stamps[old] == moved.stamp) {
        offset = moved.offsets[old];
      } else {
        Cell cell;
        if (ReadEntry(from + old, from + kPageBytes, &cell) == nullptr) return BuildResult::kDamaged;
        offset = cell.is_null() ? 0 : Push(cell);
        if (offset == 0 && !cell.is_null()) return BuildResult::kFull;
        moved.stamps[old] = moved.stamp;
        moved.offsets[old] = static_cast<uint16_t>(offset);
      }
    }
    Store<uint16_t>(offsets + 2 * size_t{i}, static_cast<uint16_t>(offset));
  }
  return BuildResult::kFits;
}

BuildResult LeafHeap::AddRun(const RowRun& run, const RunColumn& source, uint8_t* offsets) {
  if (source.kind() == RunColumn::Kind::kOffsets) return MoveEntries(run, source, offsets);
  for (uint32_t i = 0; i < run.count; ++i) {
    Cell cell;
    if (!source.CellAt(i, &cell)) return BuildResult::kDamaged;
    uint32_t offset = 0;
    if (!cell.is_null()) {
      offset = PushShared(cell);
      if (offset == 0) return BuildResult::kFull;
    }
    Store<uint16_t>(offsets + 2 * size_t{i}, static_cast<uint16_t>(offset));
  }
  return BuildResult::kFits;
}

}  // namespace turdb::record
