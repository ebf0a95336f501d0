// CRC-32C (Castagnoli), the checksum of every page and log record.
//
// Uses the CPU's instruction where it has one (SSE4.2, ARMv8), three streams at a time, and tables elsewhere; all
// give the same values. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

namespace turdb {

// The checksum of `bytes` continued from `crc`, the checksum of what came before (0 at the beginning):
// Crc32c(Crc32c(0, a), b) is the checksum of a followed by b. Crc32c(0, "123456789") is 0xe3069283.
uint32_t Crc32c(uint32_t crc, const void* bytes, size_t length);

// The portable one, for tests and comparison.
uint32_t Crc32cByTable(uint32_t crc, const void* bytes, size_t length);

}  // namespace turdb
