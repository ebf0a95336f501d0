// Layout of an interior page of a row tree: sorted keys and children in two arrays.
//
//   offset size        field
//   0      16          page header, kind kRowInterior
//   16     2           keys
//   18     2           level: 1 above leaves, 2 above those, ...
//   20     4           reserved, 0
//   24     8*capacity  keys, int64 ascending
//   ...    4*(cap+1)   children, u32; child i holds keys below key i, child i + 1 those from key i on
// A page of n keys has n + 1 children; n may be 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/page.h"

namespace turdb::format {

inline constexpr size_t kInteriorCount = 16;
inline constexpr size_t kInteriorLevel = 18;
inline constexpr size_t kInteriorKeys = 24;
inline constexpr uint32_t kInteriorCapacity = (kPageBytes - kInteriorKeys - 4) / 12;
inline constexpr size_t kInteriorChildren = kInteriorKeys + 8 * kInteriorCapacity;
inline constexpr uint32_t kMaxTreeLevel = 15;
static_assert(kInteriorChildren + 4 * (kInteriorCapacity + 1) <= kPageBytes);

}  // namespace turdb::format
