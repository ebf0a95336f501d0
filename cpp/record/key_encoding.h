// Key encoding: cells -> bytes whose memcmp order is SQLite's order, with type prefixes (docs/format/key.md).
//
// NULL first, then numbers (integers and reals interleaved by exact value, infinities ordered), text under its
// collation, blob, vector; DESC by complement. Type prefixes leave room for the types to come. Decodable: the payload
// of an index entry keeps what the key alone cannot give back (real vs integer of equal value, text under NOCASE/RTRIM).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/arena.h"
#include "base/strong_id.h"
#include "types/cell.h"

namespace turdb::record {

struct KeyColumn {
  Collation collation = Collation::kBinary;
  bool is_descending = false;
};

// Appends the encoding of one cell. Encodings are prefix-free, so columns concatenate.
void AppendKey(std::string* key, const Cell& cell, KeyColumn column);
void AppendRowId(std::string* key, RowId rowid);  // the last part of an index key; 9 bytes or fewer, ordered
// Reads one encoded cell and moves `key` past it. Text of a case-folding collation comes back folded.
absl::StatusOr<Cell> DecodeKey(std::string_view* key, KeyColumn column, Arena* arena);
absl::StatusOr<RowId> DecodeRowId(std::string_view* key);
// The smallest key greater than every key that begins with `prefix`; empty when there is none.
std::string AfterPrefix(std::string_view prefix);

}  // namespace turdb::record
