// Vacuum: deleted nodes leave the graph for good.
//
// As in FreshDiskANN (arXiv 2105.09613): a node with links to deleted ones gets, in their place, what those
// linked to, and its list is chosen anew. Lists are computed in parallel and written by one thread, through a
// transaction's FileWriter.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hnsw/meta.h"
#include "pager/file_writer.h"

namespace turdb::hnsw {

// Returns how many nodes were dropped. Cancelling through `progress` leaves pages changed: roll back.
absl::StatusOr<uint32_t> Vacuum(int threads, const Progress& progress, pager::FileWriter* writer);

}  // namespace turdb::hnsw
