// Page moves: byte ranges of a page that are found again a few bytes further on or back, as after a value was put into a
// packed array or taken out of it. They precede a page delta (page_delta.h) where that makes it shorter.
//
// Moves, each: varint length (never 0), varint gap since the end of the move before (or byte 16 of the page), varint of the zigzag
// distance from there to where the bytes were; then a 0. All bytes are those of the page before, however moves overlap.
// Unlike a delta, moves may be applied only once, and only to the page that they were made from.
#pragma once

#include <cstdint>
#include <string>

namespace turdb::format {

// Appends the moves that lead from `base` towards `page`; `moved` (a page) gets what they make of the base. False, and nothing
// is appended, when there are none worth it.
bool AppendPageMoves(const uint8_t* base, const uint8_t* page, std::string* to, uint8_t* moved);

// Makes the moves at [at, end) on `page`. Returns their end, or null when the bytes are no moves.
const uint8_t* ApplyPageMoves(const uint8_t* at, const uint8_t* end, uint8_t* page);
// The end of moves without making them, or null.
const uint8_t* SkipPageMoves(const uint8_t* at, const uint8_t* end);

}  // namespace turdb::format
