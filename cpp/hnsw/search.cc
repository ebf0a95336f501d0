#include "hnsw/search.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"
#include "hnsw/exact.h"
#include "hnsw/filtered.h"
#include "hnsw/traverse.h"
#include "hnsw/workers.h"

namespace turdb::hnsw {

namespace {

// A file up to this size is checked whole when it is first searched, after which a page is found by a
// multiplication alone; a larger one is checked page by page as they are read.
constexpr uint32_t kEagerlyVerifiedPages = 16384;  // 256 MiB

// Keys that a search computes for each node it passes, and what a key costs in a scan, which knows beforehand what it
// will read, next to one in the graph. Measured on the Debian set.
constexpr double kKeysPerKept = 18;
constexpr double kScanKeyCost = 0.5;

// How many matching nodes a filtered search keeps. To find the k nearest that match it has to see the k / share nearest of
// all. Recall depends on how many times k a search keeps, and the larger that number is, the smaller may the factor be:
// with the fourth root of the share, recall stays what it is without a filter (measured: 0.995 to 0.998 for shares from
// 0.15 to 0.9, 0.996 without; with the root it falls to 0.990, with all of ef it costs up to 1.6 times as many keys).
uint32_t FilteredEf(uint32_t ef, uint32_t k, double share) {
  return k + static_cast<uint32_t>(std::ceil((ef - k) * std::sqrt(std::sqrt(std::min(share, 1.0)))));
}

// Floats looked at before the error of the codes is known, and the most that a code scan keeps for more.
uint32_t FirstRerank(uint32_t k) { return k + std::max(k / 8, 6u); }
uint32_t MostReranked(uint32_t k) { return 4 * k + 64; }

// Keys by code of cosine and inner product are twice those by floats (vec/sq8.h).
float CodeKeysPerKey(vec::Metric metric) { return metric == vec::Metric::kL2 ? 1.0f : 2.0f; }

constexpr uint32_t kRerankAtOnce = 64;
constexpr uint32_t kRerankStep = 8;

bool IsNearerHit(const Hit& a, const Hit& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.slot < b.slot);
}

}  // namespace

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kExact: return "exact";
    case Method::kCodeScan: return "code scan";
    case Method::kGraph: return "graph";
    case Method::kFilteredGraph: return "filtered graph";
  }
  return "unknown";
}

uint64_t CountMatches(const Filter& filter, uint32_t slot_count) {
  if (filter.words == nullptr) return slot_count;
  uint64_t count = 0;
  const size_t full = std::min<size_t>(filter.word_count, slot_count / 64);
  for (size_t i = 0; i < full; ++i) count += static_cast<uint64_t>(__builtin_popcountll(filter.words[i]));
  if (full < filter.word_count && full == slot_count / 64 && slot_count % 64 != 0) {
    const uint64_t rest = (uint64_t{1} << (slot_count % 64)) - 1;
    count += static_cast<uint64_t>(__builtin_popcountll(filter.words[full] & rest));
  }
  return count;
}

void KeepNearest(uint32_t k, std::vector<Hit>* hits) {
  if (hits->size() > k) {
    std::nth_element(hits->begin(), hits->begin() + k, hits->end(), IsNearerHit);
    hits->resize(k);
  }
  std::sort(hits->begin(), hits->end(), IsNearerHit);
}

Searcher::Searcher(const GraphMeta& meta, vec::Sq8Codec codec, const uint8_t* image, const VectorSource& vectors)
    : Searcher(meta, std::move(codec), vectors) {
  flat_.base = image;
}

absl::StatusOr<std::unique_ptr<Searcher>> Searcher::Open(const pager::FileView* view, const VectorSource& vectors) {
  TURDB_ASSIGN_OR_RETURN(const GraphMeta meta, ReadMeta(*view));
  TURDB_ASSIGN_OR_RETURN(vec::Sq8Codec codec, ReadCodec(*view, meta));
  if (vectors.dim() != meta.options.dim) {
    return CorruptionError("vector index '", view->path(), "' has ", meta.options.dim, " dimensions, its column ",
                           vectors.dim());
  }
  if (meta.node_count > vectors.slot_count()) {
    return CorruptionError("vector index '", view->path(), "' has ", meta.node_count, " nodes for ",
                           vectors.slot_count(), " vectors");
  }
  std::unique_ptr<Searcher> searcher(new Searcher(meta, std::move(codec), vectors));
  searcher->view_ = view;
  const uint32_t pages = view->page_count();
  searcher->is_flat_ = view->IsFlat() && pages <= kEagerlyVerifiedPages;
  if (searcher->is_flat_) {
    TURDB_RETURN_IF_ERROR(view->Verify(PageId(0), pages));
    searcher->flat_.base = view->mapped_base();
  } else {
    searcher->pointers_ = std::make_unique<PagePointers>(view, pages);
  }
  return searcher;
}

template <class Pages>
Method Searcher::FindByCode(const Graph<Pages>& graph, const vec::Sq8Query& query, const SearchRequest& request,
                            uint64_t match_count, SearchScratch* scratch) const {
  const uint32_t ef = std::max(request.ef, request.k);
  const bool is_plain = request.filter.words == nullptr && meta_.deleted_count == 0;
  const double share = static_cast<double>(match_count) / meta_.present_count;
  const double graph_keys = kKeysPerKept * FilteredEf(ef, request.k, share) / share;
  if (request.filter.words == nullptr || kScanKeyCost * static_cast<double>(match_count) > graph_keys) {
    const Candidate at = Descend(graph, query, meta_.entry, 0, scratch);
    bool is_done = true;
    if (is_plain) {
      scratch->pool.Reset(ef);
      scratch->visited.Reset(graph.node_count());
      scratch->visited.Add(at.id);
      scratch->pool.Insert(at.key, at.id);
      SearchLevel(graph, query, 0, scratch);
    } else {
      is_done = SearchFiltered(graph, query, at, request.filter, FilteredEf(ef, request.k, share), match_count, scratch);
    }
    // Fewer than could be had: part of the graph was out of reach.
    if (is_done && scratch->pool.size() >= std::min<uint64_t>(request.k, match_count)) {
      return is_plain ? Method::kGraph : Method::kFilteredGraph;
    }
  }
  ScanCodes(graph, query, request.filter, MostReranked(request.k), scratch);
  return Method::kCodeScan;
}

// Computes the floats' keys of pool entries [first, first + n) into `keys`.
absl::Status Searcher::FloatKeys(const float* query, uint32_t first, uint32_t n, SearchScratch* scratch, float* keys) const {
  const vec::Kernels& kernels = vec::ActiveKernels();
  const int metric = static_cast<int>(meta_.options.metric);
  const float* pointers[kRerankAtOnce];
  for (uint32_t i = 0; i < n; ++i) {
    const NodeId slot(scratch->pool.id(first + i));
    pointers[i] = vectors_.Read(slot, scratch->floats.data());
    if (pointers[i] == nullptr) return vectors_.Damage(slot);
    // A gathered vector lives in the scratch until the next one.
    if (!vectors_.is_dense()) keys[i] = kernels.distance[metric](query, pointers[i], vectors_.dim());
  }
  if (vectors_.is_dense()) kernels.gather[metric](query, pointers, n, vectors_.dim(), keys);
  return absl::OkStatus();
}

// Orders the pool's nearest by floats. How far down the pool it looks follows from how far off the codes of those looked
// at were: it stops where the next one, were it nearer than its code says by twice the worst of those errors, still
// would not be among the k. On the Debian set that is at once, after the first 16 for k = 10.
absl::Status Searcher::Rerank(const float* query, uint32_t k, SearchScratch* scratch, std::vector<Hit>* hits,
                              SearchCounters* counters) const {
  const CandidatePool& pool = scratch->pool;
  const float scale = CodeKeysPerKey(meta_.options.metric);
  const uint32_t most = std::min(pool.size(), std::max(MostReranked(k), k));
  float keys[kRerankAtOnce];
  float largest_error = 0;
  uint32_t step = FirstRerank(k);
  for (uint32_t first = 0; first < most;) {
    const uint32_t n = std::min({kRerankAtOnce, step, most - first});
    TURDB_RETURN_IF_ERROR(FloatKeys(query, first, n, scratch, keys));
    for (uint32_t i = 0; i < n; ++i) {
      const NodeId slot(pool.id(first + i));
      const RowId rowid(vectors_.RowIdOf(slot));
      const float error = std::fabs(pool.key(first + i) - scale * keys[i]);
      if (error > largest_error && std::isfinite(error)) largest_error = error;
      if (rowid != RowId(format::kFreeSlotRowId)) hits->push_back({keys[i], slot, rowid});
    }
    first += n;
    step = first >= FirstRerank(k) ? kRerankStep : FirstRerank(k) - first;
    if (first < FirstRerank(k) || hits->size() < k || first == most) continue;
    std::nth_element(hits->begin(), hits->begin() + (k - 1), hits->end(), IsNearerHit);
    if (pool.key(first) - 2 * largest_error > scale * (*hits)[k - 1].distance) {
      counters->reranked += first;
      FinishHits(k, hits);
      return absl::OkStatus();
    }
  }
  counters->reranked += most;
  FinishHits(k, hits);
  return absl::OkStatus();
}

void Searcher::FinishHits(uint32_t k, std::vector<Hit>* hits) const {
  KeepNearest(k, hits);
  for (Hit& hit : *hits) hit.distance = vec::DistanceOfKey(meta_.options.metric, hit.distance);
}

absl::Status Searcher::DamageError() const {
  if (view_ == nullptr) return InternalError("vector index in memory: a node is out of range");
  for (uint32_t id = 1; id < view_->page_count(); ++id) {
    if (view_->UncountedPage(PageId(id)) == nullptr) return view_->PageError(PageId(id));
  }
  return CorruptionError("vector index '", view_->path(), "': a node is out of range");
}

absl::Status Searcher::Search(const float* query, const SearchRequest& request, SearchScratch* scratch,
                              std::vector<Hit>* hits, SearchCounters* counters) const {
  hits->clear();
  *counters = SearchCounters();
  if (request.k == 0) return absl::OkStatus();
  scratch->Prepare(std::max(2 * layout_.m(), 128u), layout_.dim(), layout_.padded_dim());
  uint64_t match_count = meta_.live_count();
  if (request.filter.words != nullptr) {
    const uint64_t bits = request.filter.match_count != Filter::kUncounted
                              ? request.filter.match_count
                              : CountMatches(request.filter, meta_.node_count);
    match_count = std::min(match_count, bits);
  }
  if (match_count > 0 && uint64_t{request.k} * 4 >= match_count) {
    ExactRequest exact{request.k, request.filter, 0, meta_.node_count};
    TURDB_RETURN_IF_ERROR(ExactSearch(vectors_, meta_.options.metric, query, exact, hits, counters));
  } else if (match_count > 0) {
    const vec::Sq8Query code = codec_.EncodeQuery(query, scratch->query_codes.data(), scratch->floats.data());
    counters->method = is_flat_ ? FindByCode(Graph<FlatPages>(&flat_, layout_, meta_.node_count), code, request,
                                             match_count, scratch)
                                : FindByCode(Graph<PagePointers>(pointers_.get(), layout_, meta_.node_count), code,
                                             request, match_count, scratch);
    if (scratch->hit_damage) return DamageError();
    TURDB_RETURN_IF_ERROR(Rerank(query, request.k, scratch, hits, counters));
    counters->visited = scratch->visited_count;
    counters->computed = scratch->computed_count;
  }
  if (request.has_tail && meta_.node_count < vectors_.slot_count()) {
    std::vector<Hit> tail;
    const ExactRequest exact{request.k, request.filter, meta_.node_count};
    TURDB_RETURN_IF_ERROR(ExactSearch(vectors_, meta_.options.metric, query, exact, &tail, counters));
    hits->insert(hits->end(), tail.begin(), tail.end());
    KeepNearest(request.k, hits);
  }
  return absl::OkStatus();
}

absl::Status Searcher::SearchMany(const float* queries, size_t query_stride, uint32_t count,
                                  const SearchRequest& request, int threads, Hit* hits,
                                  SearchCounters* counters) const {
  struct State {
    SearchScratch scratch;
    std::vector<Hit> hits;
    SearchCounters counters;
    absl::Status status;
  };
  Workers workers(std::clamp(threads, 1, static_cast<int>(std::min(count, 256u) / 4 + 1)));
  std::vector<State> states(workers.count());
  const Hit none{std::numeric_limits<float>::infinity(), NodeId(format::kNoNode), RowId(format::kFreeSlotRowId)};
  std::vector<SearchCounters> each(states.size());
  TURDB_RETURN_IF_ERROR(workers.ForEach(count, 4, [&](uint32_t i, int worker) {
    State& state = states[worker];
    if (!state.status.ok()) return;
    state.status = Search(queries + i * query_stride, request, &state.scratch, &state.hits, &state.counters);
    Hit* to = hits + size_t{i} * request.k;
    std::copy(state.hits.begin(), state.hits.end(), to);
    std::fill(to + state.hits.size(), to + request.k, none);
    each[worker].method = state.counters.method;
    each[worker].visited += state.counters.visited;
    each[worker].computed += state.counters.computed;
    each[worker].reranked += state.counters.reranked;
    each[worker].tail += state.counters.tail;
  }));
  *counters = each[0];
  for (size_t i = 0; i < states.size(); ++i) {
    TURDB_RETURN_IF_ERROR(states[i].status);
    if (i == 0) continue;
    counters->visited += each[i].visited;
    counters->computed += each[i].computed;
    counters->reranked += each[i].reranked;
    counters->tail += each[i].tail;
  }
  return absl::OkStatus();
}

}  // namespace turdb::hnsw
