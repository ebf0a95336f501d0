// Rows as a block of bytes and back, column by column: what operators write to temporary files.
//
//   header   u32 rows, u32 columns
//   columns  for each: u8 encoding, u8 storage class, u8 has_nulls, 5 bytes 0; then its values, padded to 8 bytes:
//     kInt64, kDouble  [validity: a bit a row, when has_nulls] 8 bytes a row
//     kBytes           u32 length a row (kNullLength: NULL), then the bytes; all of one storage class without subtype
//     kCells           16 bytes a row as in memory, with the offset of the bytes in place of their address; then the bytes
//     kConstant        one cell as in kCells, for all rows
// Blocks live no longer than the process, so the layout may change freely. Decoding checks every length and offset.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "types/column_vector.h"

namespace turdb::sql {

// Bytes that rows [first, first + count) take, about.
uint64_t RowBlockBytes(const ColumnVector* columns, size_t width, uint32_t first, uint32_t count);
// Replaces *out.
void EncodeRowBlock(const ColumnVector* columns, size_t width, uint32_t first, uint32_t count, std::string* out);
// Cells of the batch point into `bytes`, which is changed and must be 8-byte aligned. kCorruption.
absl::Status DecodeRowBlock(char* bytes, size_t length, size_t width, ColumnBatch* batch);

}  // namespace turdb::sql
