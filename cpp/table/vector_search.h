// k nearest neighbours of a query in a vector column of one transaction's view, through an HNSW index or exactly.
//
// A filter is a bitmap over vector slots (see VectorSlotColumn). With an index the search runs in the graph and
// exactly over the tail (vectors committed but not yet absorbed), and picks by the filter's count between an exact
// scan of the survivors and a filtered traversal; k rows come back whenever k match.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "catalog/definitions.h"
#include "txn/store.h"

namespace turdb::table {

class SlotBitmap {
 public:
  explicit SlotBitmap(uint32_t slots = 0) : words_((size_t{slots} + 63) / 64) {}
  void Set(uint32_t slot) {
    if (size_t{slot} / 64 >= words_.size()) words_.resize(slot / 64 + 1);
    words_[slot / 64] |= uint64_t{1} << (slot % 64);
  }
  bool Test(uint32_t slot) const {
    return size_t{slot} / 64 < words_.size() && ((words_[slot / 64] >> (slot % 64)) & 1);
  }
  uint64_t Count() const;
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  std::vector<uint64_t> words_;
};

enum class SearchMethod : uint8_t { kExact, kExactSurvivors, kGraph, kFilteredGraph };
std::string_view SearchMethodName(SearchMethod method);  // for EXPLAIN ANALYZE

struct VectorHit {
  int64_t rowid;
  float distance;  // l2: the root; cosine: 1 - cos; inner product: negated
};
struct SearchCounters {
  SearchMethod method = SearchMethod::kExact;
  uint64_t visited = 0, computed = 0, reranked = 0, tail = 0;
};

struct VectorQuery {
  int column = 0;
  catalog::Metric metric = catalog::Metric::kCosine;
  const catalog::IndexDef* index = nullptr;  // nullptr: exact
  uint32_t k = 10;
  uint32_t ef = 0;                           // 0: PRAGMA hnsw_ef_search's default, 64
  const SlotBitmap* filter = nullptr;        // nullptr: every row
};

// Keeps scratch space and views, so repeated queries allocate nothing. Not thread-safe.
class VectorSearcher {
 public:
  virtual ~VectorSearcher() = default;
  // Hits nearest first, at most k. `query` has the column's dimensions (kDimension) and no NaN (kBadValue).
  virtual absl::Status Search(absl::Span<const float> query, std::vector<VectorHit>* hits, SearchCounters* counters) = 0;
  // All rows within `radius` (distance < or <= radius), nearest first.
  virtual absl::Status SearchRadius(absl::Span<const float> query, float radius, bool is_inclusive,
                                    std::vector<VectorHit>* hits, SearchCounters* counters) = 0;
};
absl::StatusOr<std::unique_ptr<VectorSearcher>> NewVectorSearcher(txn::Transaction* txn, const catalog::TableDef& table,
                                                                  const VectorQuery& query);

}  // namespace turdb::table
