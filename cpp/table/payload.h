// Payload: cells in the payload bytes of a KeyTree entry (docs/format/catalog.md, "Entries of indexes").
//
// A varint count, or none where the cells go on to the end, then each cell: a tag byte (PayloadTag) and its bytes. kInKey stands
// for a cell that the entry's key gives back exactly. Cells past the last belong to columns added later. Decoding never reads past
// its input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "types/cell.h"

namespace turdb::table {

// Tags 0x07 to 0x3f are texts of 0 to 56 bytes, which follow, in rows of tables. Those from 0x40 on hold an integer >= 0 in their
// lower six bits, and in the bytes behind them: 0x80 none, 0x40 one, 0xc0 two, of which the last is the least significant.
enum class PayloadTag : uint8_t { kNull = 0, kInteger = 1, kReal = 2, kText = 3, kBlob = 4, kVector = 5, kInKey = 6 };

// Whether DecodeKey would give this very cell back: not a real that equals an integer, nor text that folds.
bool IsExactInKey(const Cell& cell, Collation collation);

void AppendPayloadCount(std::string* to, uint32_t count);
void AppendPayloadCell(std::string* to, const Cell& cell);
// With short texts in tags: rows of tables only, as entries of indexes are compared byte by byte with what they should be.
void AppendRowCell(std::string* to, const Cell& cell);
void AppendInKey(std::string* to);

// Reads the cells one after another. Bytes of the cells point into the payload.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload);
  // Of a payload without a count.
  static PayloadReader OfCells(std::string_view cells);
  uint32_t count() const { return count_; }  // 0 for an empty payload
  bool is_at_end() const { return rest_.empty(); }
  // The next cell; false in *is_given when it is in the key.
  absl::Status Next(Cell* cell, bool* is_given);

 private:
  PayloadReader() = default;

  std::string_view rest_;
  uint32_t count_ = 0;
};

}  // namespace turdb::table
