// Memory for page versions: a page of bytes followed by 64 bytes for its PageVersion, 64-byte aligned.
// A bounded number of freed pieces is kept for reuse. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/page.h"

namespace turdb::pager {

inline constexpr size_t kPageMemoryBytes = format::kPageBytes + 64;

uint8_t* AllocatePageMemory();
void FreePageMemory(uint8_t* memory);

}  // namespace turdb::pager
