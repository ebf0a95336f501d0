// Distinct and the set operations (sql/exec/operators.h). Rows come out in the order in which they first came in.
#include "base/status_macros.h"
#include "sql/exec/key_table.h"
#include "sql/exec/operators.h"

namespace turdb::sql {
namespace {

// The rows of a batch that are new to a KeyTable (and that `keep` allows).
class NewRows {
 public:
  void Reset(const std::vector<Collation>& collations, size_t width, const CollationRegistry* registry) {
    std::vector<Collation> all = collations;
    all.resize(width, Collation::kBinary);
    table_.Reset(std::move(all), registry);
  }
  void Add(const ColumnBatch& input) { Find(input); }

  // False when none is left.
  bool Take(const ColumnBatch& input, ColumnBatch* batch) {
    Find(input);
    rows_.clear();
    for (uint32_t i = 0; i < input.size; ++i) {
      if (is_new_[i]) rows_.push_back(i);
    }
    return Hand(input, batch);
  }

  // Of rows not taken before: those that are (or are not) in `other`.
  bool TakeIf(const ColumnBatch& input, KeyTable* other, bool is_in, ColumnBatch* batch) {
    other_numbers_.resize(input.size);
    other->Find(input.columns.data(), input.size, other_numbers_.data());
    Find(input);
    rows_.clear();
    for (uint32_t i = 0; i < input.size; ++i) {
      if (is_new_[i] && (other_numbers_[i] != KeyTable::kAbsent) == is_in) rows_.push_back(i);
    }
    return Hand(input, batch);
  }
  KeyTable* table() { return &table_; }

 private:
  void Find(const ColumnBatch& input) {
    numbers_.resize(input.size);
    table_.FindOrAdd(input.columns.data(), input.size, numbers_.data(), is_new_);
  }
  bool Hand(const ColumnBatch& input, ColumnBatch* batch) {
    if (rows_.empty()) return false;
    batch->size = static_cast<uint32_t>(rows_.size());
    batch->arena = input.arena;
    batch->columns.resize(input.columns.size());
    for (size_t c = 0; c < input.columns.size(); ++c) batch->columns[c].Gather(input.columns[c], rows_.data(), batch->size);
    return true;
  }
  KeyTable table_;
  std::vector<uint32_t> numbers_, other_numbers_, rows_;
  bool is_new_[kBatchRows];
};

class Distinct : public Operator {
 public:
  Distinct(const PhysicalDistinct& node, OperatorPtr child, ExecContext* context)
      : node_(node), child_(std::move(child)), context_(context) {}
  absl::Status Open() override {
    rows_.Reset(node_.collations, node_.output.size(), context_->collations);
    return child_->Open();
  }
  absl::Status Next(ColumnBatch* batch) override {
    do {
      Release(batch);
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      batch->size = 0;
      batch->arena = input_.arena;
    } while (input_.size > 0 && !rows_.Take(input_, batch));
    return absl::OkStatus();
  }
  void Close() override { child_->Close(); }

 private:
  const PhysicalDistinct& node_;
  OperatorPtr child_;
  ExecContext* context_;
  NewRows rows_;
  ColumnBatch input_;
};

class SetOperation : public Operator {
 public:
  SetOperation(const PhysicalSetOp& node, OperatorPtr left, OperatorPtr right, ExecContext* context)
      : node_(node), left_(std::move(left)), right_(std::move(right)), context_(context) {}

  absl::Status Open() override {
    rows_.Reset(node_.collations, node_.output.size(), context_->collations);
    right_rows_.Reset(node_.collations, node_.output.size(), context_->collations);
    is_on_right_ = has_right_ = false;
    TURDB_RETURN_IF_ERROR(left_->Open());
    return right_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    const bool needs_right = node_.op == SetOp::kIntersect || node_.op == SetOp::kExcept;
    if (needs_right && !has_right_) TURDB_RETURN_IF_ERROR(KeepRight());
    for (;;) {
      Release(batch);
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR((is_on_right_ ? right_ : left_)->Next(&input_));
      batch->size = 0;
      batch->arena = input_.arena;
      if (input_.size == 0) {
        if (needs_right || is_on_right_) return absl::OkStatus();
        is_on_right_ = true;
      } else if (Take(batch)) {
        return absl::OkStatus();
      }
    }
  }
  void Close() override {
    left_->Close();
    right_->Close();
  }

 private:
  absl::Status KeepRight() {
    has_right_ = true;
    for (;;) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(right_->Next(&input_));
      if (input_.size == 0) return absl::OkStatus();
      right_rows_.Add(input_);
    }
  }

  bool Take(ColumnBatch* batch) {
    switch (node_.op) {
      case SetOp::kUnion: return rows_.Take(input_, batch);
      case SetOp::kIntersect: return rows_.TakeIf(input_, right_rows_.table(), true, batch);
      case SetOp::kExcept: return rows_.TakeIf(input_, right_rows_.table(), false, batch);
      case SetOp::kUnionAll: break;
    }
    batch->size = input_.size;
    batch->columns.resize(input_.columns.size());
    for (size_t c = 0; c < input_.columns.size(); ++c) batch->columns[c].Reference(input_.columns[c]);
    return true;
  }

  const PhysicalSetOp& node_;
  OperatorPtr left_, right_;
  ExecContext* context_;
  NewRows rows_, right_rows_;
  bool is_on_right_ = false, has_right_ = false;
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
