// Payload: cells in the payload bytes of a KeyTree entry (docs/format/catalog.md, "Entries of indexes").
//
// A varint count, then each cell: a tag byte (PayloadTag) and its bytes. kInKey stands for a cell that the entry's key
// gives back exactly. Cells past the count belong to columns added later. Decoding never reads past its input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "types/cell.h"

namespace turdb::table {

// Tags from 0x40 on hold an integer >= 0 in their lower six bits, and in the bytes behind them: 0x80 none, 0x40 one, 0xc0 two, of
// which the last is the least significant.
enum class PayloadTag : uint8_t { kNull = 0, kInteger = 1, kReal = 2, kText = 3, kBlob = 4, kVector = 5, kInKey = 6 };

// Whether DecodeKey would give this very cell back: not a real that equals an integer, nor text that folds.
bool IsExactInKey(const Cell& cell, Collation collation);

void AppendPayloadCount(std::string* to, uint32_t count);
void AppendPayloadCell(std::string* to, const Cell& cell);
void AppendInKey(std::string* to);

// Reads the cells one after another. Bytes of the cells point into the payload.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload);
  uint32_t count() const { return count_; }  // 0 for an empty payload
  // The next cell; false in *is_given when it is in the key. REQUIRES: fewer than count() calls before.
  absl::Status Next(Cell* cell, bool* is_given);

 private:
  std::string_view rest_;
  uint32_t count_ = 0;
};

}  // namespace turdb::table
