// A page delta: the byte ranges in which a page differs from what it was.
//
// Ranges, each: varint length (never 0), varint gap since the end of the range before (or the page's beginning), the new
// bytes; then a 0. The checksum and the LSN in the page header are left out: they are set when a page is
// written to its file. Applying a delta twice, or to a page that has later changes, is harmless as long as all
// later deltas follow (page_moves.h: moves are not so).
#pragma once

#include <cstdint>
#include <string>

namespace turdb::format {

// Appends the delta from `base` (null: a page of zeros) to `page`.
void AppendPageDelta(const uint8_t* base, const uint8_t* page, std::string* to);

// Applies a delta at [at, end) to `page`. Returns its end, or null when the bytes are no delta.
const uint8_t* ApplyPageDelta(const uint8_t* at, const uint8_t* end, uint8_t* page);
// The end of a delta without applying it, or null.
const uint8_t* SkipPageDelta(const uint8_t* at, const uint8_t* end);

}  // namespace turdb::format
