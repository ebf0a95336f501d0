// Reachability: every node of the graph can be reached from the entry over level 0.
//
// Choosing links by the heuristic can leave a node without any link to it; no search would ever return
// it. The repair walks the graph and gives each island a link from a reachable node close to it.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "hnsw/linker.h"

namespace turdb::hnsw {

// Present nodes that are not reachable, ascending.
template <class Pages>
std::vector<uint32_t> FindUnreachable(const Graph<Pages>& graph, Entry entry);

// Links islands in, changing as few lists as it can. *left: nodes that stayed unreachable.
template <class Pages>
absl::Status EnsureReachable(const Graph<Pages>& graph, Linker<Pages>* linker, PageEdit* edit, uint32_t* left);

}  // namespace turdb::hnsw
