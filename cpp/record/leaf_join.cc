#include "record/leaf_join.h"

#include <algorithm>

#include "record/row_leaf_build.h"

namespace turdb::record {
namespace {

using namespace format;

constexpr uint32_t kTooMuch = 2 * kPageBytes;
constexpr uint32_t kPlainlyTooMuch = kPageBytes / 4 * 3;  // for every caller: no need to look at the columns
constexpr uint32_t kFixedEntryBytes = 9;  // the longest entry of an integer or a real

// A column of a leaf; one that the leaf does not have is all NULL.
bool OpenColumn(const RowLeaf& leaf, uint32_t c, LeafColumn* out) {
  *out = LeafColumn();
  return c >= leaf.columns() || leaf.Column(c, out);
}

bool IsFixed(LeafEncoding encoding) { return IsIntEncoding(encoding) || encoding == LeafEncoding::kReal; }

bool IsPacked(const LeafColumn& column) { return column.encoding == LeafEncoding::kPacked; }

// Slots and entries that a column needs which is packed in a leaf, but not in the other: whether it will be is not known.
uint32_t HalfPackedBytes(uint32_t rows, uint32_t unpacked_rows, LeafEncoding unpacked) {
  return 2 * rows + (IsFixed(unpacked) ? kFixedEntryBytes : 1) * unpacked_rows;
}

LeafEncoding JoinEncodings(LeafEncoding a, LeafEncoding b) {
  if (a == LeafEncoding::kNull || a == b) return b;
  if (b == LeafEncoding::kNull) return a;
  return IsIntEncoding(a) && IsIntEncoding(b) ? std::max(a, b) : LeafEncoding::kEntry;
}

// Bytes of column c for all rows of both leaves, without the entries that they have already.
uint32_t ColumnBytes(const RowLeaf& a, const RowLeaf& b, const LeafColumn& in_a, const LeafColumn& in_b) {
  const uint32_t rows = a.rows() + b.rows();
  if (IsPacked(in_a) && IsPacked(in_b)) return in_a.place == 0 || in_b.place == 0 ? 2 * rows : 0;
  if (IsPacked(in_a)) return HalfPackedBytes(rows, b.rows(), in_b.encoding);
  if (IsPacked(in_b)) return HalfPackedBytes(rows, a.rows(), in_a.encoding);
  const LeafEncoding joined = JoinEncodings(in_a.encoding, in_b.encoding);
  uint32_t bytes = LeafWidth(joined) * rows;
  if (joined == LeafEncoding::kEntry) {
    if (IsFixed(in_a.encoding)) bytes += kFixedEntryBytes * a.rows();
    if (IsFixed(in_b.encoding)) bytes += kFixedEntryBytes * b.rows();
    return bytes;
  }
  const bool has_nulls = in_a.nulls != nullptr || in_b.nulls != nullptr || in_a.encoding != in_b.encoding;
  return joined != LeafEncoding::kNull && has_nulls ? bytes + LeafBitmapBytes(rows) : bytes;
}

uint32_t LiveHeapBytes(const RowLeaf& leaf) {
  const uint32_t heap = static_cast<uint32_t>(kPageBytes) - leaf.heap_begin();
  return heap - std::min(heap, leaf.heap_dead());
}

}  // namespace

uint32_t JoinedLeafBytes(const RowLeaf& a, const RowLeaf& b) {
  const uint32_t live = a.LiveBytes() + b.LiveBytes();
  if (live > kPlainlyTooMuch) return live;
  const uint32_t rows = a.rows() + b.rows();
  if (a.is_records() != b.is_records() || rows > kMaxLeafRows || a.rows() == 0 || b.rows() == 0) return kTooMuch;
  const uint64_t span = static_cast<uint64_t>(b.KeyAt(b.rows() - 1)) - static_cast<uint64_t>(a.KeyAt(0));
  uint32_t bytes = KeyWidthFor(span, rows) * rows + LiveHeapBytes(a) + LiveHeapBytes(b);
  if (a.is_varied() || b.is_varied() || a.columns() != b.columns()) bytes += 2 * rows;  // the column of counts
  const uint32_t columns = std::max(a.columns(), b.columns());
  for (uint32_t c = 0; c < columns && bytes < kTooMuch; ++c) {
    LeafColumn in_a, in_b;
    if (!OpenColumn(a, c, &in_a) || !OpenColumn(b, c, &in_b)) return kTooMuch;
    bytes += ColumnBytes(a, b, in_a, in_b);
  }
  return std::min(bytes, kTooMuch);
}

}  // namespace turdb::record
