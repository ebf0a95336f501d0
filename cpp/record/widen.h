// Loops over the fixed-width values of minipages, compiled for what the CPU offers and chosen at run time.
// Sources need no alignment. Any thread.
#pragma once

#include <cstdint>

namespace turdb::record {

// width 1, 2, 4 or 8: sign-extends n values.
void WidenInts(const uint8_t* from, uint32_t width, uint32_t n, int64_t* to);
// Unsigned deltas plus base; width 0 counts up from base.
void WidenKeys(const uint8_t* from, uint32_t width, uint32_t n, int64_t base, int64_t* to);
// Keeps the low `width` bytes of n values.
void NarrowInts(const int64_t* from, uint32_t width, uint32_t n, uint8_t* to);
struct IntRange {
  int64_t min, max;
};
IntRange RangeOf(const int64_t* values, uint32_t n);  // REQUIRES: n > 0

}  // namespace turdb::record
