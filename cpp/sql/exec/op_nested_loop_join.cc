// NestedLoopJoin (sql/exec/operators.h).
//
// With bindings the right side is opened anew for each left row, its registers set; without, it is kept.
// The condition sees a left row as constants beside a batch of the right side; the rows that pass are collected, so
// that many left rows with few matches still make full batches.
#include "base/status_macros.h"
#include "sql/exec/kept_rows.h"
#include "sql/exec/operators.h"

namespace turdb::sql {
namespace {

class NestedLoopJoin : public Operator {
 public:
  NestedLoopJoin(const PhysicalNestedLoopJoin& node, OperatorPtr left, OperatorPtr right, EvaluatorPtr condition,
                 ExecContext* context)
      : node_(node), left_(std::move(left)), right_(std::move(right)), condition_(std::move(condition)), context_(context),
        left_width_(node.children[0]->output.size()), right_width_(node.children[1]->output.size()), store_(context, node.id) {
    is_half_ = node.type == JoinType::kSemi || node.type == JoinType::kAnti;
    combined_.resize(left_width_ + right_width_);
    nulls_.resize(right_width_);
  }

  absl::Status Open() override {
    left_rows_.size = 0;
    row_ = 0;
    emitted_ = 0;
    pending_rows_.clear();
    is_right_open_ = is_left_done_ = false;
    has_right_rows_ = false;
    return left_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    Release(batch);
    if (emitted_ < pending_rows_.size()) {
      Emit(batch);
      return absl::OkStatus();
    }
    emitted_ = 0;
    pending_rows_.clear();
    pending_.Reset(is_half_ ? 0 : right_width_);
    while (pending_rows_.size() < kBatchRows / 2) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      if (row_ == left_rows_.size) {
        if (is_left_done_ || !pending_rows_.empty()) break;
        row_ = 0;
        TURDB_RETURN_IF_ERROR(left_->Next(&left_rows_));
        is_left_done_ = left_rows_.size == 0;
        continue;
      }
      if (!is_right_open_) TURDB_RETURN_IF_ERROR(OpenRight());
      TURDB_RETURN_IF_ERROR(Step());
    }
    Emit(batch);
    return absl::OkStatus();
  }

  void Close() override {
    if (is_right_open_ && !node_.bindings.empty()) right_->Close();
    is_right_open_ = false;
    chunks_.clear();
    store_.Close();
    has_right_rows_ = false;
    left_->Close();
  }

 private:
  absl::Status OpenRight() {
    is_right_open_ = true;
    has_matched_ = false;
    chunk_ = 0;
    right_at_ = 0;
    if (condition_ != nullptr) {
      for (int slot : condition_->slots()) {
        if (slot < static_cast<int>(left_width_)) combined_[slot].SetConstant(left_rows_.columns[slot].Get(row_));
      }
    }
    if (!node_.bindings.empty()) {
      for (const auto& binding : node_.bindings) {
        SetRegister(context_, binding.register_index, left_rows_.columns[binding.left_slot].Get(row_));
      }
      return right_->Open();
    }
    return has_right_rows_ ? absl::OkStatus() : KeepRight();
  }

  absl::Status KeepRight() {
    store_.Reset(right_width_);
    TURDB_RETURN_IF_ERROR(right_->Open());
    absl::Status status = right_->Next(&right_rows_);
    while (status.ok() && right_rows_.size > 0) {
      status = store_.Append(right_rows_);
      if (status.ok()) status = context_->CheckInterrupt();
      if (status.ok()) status = right_->Next(&right_rows_);
    }
    right_->Close();
    TURDB_RETURN_IF_ERROR(status);
    chunks_.clear();
    for (uint64_t first = 0; first < store_.size() && !store_.has_spilled(); first += chunks_.back().size) {
      chunks_.emplace_back();
      TURDB_RETURN_IF_ERROR(store_.Read(first, &chunks_.back()));
    }
    has_right_rows_ = true;
    return absl::OkStatus();
  }

  // Joins the left row with the next batch of the right side.
  absl::Status Step() {
    const ColumnBatch* right = nullptr;
    if (node_.bindings.empty() && store_.has_spilled()) {
      TURDB_RETURN_IF_ERROR(store_.Read(right_at_, &right_rows_));
      right_at_ += right_rows_.size;
      right = right_rows_.size > 0 ? &right_rows_ : nullptr;
    } else if (node_.bindings.empty()) {
      right = chunk_ < chunks_.size() ? &chunks_[chunk_++] : nullptr;
    } else {
      TURDB_RETURN_IF_ERROR(right_->Next(&right_rows_));
      right = right_rows_.size > 0 ? &right_rows_ : nullptr;
    }
    if (right == nullptr) return FinishRow();
    uint32_t count = right->size;
    const uint32_t* selected = nullptr;
    if (condition_ != nullptr) {
      for (int slot : condition_->slots()) {
        if (slot >= static_cast<int>(left_width_)) combined_[slot].Reference(right->columns[slot - left_width_]);
      }
      Frame frame;
      frame.columns = combined_.data();
      frame.rows = right->size;
      frame.arena = &scratch_;
      selected_.resize(right->size);
      TURDB_RETURN_IF_ERROR(condition_->EvalRows(frame, selected_.data(), &count));
      scratch_.Reset();
      selected = selected_.data();
    }
    if (count == 0) return absl::OkStatus();
    has_matched_ = true;
    if (is_half_) return FinishRow();
    pending_rows_.insert(pending_rows_.end(), count, row_);
    pending_.AppendRows(right->columns.data(), selected, count);
    return absl::OkStatus();
  }

  absl::Status FinishRow() {
    const bool is_alone = node_.type == JoinType::kLeft && !has_matched_;
    const bool is_kept = (node_.type == JoinType::kSemi && has_matched_) || (node_.type == JoinType::kAnti && !has_matched_);
    if (is_alone || is_kept) {
      pending_rows_.push_back(row_);
      pending_.AppendRow(nulls_.data());
    }
    if (!node_.bindings.empty()) right_->Close();
    is_right_open_ = false;
    ++row_;
    return absl::OkStatus();
  }

  void Emit(ColumnBatch* batch) {
    batch->size = static_cast<uint32_t>(std::min<size_t>(kBatchRows, pending_rows_.size() - emitted_));
    batch->columns.resize(is_half_ ? left_width_ : left_width_ + right_width_);
    batch->arena = std::make_shared<Arena>();
    if (batch->size == 0) return;
    for (size_t i = 0; i < left_width_; ++i) batch->columns[i].Gather(left_rows_.columns[i], pending_rows_.data() + emitted_, batch->size);
    if (!is_half_) pending_.Read(emitted_, batch->size, batch, left_width_);
    emitted_ += batch->size;
  }

  const PhysicalNestedLoopJoin& node_;
  OperatorPtr left_, right_;
  EvaluatorPtr condition_;
  ExecContext* context_;
  size_t left_width_, right_width_;
  bool is_half_;  // only left columns come out
  ColumnBatch left_rows_, right_rows_;
  uint32_t row_ = 0;
  bool is_right_open_ = false, is_left_done_ = false, has_matched_ = false;
  bool has_right_rows_ = false;  // store_ and chunks_ hold the right side
  KeptRows store_;
  std::vector<ColumnBatch> chunks_;  // of store_, when it is in memory
  size_t chunk_ = 0;
  uint64_t right_at_ = 0;            // the next row of store_, when it is on disk
  std::vector<ColumnVector> combined_;
  std::vector<uint32_t> selected_;
  Arena scratch_;
  std::vector<uint32_t> pending_rows_;  // left rows of what comes out next
  RowStore pending_;                    // right rows of it
  size_t emitted_ = 0;
  std::vector<Cell> nulls_;
};

}  // namespace

BuiltOperator BuildNestedLoopJoin(const PhysicalNestedLoopJoin& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr left, builder->Build(*node.children[0]));
  TURDB_ASSIGN_OR_RETURN(OperatorPtr right, builder->Build(*node.children[1]));
  TURDB_ASSIGN_OR_RETURN(EvaluatorPtr condition, CompileOptional(node.condition, builder));
  return OperatorPtr(std::make_unique<NestedLoopJoin>(node, std::move(left), std::move(right), std::move(condition), builder->context));
}

}  // namespace turdb::sql
