// Materialize, CteScan and RecursiveCte (sql/exec/operators.h).
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cte.h"
#include "sql/exec/key_set.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_queue.h"

namespace turdb::sql {
namespace {

class Materialize : public Operator {
 public:
  Materialize(std::shared_ptr<CteState> state, OperatorPtr definition, OperatorPtr body, size_t width, ExecContext* context)
      : state_(std::move(state)), definition_(std::move(definition)), body_(std::move(body)), width_(width), context_(context) {
    state_->fill = [this] { return Fill(); };
    context->at_close.push_back([state = state_] {
      state->is_ready = false;
      state->rows->Close();
    });
  }
  absl::Status Open() override {
    state_->is_ready = false;
    return body_->Open();
  }
  absl::Status Next(ColumnBatch* batch) override { return body_->Next(batch); }
  void Close() override { body_->Close(); }

 private:
  absl::Status Fill() {
    state_->rows->Reset(width_);
    TURDB_RETURN_IF_ERROR(definition_->Open());
    absl::Status status = definition_->Next(&input_);
    while (status.ok() && input_.size > 0) {
      status = state_->rows->Append(input_);
      if (status.ok()) status = context_->CheckInterrupt();
      if (status.ok()) status = definition_->Next(&input_);
    }
    definition_->Close();
    state_->is_ready = status.ok();
    return status;
  }

  std::shared_ptr<CteState> state_;
  OperatorPtr definition_, body_;
  size_t width_;
  ExecContext* context_;
  ColumnBatch input_;
};

class CteScan : public Operator {
 public:
  explicit CteScan(std::shared_ptr<CteState> state) : state_(std::move(state)) {}
  absl::Status Open() override {
    at_ = 0;
    return absl::OkStatus();
  }
  absl::Status Next(ColumnBatch* batch) override {
    if (!state_->is_ready) TURDB_RETURN_IF_ERROR(state_->fill());
    TURDB_RETURN_IF_ERROR(state_->rows->Read(at_, batch));
    at_ += batch->size;
    return absl::OkStatus();
  }

 private:
  std::shared_ptr<CteState> state_;
  uint64_t at_ = 0;
};

// Rows wait in a queue; without ORDER BY a whole generation leaves it at a time, else one row.
class RecursiveCte : public Operator {
 public:
  RecursiveCte(const PhysicalRecursiveCte& node, std::shared_ptr<CteState> state, OperatorPtr initial, OperatorPtr recursive,
               ExecContext* context)
      : node_(node), state_(std::move(state)), initial_(std::move(initial)), recursive_(std::move(recursive)), context_(context),
        width_(node.output.size()), seen_(context, node.id), queue_(std::make_unique<KeptRows>(context, node.id)),
        ordered_(context, node.id, width_ + node.order_by.size(), OrderColumns(node.order_by, width_)) {}

  absl::Status Compile(Builder* builder) {
    for (const SortKey& key : node_.order_by) {
      TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, sql::Compile(*key.expr, builder));
      keys_.push_back(std::move(compiled));
    }
    TURDB_ASSIGN_OR_RETURN(limit_, CompileOptional(node_.limit, builder));
    TURDB_ASSIGN_OR_RETURN(offset_, CompileOptional(node_.offset, builder));
    return absl::OkStatus();
  }

  absl::Status Open() override {
    TURDB_ASSIGN_OR_RETURN(const LimitRange range, EvalLimit(limit_.get(), offset_.get()));
    left_ = range.limit;
    to_skip_ = range.offset;
    std::vector<Collation> collations = node_.collations;
    collations.resize(width_, Collation::kBinary);
    if (!node_.is_union_all) seen_.Reset(collations);
    queue_->Reset(width_);
    ordered_.Reset();
    state_->rows->Reset(width_);
    state_->is_ready = true;
    emitted_ = 0;
    has_started_ = false;
    return absl::OkStatus();
  }

  absl::Status Next(ColumnBatch* batch) override {
    batch->size = 0;
    while (left_ > 0) {
      if (emitted_ == state_->rows->size()) {
        TURDB_RETURN_IF_ERROR(Advance());
        if (state_->rows->size() == 0) return absl::OkStatus();
      }
      const uint64_t skipped = std::min<uint64_t>(to_skip_, state_->rows->size() - emitted_);
      to_skip_ -= skipped;
      emitted_ += skipped;
      if (emitted_ == state_->rows->size()) continue;
      TURDB_RETURN_IF_ERROR(state_->rows->Read(emitted_, batch, static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, left_))));
      emitted_ += batch->size;
      left_ -= batch->size;
      return absl::OkStatus();
    }
    return absl::OkStatus();
  }
  void Close() override {
    state_->rows->Close();
    queue_->Close();
    ordered_.Close();
    seen_.Close();
  }

 private:
  // The next generation (or row) into state_->rows; none: the end.
  absl::Status Advance() {
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    TURDB_RETURN_IF_ERROR(Fill(has_started_ ? recursive_.get() : initial_.get()));
    has_started_ = true;
    emitted_ = 0;
    if (keys_.empty()) {
      std::swap(state_->rows, queue_);
      queue_->Reset(width_);
      return absl::OkStatus();
    }
    state_->rows->Reset(width_);
    if (ordered_.empty()) return absl::OkStatus();
    std::vector<Cell> row(width_ + keys_.size());
    TURDB_RETURN_IF_ERROR(ordered_.Pop(row.data()));
    return state_->rows->AppendRow(row.data());
  }

  absl::Status Fill(Operator* from) {
    TURDB_RETURN_IF_ERROR(from->Open());
    absl::Status status = from->Next(&input_);
    while (status.ok() && input_.size > 0) {
      status = Queue();
      if (status.ok()) status = context_->CheckInterrupt();
      if (status.ok()) status = from->Next(&input_);
    }
    from->Close();
    return status;
  }

  absl::Status Queue() {
    selected_.clear();
    if (!node_.is_union_all) TURDB_RETURN_IF_ERROR(seen_.AddNew(input_.columns.data(), input_.size, is_new_));
    for (uint32_t i = 0; i < input_.size; ++i) {
      if (node_.is_union_all || is_new_[i]) selected_.push_back(i);
    }
    const uint32_t count = static_cast<uint32_t>(selected_.size());
    if (keys_.empty()) return queue_->Append(input_.columns.data(), selected_.data(), count);
    std::vector<ColumnVector> row(width_ + keys_.size());
    for (size_t c = 0; c < width_; ++c) row[c].Reference(input_.columns[c]);
    const Frame frame = FrameOf(input_);
    for (size_t k = 0; k < keys_.size(); ++k) {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(keys_[k]->Eval(frame, &value));
      row[width_ + k].Reference(*value);
    }
    return ordered_.Add(row.data(), selected_.data(), count);
  }

  const PhysicalRecursiveCte& node_;
  std::shared_ptr<CteState> state_;  // the rows that the recursive part reads, which are also what comes out
  OperatorPtr initial_, recursive_;
  ExecContext* context_;
  size_t width_;
  std::vector<EvaluatorPtr> keys_;
  EvaluatorPtr limit_, offset_;
  KeySet seen_;                      // of UNION
  std::unique_ptr<KeptRows> queue_;  // the next generation, without ORDER BY
  RowQueue ordered_;                 // with it: output columns, then keys
  ColumnBatch input_;
  std::vector<uint32_t> selected_;
  bool is_new_[kBatchRows];
  uint64_t left_ = 0, to_skip_ = 0, emitted_ = 0;
  bool has_started_ = false;
};

}  // namespace

BuiltOperator BuildMaterialize(const PhysicalMaterialize& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr definition, builder->Build(*node.children[0]));
  auto state = std::make_shared<CteState>(builder->context, node.id);
  builder->ctes[node.cte_id] = state;
  TURDB_ASSIGN_OR_RETURN(OperatorPtr body, builder->Build(*node.children[1]));
  return OperatorPtr(std::make_unique<Materialize>(std::move(state), std::move(definition), std::move(body),
                                                   node.children[0]->output.size(), builder->context));
}

BuiltOperator BuildCteScan(const PhysicalCteScan& node, Builder* builder) {
  const auto found = builder->ctes.find(node.cte_id);
  if (found == builder->ctes.end()) return InternalError("a scan of ", node.name, " stands outside of its WITH");
  return OperatorPtr(std::make_unique<CteScan>(found->second));
}

BuiltOperator BuildRecursiveCte(const PhysicalRecursiveCte& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr initial, builder->Build(*node.children[0]));
  auto state = std::make_shared<CteState>(builder->context, node.id);
  builder->ctes[node.cte_id] = state;
  TURDB_ASSIGN_OR_RETURN(OperatorPtr recursive, builder->Build(*node.children[1]));
  auto cte = std::make_unique<RecursiveCte>(node, std::move(state), std::move(initial), std::move(recursive), builder->context);
  TURDB_RETURN_IF_ERROR(cte->Compile(builder));
  return OperatorPtr(std::move(cte));
}

}  // namespace turdb::sql
