// Search: the k nearest vectors of a query, through the graph, the codes or the floats.
//
// A Searcher shows one state of an index and its vectors. It picks by what the filter leaves:
//   graph           no filter and nothing deleted: best-first over the codes
//   filtered graph  nodes that do not match (or are deleted) are passed through, do not count in ef and are not
//                   returned; given up for the code scan once it has cost as much as that would
//   code scan       few survivors: the keys of all of their codes
//   exact           k so large that most vectors are in the answer
// Whatever picked them, the nearest by code (as many more than k as the codes' error asks for) are then ordered by the true float distance, and
// vectors past the absorbed ones (the tail) are scanned exactly and merged. k hits come back whenever k match.
// Distances are those users see (vec::DistanceOfKey). Equal distances order by slot.
// Thread-safe: any number of threads may search, each with its own scratch.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hnsw/graph.h"
#include "hnsw/meta.h"
#include "hnsw/scratch.h"
#include "hnsw/vectors.h"
#include "pager/file_view.h"
#include "vec/sq8.h"

namespace turdb::hnsw {

enum class Method : uint8_t { kExact, kCodeScan, kGraph, kFilteredGraph };
std::string_view MethodName(Method method);  // "exact", "code scan", "graph", "filtered graph"

// A bit a slot: bit s % 64 of words[s / 64]; slots past the words do not match.
struct Filter {
  static constexpr uint64_t kUncounted = ~uint64_t{0};
  const uint64_t* words = nullptr;  // nullptr: everything matches
  size_t word_count = 0;
  uint64_t match_count = kUncounted;  // set bits, if the caller knows

  bool Matches(uint32_t slot) const {
    return words == nullptr || (slot / 64 < word_count && (words[slot / 64] >> (slot % 64) & 1) != 0);
  }
};

struct SearchRequest {
  uint32_t k = 10;
  uint32_t ef = 64;  // raised to k
  Filter filter;
  bool has_tail = true;  // whether slots past the absorbed ones are searched too
};

struct Hit {
  float distance;
  NodeId slot;
  RowId rowid;
};

struct SearchCounters {
  Method method = Method::kExact;
  uint64_t visited = 0;   // nodes whose links were followed
  uint64_t computed = 0;  // distances by code
  uint64_t reranked = 0;  // distances by floats, in the graph's part
  uint64_t tail = 0;      // distances by floats, in the tail or of an exact scan
};

class Searcher {
 public:
  // `view` and what `vectors` points to must outlive the searcher. kCorruption for a damaged file.
  static absl::StatusOr<std::unique_ptr<Searcher>> Open(const pager::FileView* view, const VectorSource& vectors);
  // Over the pages of a build in memory.
  Searcher(const GraphMeta& meta, vec::Sq8Codec codec, const uint8_t* image, const VectorSource& vectors);

  const GraphMeta& meta() const { return meta_; }
  const VectorSource& vectors() const { return vectors_; }

  // `query` has the index's dimensions and only finite values. Hits are nearest first.
  absl::Status Search(const float* query, const SearchRequest& request, SearchScratch* scratch, std::vector<Hit>* hits,
                      SearchCounters* counters) const;
  // Many queries, `query_stride` floats apart, by `threads` threads. hits[i * k + j] is the jth hit of query i; where
  // fewer than k match, slot is kNoNode, the distance infinity and the row id kFreeSlotRowId.
  absl::Status SearchMany(const float* queries, size_t query_stride, uint32_t count, const SearchRequest& request,
                          int threads, Hit* hits, SearchCounters* counters) const;

 private:
  Searcher(const GraphMeta& meta, vec::Sq8Codec codec, const VectorSource& vectors)
      : meta_(meta), codec_(std::move(codec)), layout_(meta.options.dim, meta.options.m), vectors_(vectors) {}

  template <class Pages>
  Method FindByCode(const Graph<Pages>& graph, const vec::Sq8Query& query, const SearchRequest& request,
                    uint64_t match_count, SearchScratch* scratch) const;
  absl::Status FloatKeys(const float* query, uint32_t first, uint32_t n, SearchScratch* scratch, float* keys) const;
  void FinishHits(uint32_t k, std::vector<Hit>* hits) const;
  absl::Status Rerank(const float* query, uint32_t k, SearchScratch* scratch, std::vector<Hit>* hits,
                      SearchCounters* counters) const;
  absl::Status DamageError() const;

  GraphMeta meta_;
  vec::Sq8Codec codec_;
  format::HnswLayout layout_;
  VectorSource vectors_;
  const pager::FileView* view_ = nullptr;
  bool is_flat_ = true;
  FlatPages flat_;
  std::unique_ptr<PagePointers> pointers_;
};

// How many of the filter's bits below `slot_count` are set.
uint64_t CountMatches(const Filter& filter, uint32_t slot_count);

// The nearest first, equal ones by slot; keeps k.
void KeepNearest(uint32_t k, std::vector<Hit>* hits);

}  // namespace turdb::hnsw
