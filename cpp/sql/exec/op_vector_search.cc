// VectorSearch: ORDER BY distance LIMIT k over one table (sql/exec/operators.h).
//
// The filter child runs first and leaves the vector slots of the rows that match in a bitmap; the searcher (table/
// vector_search.h) finds the hits; only their columns are then looked up, nearest first.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_store.h"
#include "table/table_reader.h"
#include "table/vector_search.h"

namespace turdb::sql {
namespace {

class VectorSearch : public Operator {
 public:
  VectorSearch(const PhysicalVectorSearch& node, ExecContext* context)
      : node_(node), context_(context), cells_(node.columns.size()) {}

  absl::Status Compile(Builder* builder) {
    if (!node_.children.empty()) {
      TURDB_ASSIGN_OR_RETURN(child_, builder->Build(*node_.children[0]));
    }
    TURDB_ASSIGN_OR_RETURN(query_, sql::Compile(*node_.query, builder));
    TURDB_ASSIGN_OR_RETURN(limit_, CompileOptional(node_.limit, builder));
    TURDB_ASSIGN_OR_RETURN(offset_, CompileOptional(node_.offset, builder));
    TURDB_ASSIGN_OR_RETURN(radius_, CompileOptional(node_.radius.value, builder));
    return absl::OkStatus();
  }

  absl::Status Open() override {
    has_searched_ = false;
    at_ = 0;
    hits_.clear();
    return absl::OkStatus();
  }

  absl::Status Next(ColumnBatch* batch) override {
    if (!has_searched_) {
      TURDB_RETURN_IF_ERROR(Search());
      has_searched_ = true;
    }
    return Emit(batch);
  }
  void Close() override {
    searcher_.reset();
    lookup_.reset();
  }

 private:
  absl::Status Search() {
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    arena_.Reset();
    TURDB_ASSIGN_OR_RETURN(const LimitRange range, EvalLimit(limit_.get(), offset_.get()));
    if (range.limit == 0) return absl::OkStatus();
    Cell vector;
    TURDB_RETURN_IF_ERROR(EvalScalar(query_.get(), &arena_, &vector));
    TURDB_RETURN_IF_ERROR(ToVector(vector, &arena_, &vector));
    const catalog::ColumnDef& column = node_.table->columns[node_.column];
    if (vector.dim() != column.type.dim) {
      return DimensionError("column ", column.name, " of table ", node_.table->name, " is VECTOR(", column.type.dim, "): got ",
                            vector.dim(), " dimensions");
    }
    if (child_ != nullptr) TURDB_RETURN_IF_ERROR(RunFilter());
    TURDB_RETURN_IF_ERROR(MakeSearcher(range));
    const absl::Span<const float> query(reinterpret_cast<const float*>(vector.bytes), vector.dim());
    table::SearchCounters counters;
    if (radius_ != nullptr) {
      Cell radius;
      TURDB_RETURN_IF_ERROR(EvalScalar(radius_.get(), &arena_, &radius));
      if (radius.is_null()) return absl::OkStatus();
      TURDB_RETURN_IF_ERROR(searcher_->SearchRadius(query, static_cast<float>(ToReal(radius)), node_.radius.is_inclusive, &hits_, &counters));
      if (hits_.size() > range.end()) hits_.resize(range.end());
    } else {
      TURDB_RETURN_IF_ERROR(searcher_->Search(query, &hits_, &counters));
    }
    Note(counters);
    return absl::OkStatus();
  }

  absl::Status RunFilter() {
    filter_ = table::SlotBitmap();
    searcher_.reset();
    TURDB_RETURN_IF_ERROR(child_->Open());
    absl::Status status = child_->Next(&input_);
    while (status.ok() && input_.size > 0) {
      const ColumnVector& slots = input_.columns[0];
      for (uint32_t i = 0; i < input_.size; ++i) {
        const Cell slot = slots.Get(i);
        if (slot.is_integer()) filter_.Set(static_cast<uint32_t>(slot.integer));
      }
      status = child_->Next(&input_);
    }
    child_->Close();
    return status;
  }

  // One searcher an execution: its views are the transaction's of that moment.
  absl::Status MakeSearcher(const LimitRange& range) {
    table::VectorQuery query;
    query.column = node_.column;
    query.metric = node_.metric;
    query.index = node_.index;
    uint64_t k = range.end();
    if (k > 4096) {  // more than there are rows would only cost memory
      TURDB_ASSIGN_OR_RETURN(const uint64_t rows, table::CountTableRows(context_->txn, *node_.table));
      k = std::min(k, std::max<uint64_t>(rows, 1));
    }
    query.k = static_cast<uint32_t>(std::min<uint64_t>(k, ~uint32_t{0}));
    query.ef = context_->settings == nullptr ? 0 : context_->settings->hnsw_ef_search;
    query.filter = child_ == nullptr ? nullptr : &filter_;
    if (searcher_ != nullptr && searched_in_ == context_->execution && searched_k_ == query.k) return absl::OkStatus();
    TURDB_ASSIGN_OR_RETURN(searcher_, table::NewVectorSearcher(context_->txn, *node_.table, query));
    searched_in_ = context_->execution;
    searched_k_ = query.k;
    return absl::OkStatus();
  }

  void Note(const table::SearchCounters& c) {
    if (!context_->is_timed) return;
    if (context_->counters.size() <= static_cast<size_t>(node_.id)) context_->counters.resize(node_.id + 1);
    std::string& note = context_->counters[node_.id].note;
    note = Cat(table::SearchMethodName(c.method), ": visited ", c.visited, ", computed ", c.computed, ", reranked ", c.reranked,
               ", tail ", c.tail);
    if (child_ != nullptr) note += Cat(", survivors ", filter_.Count());
  }

  absl::Status Emit(ColumnBatch* batch) {
    Arena* arena = FreshArena(batch);
    const uint32_t n = static_cast<uint32_t>(std::min<size_t>(kBatchRows, hits_.size() - at_));
    batch->size = 0;
    batch->columns.resize(cells_.size() + 1);
    if (n == 0) return absl::OkStatus();
    for (size_t c = 0; c < cells_.size(); ++c) batch->columns[c].ResetCells(n);
    Cell* distances = batch->columns.back().ResetCells(n);
    if (!cells_.empty()) {
      TURDB_ASSIGN_OR_RETURN(lookup_, table::LookUpRows(context_->txn, *node_.table, node_.columns, arena));
    }
    uint32_t rows = 0;
    for (uint32_t i = 0; i < n; ++i) {
      const table::VectorHit& hit = hits_[at_++];
      if (!cells_.empty()) {
        TURDB_ASSIGN_OR_RETURN(const bool found, lookup_->Find(RowId(hit.rowid), cells_.data()));
        if (!found) continue;
      }
      for (size_t c = 0; c < cells_.size(); ++c) batch->columns[c].mutable_cells()[rows] = cells_[c];
      distances[rows++] = Cell::Real(hit.distance);
    }
    batch->size = rows;
    for (ColumnVector& column : batch->columns) NarrowCells(rows, &column);
    return absl::OkStatus();
  }

  const PhysicalVectorSearch& node_;
  ExecContext* context_;
  OperatorPtr child_;
  EvaluatorPtr query_, limit_, offset_, radius_;
  std::unique_ptr<table::VectorSearcher> searcher_;
  std::unique_ptr<table::RowLookup> lookup_;
  uint64_t searched_in_ = 0;
  uint32_t searched_k_ = 0;
  table::SlotBitmap filter_;
  Arena arena_;
  ColumnBatch input_;
  std::vector<table::VectorHit> hits_;
  std::vector<Cell> cells_;
  size_t at_ = 0;
  bool has_searched_ = false;
};

}  // namespace

BuiltOperator BuildVectorSearch(const PhysicalVectorSearch& node, Builder* builder) {
  auto search = std::make_unique<VectorSearch>(node, builder->context);
  TURDB_RETURN_IF_ERROR(search->Compile(builder));
  return OperatorPtr(std::move(search));
}

}  // namespace turdb::sql
