// Layout of an overflow page: a link of a chain that holds one long value.
//
//   offset size field
//   0      16   page header, kind kOverflow
//   16     4    next page of the chain, 0 at its end
//   20     4    bytes of the value in this page: kOverflowPayload except in the last
//   24     ...  the bytes
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/page.h"

namespace turdb::format {

inline constexpr size_t kOverflowNext = 16;
inline constexpr size_t kOverflowBytes = 20;
inline constexpr size_t kOverflowData = 24;
inline constexpr size_t kOverflowPayload = kPageBytes - kOverflowData;

}  // namespace turdb::format
