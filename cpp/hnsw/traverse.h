// The loops over the graph that search, insertion and repair share: gather the unvisited neighbours of a
// node, compute their keys in one call, keep the nearest (Malkov & Yashunin 2016, algorithms 2 and 5).
//
// Templates over the kind of pages; nothing here locks, allocates (once the scratch has grown) or calls
// through a vtable. A link out of range is skipped, a page that cannot be read sets hit_damage.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "hnsw/graph.h"
#include "hnsw/scratch.h"
#include "vec/kernels.h"
#include "vec/sq8.h"

namespace turdb::hnsw {

struct Entry {
  uint32_t node = format::kNoNode;
  uint32_t top_level = 0;
};

template <class Pages>
float KeyOf(const Graph<Pages>& graph, const vec::Sq8Query& query, uint32_t id, SearchScratch* scratch) {
  const uint8_t* node = id < graph.node_count() ? graph.Node(id) : nullptr;
  if (node == nullptr) {
    scratch->hit_damage = true;
    return std::numeric_limits<float>::infinity();
  }
  float key;
  vec::ActiveKernels().sq8_keys(query, &node, 1, &key);
  ++scratch->computed_count;
  return key;
}

// Collects the neighbours of `id` not visited before into scratch->ids and ->nodes and computes
// scratch->keys. Returns how many.
template <class Pages>
uint32_t ExpandNode(const Graph<Pages>& graph, const vec::Kernels& kernels, const vec::Sq8Query& query, uint32_t id,
                    uint32_t level, SearchScratch* scratch) {
  const uint8_t* node = graph.Node(id);
  if (ABSL_PREDICT_FALSE(node == nullptr)) {
    scratch->hit_damage = true;
    return 0;
  }
  const Links links = graph.LinksOf(id, node, level);
  uint32_t n = 0;
  for (uint32_t i = 0; i < links.count; ++i) {
    const uint32_t neighbour = links[i];
    if (ABSL_PREDICT_FALSE(neighbour >= graph.node_count())) continue;
    if (!scratch->visited.Add(neighbour)) continue;
    const uint8_t* at = graph.Node(neighbour);
    if (ABSL_PREDICT_FALSE(at == nullptr)) {
      scratch->hit_damage = true;
      continue;
    }
    __builtin_prefetch(at);
    scratch->ids[n] = neighbour;
    scratch->nodes[n++] = at;
  }
  kernels.sq8_keys(query, scratch->nodes.data(), n, scratch->keys.data());
  scratch->computed_count += n;
  ++scratch->visited_count;
  return n;
}

// The node of `level` nearest to the query that greedy steps from `from` reach.
template <class Pages>
Candidate GreedyStep(const Graph<Pages>& graph, const vec::Sq8Query& query, Candidate from, uint32_t level,
                     SearchScratch* scratch) {
  const vec::Kernels& kernels = vec::ActiveKernels();
  for (bool is_moving = true; is_moving;) {
    is_moving = false;
    const uint32_t n = ExpandNode(graph, kernels, query, from.id, level, scratch);
    for (uint32_t i = 0; i < n; ++i) {
      if (scratch->keys[i] < from.key) {
        from = {scratch->keys[i], scratch->ids[i]};
        is_moving = true;
      }
    }
  }
  return from;
}

// From the entry down to above `level`. REQUIRES entry.node != kNoNode; the visited set is used and left dirty.
template <class Pages>
Candidate Descend(const Graph<Pages>& graph, const vec::Sq8Query& query, Entry entry, uint32_t level,
                  SearchScratch* scratch) {
  Candidate at{KeyOf(graph, query, entry.node, scratch), entry.node};
  for (uint32_t l = entry.top_level; l > level; --l) {
    scratch->visited.Reset(graph.node_count());
    at = GreedyStep(graph, query, at, l, scratch);
  }
  return at;
}

// Fills scratch->pool, whose capacity is ef, with the nearest nodes of `level` found from what is in the
// pool already (all of them count as visited).
template <class Pages>
void SearchLevel(const Graph<Pages>& graph, const vec::Sq8Query& query, uint32_t level, SearchScratch* scratch) {
  const vec::Kernels& kernels = vec::ActiveKernels();
  CandidatePool& pool = scratch->pool;
  const uint32_t header_line = graph.layout().padded_dim();
  uint32_t id;
  while (pool.Next(&id)) {
    const uint32_t n = ExpandNode(graph, kernels, query, id, level, scratch);
    for (uint32_t i = 0; i < n; ++i) {
      if (!pool.Insert(scratch->keys[i], scratch->ids[i])) continue;
      // It will probably be expanded: the rest of its links.
      __builtin_prefetch(scratch->nodes[i] + header_line + 64);
      __builtin_prefetch(scratch->nodes[i] + header_line + 128);
    }
  }
}

}  // namespace turdb::hnsw
