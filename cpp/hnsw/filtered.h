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
// used, when more than `budget` keys were computed. Fetches ahead as SearchLevel does.
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
  // Takes the nearest of the frontier, if it can still lead somewhere, and begins to fetch its neighbours.
  const auto take = [&](NeighbourBatch* batch) {
    if (frontier.empty() || (pool.is_full() && frontier.front().key > pool.worst())) return false;
    const uint32_t id = frontier.front().id;
    std::pop_heap(frontier.begin(), frontier.end(), IsFarther);
    frontier.pop_back();
    Gather(graph, id, 0, scratch, batch);
    return true;
  };
  pool.Reset(ef);
  frontier.clear();
  scratch->visited.Reset(graph.node_count());
  scratch->visited.Add(at.id);
  if (const uint8_t* node = graph.Node(at.id)) keep(at.id, node, at.key);
  frontier.push_back(at);
  NeighbourBatch* current = &scratch->batches[0];
  NeighbourBatch* next = &scratch->batches[1];
  for (bool has_current = take(current); has_current;) {
    if (scratch->computed_count > limit) return false;
    bool has_next = take(next);
    ComputeKeys(kernels, query, scratch, current);
    for (uint32_t i = 0; i < current->count; ++i) {
      const float key = current->keys[i];
      if (pool.is_full() && !(key < pool.worst())) continue;
      frontier.push_back({key, current->ids[i]});
      std::push_heap(frontier.begin(), frontier.end(), IsFarther);
      keep(current->ids[i], current->nodes[i], key);
    }
    if (!has_next) has_next = take(next);
    std::swap(current, next);
    has_current = has_next;
  }
  return true;
}

// The `keep` nearest of all alive nodes that match. One batch of codes is fetched while the keys of the one before are
// computed.
template <class Pages>
void ScanCodes(const Graph<Pages>& graph, const vec::Sq8Query& query, const Filter& filter, uint32_t keep,
               SearchScratch* scratch) {
  constexpr uint32_t kAtOnce = 32;  // at 1,024 bytes each a small part of L2
  const vec::Kernels& kernels = vec::ActiveKernels();
  NeighbourBatch* filling = &scratch->batches[0];
  NeighbourBatch* fetched = &scratch->batches[1];
  const auto compute = [&](NeighbourBatch* batch) {
    ComputeKeys(kernels, query, scratch, batch);
    for (uint32_t i = 0; i < batch->count; ++i) {
      // The key's line is in L1 now, so the flags are looked at here.
      if (graph.IsAlive(batch->nodes[i])) scratch->pool.Insert(batch->keys[i], batch->ids[i]);
    }
    batch->count = 0;
  };
  scratch->pool.Reset(keep);
  filling->count = fetched->count = 0;
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
      PrefetchCode(graph, node);
      filling->ids[filling->count] = id;
      filling->nodes[filling->count++] = node;
      if (filling->count == kAtOnce) {
        compute(fetched);
        std::swap(filling, fetched);
      }
    }
  }
  compute(fetched);
  compute(filling);
}

}  // namespace turdb::hnsw
