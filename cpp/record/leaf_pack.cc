#include "record/leaf_pack.h"

#include <algorithm>
#include <cstring>

#include "record/run_column.h"

namespace turdb::record {
namespace {

using namespace format;

constexpr uint32_t kPackColumns = 24;  // at most: the last is reached by 23 steps, and an offset is shared by enough
constexpr uint32_t kBlock = 8;         // rows of the sample that lie together: equal neighbours share entries
constexpr uint32_t kBlocks = 4;
constexpr uint32_t kFewBlocks = 2;  // to ask whether a layout, which looks at more, is worth trying
constexpr uint32_t kMostSample = kBlock * kBlocks;
// What packing has to win: a thirty-second of the rows' bytes (less than that is lost at the ends of sqlite3's pages), and three
// bytes a row, as a value in a pack takes longer to reach and to change.
constexpr uint32_t kLeastShare = 32;
constexpr uint32_t kLeastBytes = 3;
// Rows so few that they say little about those to come stay unpacked.
constexpr uint32_t kLeastFilled = kPageBytes / 4;

constexpr uint32_t PackCount(size_t columns) { return static_cast<uint32_t>((columns + kPackColumns - 1) / kPackColumns); }

// The hashes of a column's values in a sample.
class SeenValues {
 public:
  // Whether an equal value was seen before.
  bool Add(const Cell& cell) {
    uint64_t hash = (cell.length + 1) * 0x9e3779b97f4a7c15ull;
    const char* at = cell.bytes;
    uint32_t left = cell.length;
    for (; left >= 8; at += 8, left -= 8) {
      const auto word = Load<uint64_t>(reinterpret_cast<const uint8_t*>(at));
      hash = (hash ^ word) * 0xff51afd7ed558ccdull + (hash >> 31);
    }
    uint64_t rest = 0;
    if (left > 0) std::memcpy(&rest, at, left);
    hash = (hash ^ rest) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 32;
    hash |= 1;  // 0 is an empty slot
    for (uint32_t slot = static_cast<uint32_t>(hash >> 8) % kSlots;; slot = (slot + 1) % kSlots) {
      if (hashes_[slot] == hash) return true;
      if (hashes_[slot] != 0) continue;
      hashes_[slot] = hash;
      return false;
    }
  }

 private:
  static constexpr uint32_t kSlots = 2 * kMostSample;
  uint64_t hashes_[kSlots] = {};
};

std::vector<RowRun> SampleOf(absl::Span<const RowRun> runs, uint32_t rows, uint32_t blocks) {
  if (rows <= kBlock * blocks) return std::vector<RowRun>(runs.begin(), runs.end());
  std::vector<RowRun> sample, block;
  for (uint32_t i = 0; i < blocks; ++i) {
    SliceRuns(runs, (rows - kBlock) * i / (blocks - 1), kBlock, &block);
    sample.insert(sample.end(), block.begin(), block.end());
  }
  return sample;
}

struct ColumnBytes {
  uint32_t alone = 0;   // offsets, and entries but for those that are shared
  uint32_t packed = 0;  // entries
};

bool Measure(absl::Span<const RowRun> sample, uint32_t c, ColumnBytes* bytes) {
  SeenValues seen;
  RunColumn source;
  for (const RowRun& run : sample) {
    if (!source.Open(run, c, false)) return false;
    for (uint32_t i = 0; i < run.count; ++i) {
      Cell cell;
      if (!source.CellAt(i, &cell)) return false;
      const uint32_t size = EntrySize(cell);
      const bool is_shared = cell.has_bytes() && !IsOverflowCell(cell) && seen.Add(cell);
      bytes->packed += size;
      bytes->alone += 2 + (cell.is_null() || is_shared ? 0 : size);
    }
  }
  return true;
}

bool HasPacks(const RowLeaf& leaf) {
  LeafColumn column;
  for (uint32_t c = 0; c < leaf.columns(); ++c) {
    if (leaf.Column(c, &column) && column.encoding == LeafEncoding::kPacked) return true;
  }
  return false;
}

bool HasPacks(absl::Span<const RowRun> runs) {
  return std::any_of(runs.begin(), runs.end(), [](const RowRun& run) { return run.leaf != nullptr && HasPacks(*run.leaf); });
}

// Whether the columns are one whole pack of the leaf, in this order, so that its packs can be taken as they are.
bool IsPackOf(const RowLeaf& leaf, absl::Span<const uint32_t> columns) {
  const uint8_t* values = nullptr;
  uint32_t n = 0;
  for (uint32_t c = columns.front(); c < leaf.columns(); ++c) {
    LeafColumn column;
    if (!leaf.Column(c, &column)) return false;
    if (column.encoding != LeafEncoding::kPacked) continue;
    if (values == nullptr) values = column.values;
    if (column.values != values) continue;
    if (n == columns.size() || columns[n] != c || column.place != n) return false;
    ++n;
  }
  return n == columns.size();
}

class PackWriter {
 public:
  PackWriter(absl::Span<const uint32_t> columns, LeafHeap* heap, std::vector<bool>* overflows)
      : columns_(columns), heap_(heap), overflows_(overflows) {}

  BuildResult Move(const RowRun& run, uint8_t* offsets) {
    const uint8_t* from = run.leaf->page();
    LeafColumn column;
    run.leaf->Column(columns_.front(), &column);
    for (uint32_t i = 0; i < run.count; ++i) {
      const uint32_t old = Load<uint16_t>(column.values + 2 * size_t{run.first + i});
      if (old < kLeafDirectory) return BuildResult::kDamaged;
      uint32_t end = old;
      for (const uint32_t c : columns_) {
        if (end < kPageBytes && from[end] == kEntryOverflow) (*overflows_)[c] = true;
        end = SkipEntries(from, end, 1);
      }
      if (end > kPageBytes) return BuildResult::kDamaged;
      const uint32_t at = heap_->Reserve(end - old);
      if (at == 0) return BuildResult::kFull;
      std::memcpy(heap_->page() + at, from + old, end - old);
      Store<uint16_t>(offsets + 2 * size_t{i}, static_cast<uint16_t>(at));
    }
    return BuildResult::kFits;
  }

  BuildResult Write(const RowRun& run, uint8_t* offsets) {
    RunColumn sources[kMaxPackColumns];
    Cell cells[kMaxPackColumns];
    const Cell* batches[kMaxPackColumns];
    for (size_t j = 0; j < columns_.size(); ++j) {
      if (!sources[j].Open(run, columns_[j], false)) return BuildResult::kDamaged;
      batches[j] = sources[j].cells();
    }
    for (uint32_t i = 0; i < run.count; ++i) {
      uint32_t bytes = 0;
      for (size_t j = 0; j < columns_.size(); ++j) {
        if (batches[j] != nullptr) cells[j] = batches[j][i];
        else if (!sources[j].CellAt(i, &cells[j])) return BuildResult::kDamaged;
        bytes += QuickEntrySize(cells[j]);
      }
      const uint32_t at = heap_->Reserve(bytes);
      if (at == 0) return BuildResult::kFull;
      uint8_t* to = heap_->page() + at;
      for (size_t j = 0; j < columns_.size(); ++j) {
        to = QuickWriteEntry(to, cells[j]);
        if (IsOverflowCell(cells[j])) (*overflows_)[columns_[j]] = true;
      }
      Store<uint16_t>(offsets + 2 * size_t{i}, static_cast<uint16_t>(at));
    }
    return BuildResult::kFits;
  }

 private:
  const absl::Span<const uint32_t> columns_;
  LeafHeap* const heap_;
  std::vector<bool>* const overflows_;
};

std::vector<bool> Choose(absl::Span<const RowRun> runs, absl::Span<const LeafEncoding> encodings, uint32_t blocks) {
  const uint32_t rows = CountRows(runs);
  const std::vector<RowRun> sample = SampleOf(runs, rows, blocks);
  const uint32_t n = std::min(rows, kBlock * blocks);
  const std::vector<bool> none(encodings.size());
  std::vector<bool> is_packed(encodings.size());
  uint32_t total = 0, won = 0, count = 0;
  for (uint32_t c = 0; c < encodings.size(); ++c) {
    if (encodings[c] != LeafEncoding::kEntry) {
      total += LeafWidth(encodings[c]) * n;
      continue;
    }
    ColumnBytes bytes;
    if (!Measure(sample, c, &bytes)) return none;  // damaged: the layout says so
    total += bytes.alone;
    if (bytes.packed + n > bytes.alone) continue;
    is_packed[c] = true;
    won += bytes.alone - bytes.packed;
    ++count;
  }
  const uint32_t offsets = 2 * n * PackCount(count);
  if (won < offsets + kLeastBytes * n || (won - offsets) * kLeastShare < total) return none;
  if (uint64_t{total} * rows / n < kLeastFilled && !HasPacks(runs)) return none;
  return is_packed;
}

}  // namespace

std::vector<bool> ChoosePacked(absl::Span<const RowRun> runs, absl::Span<const LeafEncoding> encodings) {
  return Choose(runs, encodings, kBlocks);
}

std::vector<std::vector<uint32_t>> PacksOf(const std::vector<bool>& is_packed) {
  std::vector<uint32_t> columns;
  for (uint32_t c = 0; c < is_packed.size(); ++c) {
    if (is_packed[c]) columns.push_back(c);
  }
  const size_t count = PackCount(columns.size());
  std::vector<std::vector<uint32_t>> packs;
  for (size_t i = 0; i < count; ++i) {  // of about the same length
    packs.emplace_back(columns.begin() + static_cast<ptrdiff_t>(columns.size() * i / count),
                       columns.begin() + static_cast<ptrdiff_t>(columns.size() * (i + 1) / count));
  }
  return packs;
}

bool WouldRepack(const RowLeaf& leaf) {
  if (leaf.is_records() || leaf.rows() == 0) return false;
  std::vector<LeafEncoding> encodings;
  std::vector<bool> is_packed;
  uint32_t entries = 0;
  for (uint32_t c = 0; c < leaf.columns(); ++c) {
    LeafColumn column;
    if (!leaf.Column(c, &column)) return false;
    is_packed.push_back(column.encoding == LeafEncoding::kPacked);
    encodings.push_back(is_packed.back() ? LeafEncoding::kEntry : column.encoding);
    entries += encodings.back() == LeafEncoding::kEntry;
  }
  if (2 * entries < 2 + kLeastBytes) return false;  // nothing to win
  const RowRun run = RowRun::OfLeaf(leaf, 0, leaf.rows());
  return PacksOf(Choose({&run, 1}, encodings, kFewBlocks)) != PacksOf(is_packed);
}

BuildResult WritePacks(absl::Span<const RowRun> runs, absl::Span<const uint32_t> columns, LeafHeap* heap, uint8_t* offsets,
                       std::vector<bool>* overflows) {
  PackWriter writer(columns, heap, overflows);
  for (const RowRun& run : runs) {
    const bool moves = run.leaf != nullptr && IsPackOf(*run.leaf, columns);
    const BuildResult result = moves ? writer.Move(run, offsets) : writer.Write(run, offsets);
    if (result != BuildResult::kFits) return result;
    offsets += 2 * size_t{run.count};
  }
  return BuildResult::kFits;
}

}  // namespace turdb::record
