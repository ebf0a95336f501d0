// See vector_search.h: hnsw/ does the searching; here are the checks, and slots become rows.

#include "table/vector_search.h"

#include "table/read_log.h"

#include <bit>
#include <cmath>

#include "base/errors.h"
#include "base/status_macros.h"
#include "hnsw/exact.h"
#include "hnsw/search.h"
#include "table/vector_column.h"
#include "vec/kernels.h"

namespace turdb::table {
namespace {

constexpr uint32_t kDefaultEf = 64;

SearchMethod MethodOf(hnsw::Method method) {
  switch (method) {
    case hnsw::Method::kExact: return SearchMethod::kExact;
    case hnsw::Method::kCodeScan: return SearchMethod::kExactSurvivors;
    case hnsw::Method::kGraph: return SearchMethod::kGraph;
    case hnsw::Method::kFilteredGraph: return SearchMethod::kFilteredGraph;
  }
  return SearchMethod::kExact;
}

class VectorSearcherImpl final : public VectorSearcher {
 public:
  VectorSearcherImpl(const catalog::ColumnDef& column, const VectorQuery& query, std::unique_ptr<VectorColumn> vectors)
      : column_(column), query_(query), metric_(static_cast<vec::Metric>(query.metric)), vectors_(std::move(vectors)) {
    if (query.filter == nullptr) return;
    // A null pointer would mean that everything matches, and an empty vector may have one.
    static constexpr uint64_t kNothing = 0;
    const std::vector<uint64_t>& words = query.filter->words();
    filter_.words = words.empty() ? &kNothing : words.data();
    filter_.word_count = words.size();
    filter_.match_count = hnsw::CountMatches(filter_, vectors_->slot_count());
  }

  absl::Status OpenGraph(txn::Transaction* txn) {
    TURDB_ASSIGN_OR_RETURN(graph_view_, txn->View(query_.index->file));
    TURDB_ASSIGN_OR_RETURN(graph_, hnsw::Searcher::Open(&graph_view_, vectors_->source()));
    return absl::OkStatus();
  }

  absl::Status Search(absl::Span<const float> query, std::vector<VectorHit>* hits, SearchCounters* counters) override {
    hits->clear();
    TURDB_RETURN_IF_ERROR(CheckQuery(query));
    if (query_.k == 0) return absl::OkStatus();
    hnsw::SearchCounters counted;
    if (graph_ != nullptr) {
      hnsw::SearchRequest request;
      request.k = query_.k;
      request.ef = query_.ef == 0 ? kDefaultEf : query_.ef;
      request.filter = filter_;
      TURDB_RETURN_IF_ERROR(graph_->Search(query.data(), request, &scratch_, &hits_, &counted));
    } else {
      hnsw::ExactRequest request;
      request.k = query_.k;
      request.filter = filter_;
      TURDB_RETURN_IF_ERROR(hnsw::ExactSearch(vectors_->source(), metric_, query.data(), request, &hits_, &counted));
    }
    HandOut(hits, counted, counters);
    return absl::OkStatus();
  }

  absl::Status SearchRadius(absl::Span<const float> query, float radius, bool is_inclusive, std::vector<VectorHit>* hits,
                            SearchCounters* counters) override {
    hits->clear();
    TURDB_RETURN_IF_ERROR(CheckQuery(query));
    if (std::isnan(radius)) return absl::OkStatus();  // no distance is below NaN
    hnsw::ExactRequest request;
    request.k = std::numeric_limits<uint32_t>::max();
    request.filter = filter_;
    request.radius = radius;
    request.is_inclusive = is_inclusive;
    hnsw::SearchCounters counted;
    TURDB_RETURN_IF_ERROR(hnsw::ExactSearch(vectors_->source(), metric_, query.data(), request, &hits_, &counted));
    HandOut(hits, counted, counters);
    return absl::OkStatus();
  }

 private:
  absl::Status CheckQuery(absl::Span<const float> query) const {
    if (query.size() != column_.type.dim) {
      return DimensionError("column ", column_.name, " has ", column_.type.dim, " dimensions, the query vector ", query.size());
    }
    if (!vec::ActiveKernels().is_all_finite(query.data(), query.size())) {
      return BadValueError("a query vector may not contain NaN or infinity");
    }
    return absl::OkStatus();
  }

  void HandOut(std::vector<VectorHit>* hits, const hnsw::SearchCounters& counted, SearchCounters* counters) const {
    hits->reserve(hits_.size());
    for (const hnsw::Hit& hit : hits_) hits->push_back({hit.rowid.value(), hit.distance});
    if (counters == nullptr) return;
    counters->method = MethodOf(counted.method);
    counters->visited += counted.visited;
    counters->computed += counted.computed;
    counters->reranked += counted.reranked;
    counters->tail += counted.tail;
  }

  const catalog::ColumnDef& column_;
  const VectorQuery query_;
  const vec::Metric metric_;
  std::unique_ptr<VectorColumn> vectors_;
  hnsw::Filter filter_;
  pager::FileView graph_view_;
  std::unique_ptr<hnsw::Searcher> graph_;
  hnsw::SearchScratch scratch_;
  std::vector<hnsw::Hit> hits_;
};

}  // namespace

uint64_t SlotBitmap::Count() const {
  uint64_t count = 0;
  for (uint64_t word : words_) count += std::popcount(word);
  return count;
}

std::string_view SearchMethodName(SearchMethod method) {
  switch (method) {
    case SearchMethod::kExact: return "exact";
    case SearchMethod::kExactSurvivors: return "exact over survivors";
    case SearchMethod::kGraph: return "graph";
    case SearchMethod::kFilteredGraph: return "filtered graph";
  }
  return "unknown";
}

absl::StatusOr<std::unique_ptr<VectorSearcher>> NewVectorSearcher(txn::Transaction* txn, const catalog::TableDef& table,
                                                                  const VectorQuery& query) {
  const bool is_vector = query.column >= 0 && query.column < static_cast<int>(table.columns.size()) &&
                         table.columns[query.column].type.is_vector();
  if (!is_vector) return InternalError("a vector search of table '", table.name, "' names no vector column");
  // What comes near a query depends on every row.
  if (RowReadLog* const reads = RowReadLog::Of(txn)) reads->NoteTable(table);
  if (table.is_without_rowid) return UnsupportedError("vector search needs a rowid, and table '", table.name, "' has none");
  const catalog::ColumnDef& column = table.columns[query.column];
  if (query.index != nullptr && query.index->hnsw.metric != query.metric) {
    return InternalError("index '", query.index->name, "' is for another metric than the query");
  }
  TURDB_ASSIGN_OR_RETURN(auto vectors, VectorColumn::Open(txn, column));
  auto searcher = std::make_unique<VectorSearcherImpl>(column, query, std::move(vectors));
  if (query.index != nullptr) TURDB_RETURN_IF_ERROR(searcher->OpenGraph(txn));
  return std::unique_ptr<VectorSearcher>(std::move(searcher));
}

}  // namespace turdb::table
