// Distinct and the set operations (sql/exec/operators.h). Rows come out in the order in which they first came in.
#include "base/status_macros.h"
#include "sql/exec/new_rows.h"
#include "sql/exec/operators.h"

namespace turdb::sql {
namespace {

class Distinct : public Operator {
 public:
  Distinct(const PhysicalDistinct& node, OperatorPtr child, ExecContext* context)
      : node_(node), child_(std::move(child)), context_(context), rows_(context, node.id) {}
  absl::Status Open() override {
    rows_.Reset(node_.collations, node_.output.size());
    is_at_end_ = false;
    return child_->Open();
  }
  absl::Status Next(ColumnBatch* batch) override {
    while (!is_at_end_) {
      Release(batch);
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      batch->size = 0;
      batch->arena = input_.arena;
      is_at_end_ = input_.size == 0;
      if (is_at_end_) break;
      TURDB_RETURN_IF_ERROR(rows_.Take(input_, batch));
      if (batch->size > 0) return absl::OkStatus();
    }
    return rows_.TakeLate(batch);
  }
  void Close() override {
    rows_.Close();
    child_->Close();
  }

 private:
  const PhysicalDistinct& node_;
  OperatorPtr child_;
  ExecContext* context_;
  NewRows rows_;
  ColumnBatch input_;
  bool is_at_end_ = false;
};

class SetOperation : public Operator {
 public:
  SetOperation(const PhysicalSetOp& node, OperatorPtr left, OperatorPtr right, ExecContext* context)
      : node_(node), left_(std::move(left)), right_(std::move(right)), context_(context), rows_(context, node.id),
        share_(&context->memory), collations_(node.collations) {
    collations_.resize(node.output.size(), Collation::kBinary);
  }

  absl::Status Open() override {
    rows_.Reset(node_.collations, node_.output.size());
    right_rows_.Reset(collations_, context_->collations);
    share_.Set(0);
    both_ = nullptr;
    is_on_right_ = has_right_ = is_at_end_ = false;
    TURDB_RETURN_IF_ERROR(left_->Open());
    return right_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    const bool needs_right = node_.op == SetOp::kIntersect || node_.op == SetOp::kExcept;
    if (needs_right && !has_right_) TURDB_RETURN_IF_ERROR(KeepRight());
    while (!is_at_end_) {
      Release(batch);
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR((is_on_right_ ? right_ : left_)->Next(&input_));
      batch->size = 0;
      batch->arena = input_.arena;
      if (input_.size == 0) {
        is_at_end_ = needs_right || is_on_right_;
        is_on_right_ = true;
        continue;
      }
      TURDB_RETURN_IF_ERROR(Take(batch));
      if (batch->size > 0) return absl::OkStatus();
    }
    return both_ != nullptr ? both_->Next(node_.op == SetOp::kIntersect, batch) : rows_.TakeLate(batch);
  }
  void Close() override {
    rows_.Close();
    if (share_.bytes() > kKeptBytes) right_rows_.Free();
    share_.Set(0);
    both_ = nullptr;
    left_->Close();
    right_->Close();
  }

 private:
  static constexpr uint64_t kKeptBytes = 16 << 20;

  absl::Status KeepRight() {
    has_right_ = true;
    for (;;) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(right_->Next(&input_));
      if (input_.size == 0) return absl::OkStatus();
      if (both_ != nullptr) {
        TURDB_RETURN_IF_ERROR(both_->Add(input_.columns.data(), input_.size, false));
        continue;
      }
      numbers_.resize(input_.size);
      right_rows_.FindOrAdd(input_.columns.data(), input_.size, numbers_.data());
      share_.Set(right_rows_.bytes());
      if (share_.IsOver()) TURDB_RETURN_IF_ERROR(SpillRight());
    }
  }

  // The right side does not fit: what there is of it begins the groups of both.
  absl::Status SpillRight() {
    both_ = std::make_unique<SideGroups>(context_, node_.id, collations_);
    const RowStore& keys = right_rows_.keys();
    ColumnBatch batch;
    batch.columns.resize(keys.columns());
    for (uint64_t first = 0; first < keys.size(); first += kBatchRows) {
      const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, keys.size() - first));
      keys.Read(first, n, &batch);
      TURDB_RETURN_IF_ERROR(both_->Add(batch.columns.data(), n, false));
    }
    right_rows_.Free();
    share_.Set(0);
    return absl::OkStatus();
  }

  absl::Status Take(ColumnBatch* batch) {
    if (both_ != nullptr) return both_->Add(input_.columns.data(), input_.size, true);
    switch (node_.op) {
      case SetOp::kUnion: return rows_.Take(input_, batch);
      case SetOp::kIntersect: return rows_.TakeIf(input_, &right_rows_, true, batch);
      case SetOp::kExcept: return rows_.TakeIf(input_, &right_rows_, false, batch);
      case SetOp::kUnionAll: break;
    }
    batch->size = input_.size;
    batch->columns.resize(input_.columns.size());
    for (size_t c = 0; c < input_.columns.size(); ++c) batch->columns[c].Reference(input_.columns[c]);
    return absl::OkStatus();
  }

  const PhysicalSetOp& node_;
  OperatorPtr left_, right_;
  ExecContext* context_;
  NewRows rows_;
  MemoryShare share_;
  std::vector<Collation> collations_;
  KeyTable right_rows_;               // of INTERSECT and EXCEPT, while it fits
  std::unique_ptr<SideGroups> both_;  // and when it does not
  std::vector<uint32_t> numbers_;
  bool is_on_right_ = false, has_right_ = false, is_at_end_ = false;
  ColumnBatch input_;
};

}  // namespace

BuiltOperator BuildDistinct(const PhysicalDistinct& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  return OperatorPtr(std::make_unique<Distinct>(node, std::move(child), builder->context));
}

BuiltOperator BuildSetOp(const PhysicalSetOp& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr left, builder->Build(*node.children[0]));
  TURDB_ASSIGN_OR_RETURN(OperatorPtr right, builder->Build(*node.children[1]));
  return OperatorPtr(std::make_unique<SetOperation>(node, std::move(left), std::move(right), builder->context));
}

}  // namespace turdb::sql
