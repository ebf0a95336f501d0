// Memory for page versions: a page of bytes followed by 64 bytes for its PageVersion, 64-byte aligned. Under AddressSanitizer
// there are bytes between them that nobody may touch.
// A bounded number of freed pieces is kept for reuse. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/poison.h"
#include "format/page.h"

namespace turdb::pager {

inline constexpr size_t kPageMemoryVersion = format::kPageBytes + (kIsAddressSanitized ? 64 : 0);  // where the version lies
inline constexpr size_t kPageMemoryBytes = kPageMemoryVersion + 64;

uint8_t* AllocatePageMemory();
void FreePageMemory(uint8_t* memory);

}  // namespace turdb::pager
