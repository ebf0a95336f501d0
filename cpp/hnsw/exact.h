// Exact search: the k nearest by the true float distance, by looking at every vector.
//
// The same hits as a search of the graph gives, with recall 1: the ground truth, the search of a column
// without an index, and of the tail. Takes every metric. Thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "hnsw/search.h"

namespace turdb::hnsw {

struct ExactRequest {
  uint32_t k = 10;
  Filter filter;
  uint32_t first_slot = 0;
  uint32_t end_slot = std::numeric_limits<uint32_t>::max();  // cut to the source's slots
  int threads = 1;  // used when there is enough to read
  // Only distances below it, or equal to it when is_inclusive. Needs no k: give the largest.
  float radius = std::numeric_limits<float>::infinity();
  bool is_inclusive = true;
};

// Replaces *hits, nearest first; free slots are skipped. Adds to counters->tail. kCorruption.
absl::Status ExactSearch(const VectorSource& vectors, vec::Metric metric, const float* query,
                         const ExactRequest& request, std::vector<Hit>* hits, SearchCounters* counters);

}  // namespace turdb::hnsw
