// The two ways to find by code what a filter leaves: a traversal that passes through everything and keeps
// what matches, and a scan of the survivors' codes. Both leave the nearest in scratch->pool.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hnsw/search.h"
#include "hnsw/traverse.h"

namespace turdb::hnsw {

inline bool IsFarther(const Candidate& a, const Candidate& b) { return a.key > b.key; }

// Best-first from `at`, keeping the ef nearest alive nodes that match. False, and the pool not to be
// used, when more than `budget` keys were computed.
template <class Pages>
bool SearchFiltered(const Graph<Pages>& graph, const vec::Sq8Query& query, Candidate at, const Filter& filter,
                    uint32_t ef, uint64_t budget, SearchScratch* scratch) {
  const vec::Kernels& kernels = vec::ActiveKernels();
  CandidatePool& pool = scratch->pool;
  std::vector<Candidate>& frontier = scratch->frontier;
  const uint64_t limit = scratch->computed_count + budget;
  const auto keep = [&](uint32_t id, const uint8_t* node, float key) {
    if (filter.Matches(id) && graph.IsAlive(node)) pool.Insert(key, id);
  };
  pool.Reset(ef);
  frontier.clear();
  scratch->visited.Reset(graph.node_count());
  scratch->visited.Add(at.id);
  if (const uint8_t* node = graph.Node(at.id)) keep(at.id, node, at.key);
  frontier.push_back(at);
  while (!frontier.empty()) {
    const Candidate nearest = frontier.front();
    if (pool.is_full() && nearest.key > pool.worst()) break;
    if (scratch->computed_count > limit) return false;
    std::pop_heap(frontier.begin(), frontier.end(), IsFarther);
    frontier.pop_back();
    NeighbourBatch& batch = scratch->batches[0];
    Gather(graph, nearest.id, 0, scratch, &batch);
    ComputeKeys(kernels, query, scratch, &batch);
    for (uint32_t i = 0; i < batch.count; ++i) {
      const float key = batch.keys[i];
      if (pool.is_full() && !(key < pool.worst())) continue;
      frontier.push_back({key, batch.ids[i]});
      std::push_heap(frontier.begin(), frontier.end(), IsFarther);
      keep(batch.ids[i], batch.nodes[i], key);
    }
  }
  return true;
}

// The `keep` nearest of all alive nodes that match.
template <class Pages>
void ScanCodes(const Graph<Pages>& graph, const vec::Sq8Query& query, const Filter& filter, uint32_t keep,
               SearchScratch* scratch) {
  const vec::Kernels& kernels = vec::ActiveKernels();
  NeighbourBatch& batch = scratch->batches[0];
  const auto at_once = static_cast<uint32_t>(batch.nodes.size());
  uint32_t n = 0;
  const auto flush = [&] {
    batch.count = n;
    ComputeKeys(kernels, query, scratch, &batch);
    for (uint32_t i = 0; i < n; ++i) {
      // The key's line is in L1 now, so the flags are looked at here.
      if (graph.IsAlive(batch.nodes[i])) scratch->pool.Insert(batch.keys[i], batch.ids[i]);
    }
    n = 0;
  };
  scratch->pool.Reset(keep);
  const uint32_t words = (graph.node_count() + 63) / 64;
  for (uint32_t w = 0; w < words && (filter.words == nullptr || w < filter.word_count); ++w) {
    uint64_t bits = filter.words == nullptr ? ~uint64_t{0} : filter.words[w];
    for (; bits != 0; bits &= bits - 1) {
      const uint32_t id = w * 64 + static_cast<uint32_t>(__builtin_ctzll(bits));
      if (id >= graph.node_count()) break;
      const uint8_t* node = graph.Node(id);
      if (ABSL_PREDICT_FALSE(node == nullptr)) {
        scratch->hit_damage = true;
        continue;
      }
      batch.ids[n] = id;
      batch.nodes[n] = node;
      if (++n == at_once) flush();
    }
  }
  flush();
}

}  // namespace turdb::hnsw
