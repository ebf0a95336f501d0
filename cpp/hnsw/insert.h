// Insertion: the tail of a vector file becomes part of the graph; and the marks that deletion leaves.
//
// Everything is written through a transaction's FileWriter, so readers see the graph before or after. The
// slots absorbed are always [0, node_count); free ones among them are skipped for good.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hnsw/meta.h"
#include "hnsw/vectors.h"
#include "pager/file_writer.h"

namespace turdb::hnsw {

// Absorbs slots [node_count, min(end_slot, vectors.slot_count())) and returns how many slots those were. The first
// vectors of an empty graph also train its code. Cancelling through `progress` leaves pages changed: roll back.
absl::StatusOr<uint32_t> Absorb(const VectorSource& vectors, uint32_t end_slot, int threads, const Progress& progress,
                                pager::FileWriter* writer);

// The node is passed through from now on but never returned, until vacuum drops it. Nothing to do for a slot in the
// tail, free or already marked.
absl::Status MarkDeleted(NodeId slot, pager::FileWriter* writer);

// Empties the graph: slot 0 is the next to be absorbed. Keeps the file's pages for that.
absl::Status Clear(pager::FileWriter* writer);

}  // namespace turdb::hnsw
