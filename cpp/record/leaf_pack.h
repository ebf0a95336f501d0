// Packs: values of a row that lie together in a leaf's heap, with one offset for all of them.
//
// An entry of its own costs a value two bytes of offset; packed with others of its row it shares that,
// and is reached by walking over those before it. Rows of many short texts are a quarter smaller so. Values that recur are
// better off outside, where equal ones share an entry; integers and reals have no offsets. Which columns are packed is chosen
// whenever a leaf is laid out, by a sample of its rows. Any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "record/leaf_heap.h"
#include "record/row_leaf_build.h"

namespace turdb::record {

// Which columns of the rows are best packed: none, or so many that it is worth it. `encodings`: what they have unpacked.
std::vector<bool> ChoosePacked(absl::Span<const RowRun> runs, absl::Span<const format::LeafEncoding> encodings);
// The packed columns, pack by pack.
std::vector<std::vector<uint32_t>> PacksOf(const std::vector<bool>& is_packed);
// Whether a new layout of the same rows would pack other columns than are packed: then it may make room.
bool WouldRepack(const RowLeaf& leaf);

// Writes one pack of each row to the heap and the offsets (u16 each) to `offsets`; notes in `overflows`, by column, where a
// value is in an overflow chain.
BuildResult WritePacks(absl::Span<const RowRun> runs, absl::Span<const uint32_t> columns, LeafHeap* heap, uint8_t* offsets,
                       std::vector<bool>* overflows);

}  // namespace turdb::record
