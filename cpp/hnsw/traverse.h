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

// What of a long code is fetched ahead; the hardware follows from there.
inline constexpr uint32_t kPrefetchBytes = 1024;

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

// Begins to fetch what a key is computed from. Into L2: it has twice the misses in flight that L1 has, and those are
// what bounds a search (measured: 38 us a query against 55 with L1 as the goal).
template <class Pages>
void PrefetchCode(const Graph<Pages>& graph, const uint8_t* node) {
  const uint32_t bytes = graph.layout().padded_dim() + static_cast<uint32_t>(sizeof(vec::Sq8Terms));
  const uint32_t reach = std::min(bytes, kPrefetchBytes);
  for (uint32_t line = 0; line < reach; line += 64) __builtin_prefetch(node + line, 0, 2);
}

// Collects the neighbours of `id` not visited before into `batch` and begins to fetch their codes.
template <class Pages>
void Gather(const Graph<Pages>& graph, uint32_t id, uint32_t level, SearchScratch* scratch, NeighbourBatch* batch) {
  batch->count = 0;
  const uint8_t* node = graph.Node(id);
  if (ABSL_PREDICT_FALSE(node == nullptr)) {
    scratch->hit_damage = true;
    return;
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
    PrefetchCode(graph, at);
    batch->ids[n] = neighbour;
    batch->nodes[n++] = at;
  }
  batch->count = n;
  ++scratch->visited_count;
}

inline void ComputeKeys(const vec::Kernels& kernels, const vec::Sq8Query& query, SearchScratch* scratch,
                        NeighbourBatch* batch) {
  kernels.sq8_keys(query, batch->nodes.data(), batch->count, batch->keys.data());
  scratch->computed_count += batch->count;
}

// The node of `level` nearest to the query that greedy steps from `from` reach.
template <class Pages>
Candidate GreedyStep(const Graph<Pages>& graph, const vec::Sq8Query& query, Candidate from, uint32_t level,
                     SearchScratch* scratch) {
  const vec::Kernels& kernels = vec::ActiveKernels();
  for (bool is_moving = true; is_moving;) {
    is_moving = false;
    NeighbourBatch& batch = scratch->batches[0];
    Gather(graph, from.id, level, scratch, &batch);
    ComputeKeys(kernels, query, scratch, &batch);
    for (uint32_t i = 0; i < batch.count; ++i) {
      if (batch.keys[i] < from.key) {
        from = {batch.keys[i], batch.ids[i]};
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
// The neighbours of the next node to expand are fetched while the keys of the last one's are computed,
// so that memory is never idle. That node is chosen before those keys are known; it is nearly always
// expanded anyway, a little sooner than in strict order.
template <class Pages>
void SearchLevel(const Graph<Pages>& graph, const vec::Sq8Query& query, uint32_t level, SearchScratch* scratch) {
  const vec::Kernels& kernels = vec::ActiveKernels();
  CandidatePool& pool = scratch->pool;
  const uint32_t links_line = graph.layout().padded_dim();
  NeighbourBatch* current = &scratch->batches[0];
  NeighbourBatch* next = &scratch->batches[1];
  uint32_t id;
  if (!pool.Next(&id)) return;
  Gather(graph, id, level, scratch, current);
  for (bool has_current = true; has_current;) {
    bool has_next = pool.Next(&id);
    if (has_next) Gather(graph, id, level, scratch, next);
    ComputeKeys(kernels, query, scratch, current);
    for (uint32_t i = 0; i < current->count; ++i) {
      if (!pool.Insert(current->keys[i], current->ids[i])) continue;
      // It will probably be expanded: the rest of its links.
      __builtin_prefetch(current->nodes[i] + links_line + 64);
      __builtin_prefetch(current->nodes[i] + links_line + 128);
    }
    if (!has_next && pool.Next(&id)) {
      Gather(graph, id, level, scratch, next);
      has_next = true;
    }
    std::swap(current, next);
    has_current = has_next;
  }
}

}  // namespace turdb::hnsw
