// HashJoin: builds on the right, probes with the left; all join types (sql/exec/operators.h).
//
// Rows of equal keys are chained: head_ by key number, next_ by row. Pairs of a left batch are made up to a batch at a
// time, filtered by the residual condition, and handed out; unmatched left rows follow their batch, unmatched right rows
// come last. Keys with NULL never match.
// When memory is used up while the right side is read, both sides go to disk in parts (JoinPartitions), and each part is
// joined in the same way. A part that cannot be made smaller is joined in pieces of its right side, with the whole left
// side for each; which left rows have found a partner is remembered from piece to piece.
#include "base/status_macros.h"
#include "sql/exec/idle_memory.h"
#include "sql/exec/join_partitions.h"
#include "sql/exec/key_table.h"
#include "sql/exec/operators.h"

namespace turdb::sql {
namespace {

class HashJoin : public Operator {
 public:
  HashJoin(const PhysicalHashJoin& node, OperatorPtr left, OperatorPtr right, ExecContext* context)
      : node_(node), left_(std::move(left)), right_(std::move(right)), context_(context),
        left_width_(node.children[0]->output.size()), right_width_(node.children[1]->output.size()), share_(&context->memory),
        parts_(context, node.id) {
    is_half_ = node.type == JoinType::kSemi || node.type == JoinType::kAnti;
    keeps_left_ = node.type == JoinType::kLeft || node.type == JoinType::kFull || node.type == JoinType::kAnti;
    keeps_right_ = node.type == JoinType::kRight || node.type == JoinType::kFull;
    key_.resize(node.left_keys.size());
  }

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(left_keys_, CompileAll(node_.left_keys, builder));
    TURDB_ASSIGN_OR_RETURN(right_keys_, CompileAll(node_.right_keys, builder));
    TURDB_ASSIGN_OR_RETURN(condition_, CompileOptional(node_.condition, builder));
    return absl::OkStatus();
  }

  absl::Status Open() override {
    is_built_ = false;
    left_rows_.size = 0;
    phase_ = Phase::kNextBatch;
    part_.reset();
    parts_.Reset();
    return left_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    if (!is_built_) TURDB_RETURN_IF_ERROR(BuildFromInput());
    for (;;) {
      Release(batch);
      batch->size = 0;
      batch->arena = std::make_shared<Arena>();
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      switch (phase_) {
        case Phase::kNextBatch: TURDB_RETURN_IF_ERROR(NextLeftBatch()); break;
        case Phase::kPairs: TURDB_RETURN_IF_ERROR(EmitPairs(batch)); break;
        case Phase::kLeftAlone: EmitLeftAlone(batch); break;
        case Phase::kRightAlone: EmitRightAlone(batch); break;
        case Phase::kNextPart: TURDB_RETURN_IF_ERROR(NextPart()); break;
        case Phase::kDone: return absl::OkStatus();
      }
      if (batch->size > 0) return absl::OkStatus();
    }
  }
  void Close() override {
    if (share_.bytes() > 0 && !idle_.Keep(share_.bytes())) FreeBuild();
    share_.Set(0);
    part_.reset();
    parts_.Reset();
    left_->Close();
  }

 private:
  enum class Phase { kNextBatch, kPairs, kLeftAlone, kRightAlone, kNextPart, kDone };
  static constexpr uint32_t kEnd = ~uint32_t{0};

  absl::Status EvalKeys(const std::vector<EvaluatorPtr>& evaluators, const ColumnBatch& input) {
    const Frame frame = FrameOf(input);
    is_null_.assign(input.size, false);
    for (size_t i = 0; i < evaluators.size(); ++i) {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(evaluators[i]->Eval(frame, &value));
      ConvertKey(*value, node_.key_affinities[i], input.size, input.arena.get(), &key_[i]);
      if (IsTyped(*value) && !value->has_nulls()) continue;
      for (uint32_t r = 0; r < input.size; ++r) is_null_[r] = is_null_[r] || key_[i].IsNull(r);
    }
    return absl::OkStatus();
  }

  void ResetBuild() {
    rows_.Reset(right_width_);
    table_.Reset(node_.key_collations, context_->collations);
    head_.clear();
    tail_.clear();
    next_.clear();
    share_.Set(0);
  }
  void FreeBuild() {
    rows_.Free();
    table_.Free();
    for (auto* list : {&head_, &tail_, &next_}) LargeVector<uint32_t>().swap(*list);
  }

  absl::Status BuildFromInput() {
    is_built_ = true;
    idle_.Release();
    ResetBuild();
    TURDB_RETURN_IF_ERROR(right_->Open());
    absl::Status status = right_->Next(&right_rows_);
    while (status.ok() && right_rows_.size > 0 && !share_.IsOver()) {
      status = AddRight();
      if (status.ok()) status = context_->CheckInterrupt();
      if (status.ok()) status = right_->Next(&right_rows_);
    }
    const bool is_too_large = status.ok() && right_rows_.size > 0;
    if (is_too_large) {
      parts_.Begin(nullptr);
      status = CutBuild();
      while (status.ok() && right_rows_.size > 0) {
        status = Cut(right_keys_, right_rows_, true);
        if (status.ok()) status = context_->CheckInterrupt();
        if (status.ok()) status = right_->Next(&right_rows_);
      }
    }
    right_->Close();
    TURDB_RETURN_IF_ERROR(status);
    if (!is_too_large) return FinishBuild();
    TURDB_RETURN_IF_ERROR(parts_.FinishSide(true));
    for (;;) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(left_->Next(&left_rows_));
      if (left_rows_.size == 0) break;
      TURDB_RETURN_IF_ERROR(Cut(left_keys_, left_rows_, false));
    }
    return EndCut();
  }

  absl::Status FinishBuild() {
    if (keeps_right_) right_matched_.assign(rows_.size(), false);
    phase_ = Phase::kNextBatch;
    return absl::OkStatus();
  }

  absl::Status EndCut() {
    TURDB_RETURN_IF_ERROR(parts_.FinishSide(false));
    parts_.End();
    phase_ = Phase::kNextPart;
    return absl::OkStatus();
  }

  absl::Status Cut(const std::vector<EvaluatorPtr>& keys, const ColumnBatch& rows, bool is_right) {
    TURDB_RETURN_IF_ERROR(EvalKeys(keys, rows));
    hashes_.resize(rows.size);
    HashKeys(key_.data(), node_.key_collations, rows.size, hashes_.data());
    return is_right ? parts_.AddRight(rows, hashes_.data()) : parts_.AddLeft(rows, hashes_.data());
  }

  // What has been built so far goes to the parts.
  absl::Status CutBuild() {
    ColumnBatch batch;
    for (uint64_t first = 0; first < rows_.size(); first += kBatchRows) {
      FreshArena(&batch);
      batch.columns.resize(right_width_);
      batch.size = static_cast<uint32_t>(std::min<uint64_t>(kBatchRows, rows_.size() - first));
      rows_.Read(first, batch.size, &batch);
      TURDB_RETURN_IF_ERROR(Cut(right_keys_, batch, true));
    }
    FreeBuild();
    ResetBuild();
    return absl::OkStatus();
  }

  // --- parts on disk -------------------------------------------------------------------------
  absl::Status NextPart() {
    if (part_ != nullptr && right_block_ < part_->right.blocks.size()) return BuildPiece();
    part_ = std::make_unique<JoinPart>();
    if (!parts_.Pop(part_.get())) {
      part_.reset();
      phase_ = Phase::kDone;
      return absl::OkStatus();
    }
    right_block_ = 0;
    left_found_.assign(part_->is_divisible ? 0 : part_->left.rows, false);
    return BuildPiece();
  }

  // The next rows of the part's right side, as many as memory takes; a part of which that is not all is cut again.
  absl::Status BuildPiece() {
    ResetBuild();
    left_block_ = 0;
    left_first_ = 0;
    while (right_block_ < part_->right.blocks.size() && !share_.IsOver()) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(part_->spill->Read(part_->right, right_block_++, right_width_, &right_rows_));
      TURDB_RETURN_IF_ERROR(AddRight());
    }
    if (right_block_ == part_->right.blocks.size() || !part_->is_divisible) return FinishBuild();
    parts_.Begin(part_.get());
    TURDB_RETURN_IF_ERROR(CutBuild());
    while (right_block_ < part_->right.blocks.size()) {
      TURDB_RETURN_IF_ERROR(part_->spill->Read(part_->right, right_block_++, right_width_, &right_rows_));
      TURDB_RETURN_IF_ERROR(Cut(right_keys_, right_rows_, true));
    }
    TURDB_RETURN_IF_ERROR(parts_.FinishSide(true));
    for (size_t block = 0; block < part_->left.blocks.size(); ++block) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(part_->spill->Read(part_->left, block, left_width_, &left_rows_));
      TURDB_RETURN_IF_ERROR(Cut(left_keys_, left_rows_, false));
    }
    part_.reset();
    return EndCut();
  }

  bool IsLastPiece() const { return part_ == nullptr || right_block_ == part_->right.blocks.size(); }

  absl::Status ReadLeft() {
    if (part_ == nullptr) return left_->Next(&left_rows_);
    left_first_ += left_rows_.size * (left_block_ > 0);
    left_rows_.size = 0;
    if (left_block_ == part_->left.blocks.size()) return absl::OkStatus();
    return part_->spill->Read(part_->left, left_block_++, left_width_, &left_rows_);
  }

  absl::Status AddRight() {
    TURDB_RETURN_IF_ERROR(EvalKeys(right_keys_, right_rows_));
    numbers_.resize(right_rows_.size);
    table_.FindOrAdd(key_.data(), right_rows_.size, numbers_.data());
    head_.resize(table_.size(), kEnd);
    tail_.resize(table_.size(), kEnd);
    const uint32_t first = static_cast<uint32_t>(rows_.size());
    next_.resize(first + right_rows_.size, kEnd);
    for (uint32_t i = 0; i < right_rows_.size; ++i) {
      if (is_null_[i]) continue;
      const uint32_t key = numbers_[i];
      if (head_[key] == kEnd) {
        head_[key] = first + i;
      } else {
        next_[tail_[key]] = first + i;
      }
      tail_[key] = first + i;
    }
    rows_.Append(right_rows_);
    share_.Set(rows_.bytes() + table_.bytes() + (head_.size() + tail_.size() + next_.size()) * sizeof(uint32_t));
    return absl::OkStatus();
  }

  absl::Status NextLeftBatch() {
    TURDB_RETURN_IF_ERROR(ReadLeft());
    if (left_rows_.size == 0) {
      phase_ = keeps_right_ ? Phase::kRightAlone : Phase::kNextPart;
      right_at_ = 0;
      return absl::OkStatus();
    }
    TURDB_RETURN_IF_ERROR(EvalKeys(left_keys_, left_rows_));
    numbers_.resize(left_rows_.size);
    table_.Find(key_.data(), left_rows_.size, numbers_.data());
    chain_.resize(left_rows_.size);
    for (uint32_t i = 0; i < left_rows_.size; ++i) {
      chain_[i] = numbers_[i] == KeyTable::kAbsent || is_null_[i] ? kEnd : head_[numbers_[i]];
    }
    left_matched_.assign(left_rows_.size, false);
    for (uint32_t i = 0; i < left_rows_.size && !left_found_.empty(); ++i) left_matched_[i] = left_found_[left_first_ + i];
    left_at_ = 0;
    phase_ = Phase::kPairs;
    return absl::OkStatus();
  }

  // Up to a batch of pairs; semi and anti joins only mark left rows.
  absl::Status EmitPairs(ColumnBatch* batch) {
    pair_left_.clear();
    pair_right_.clear();
    for (; left_at_ < left_rows_.size && pair_left_.size() < kBatchRows; ++left_at_) {
      if (is_half_ && condition_ == nullptr) {
        left_matched_[left_at_] = left_matched_[left_at_] || chain_[left_at_] != kEnd;
        continue;
      }
      uint32_t& at = chain_[left_at_];
      for (; at != kEnd && pair_left_.size() < kBatchRows; at = next_[at]) {
        pair_left_.push_back(left_at_);
        pair_right_.push_back(at);
      }
      if (at != kEnd) break;
    }
    if (left_at_ == left_rows_.size) phase_ = is_half_ || keeps_left_ ? Phase::kLeftAlone : Phase::kNextBatch;
    if (pair_left_.empty()) return absl::OkStatus();
    if (condition_ != nullptr) TURDB_RETURN_IF_ERROR(FilterPairs());
    for (size_t i = 0; i < pair_left_.size(); ++i) {
      left_matched_[pair_left_[i]] = true;
      if (keeps_right_) right_matched_[pair_right_[i]] = true;
    }
    if (!is_half_) HandOut(batch, true);
    return absl::OkStatus();
  }

  absl::Status FilterPairs() {
    const uint32_t n = static_cast<uint32_t>(pair_left_.size());
    combined_.resize(left_width_ + right_width_);
    for (int slot : condition_->slots()) {
      combined_[slot] = ColumnVector();
      if (slot < static_cast<int>(left_width_)) {
        combined_[slot].Gather(left_rows_.columns[slot], pair_left_.data(), n);
      } else {
        rows_.GatherColumn(slot - left_width_, pair_right_.data(), n, &combined_[slot]);
      }
    }
    Frame frame;
    frame.columns = combined_.data();
    frame.rows = n;
    frame.arena = &scratch_;
    selected_.resize(n);
    uint32_t count = 0;
    TURDB_RETURN_IF_ERROR(condition_->EvalRows(frame, selected_.data(), &count));
    scratch_.Reset();
    for (uint32_t i = 0; i < count; ++i) {
      pair_left_[i] = pair_left_[selected_[i]];
      pair_right_[i] = pair_right_[selected_[i]];
    }
    pair_left_.resize(count);
    pair_right_.resize(count);
    return absl::OkStatus();
  }

  // What a left batch leaves behind: rows without a match, or for a semi join those with one.
  void EmitLeftAlone(ColumnBatch* batch) {
    pair_left_.clear();
    pair_right_.clear();
    phase_ = Phase::kNextBatch;
    for (uint32_t i = 0; i < left_rows_.size && !left_found_.empty(); ++i) left_found_[left_first_ + i] = left_matched_[i];
    if (!IsLastPiece()) return;
    const bool wanted = node_.type == JoinType::kSemi;
    for (uint32_t i = 0; i < left_rows_.size; ++i) {
      if (left_matched_[i] == wanted) pair_left_.push_back(i);
    }
    pair_right_.assign(pair_left_.size(), RowStore::kNoRow);
    HandOut(batch, true);
  }

  void EmitRightAlone(ColumnBatch* batch) {
    pair_left_.clear();
    pair_right_.clear();
    for (; right_at_ < right_matched_.size() && pair_right_.size() < kBatchRows; ++right_at_) {
      if (!right_matched_[right_at_]) pair_right_.push_back(right_at_);
    }
    if (right_at_ == right_matched_.size()) phase_ = Phase::kNextPart;
    HandOut(batch, false);
  }

  void HandOut(ColumnBatch* batch, bool has_left) {
    const uint32_t n = static_cast<uint32_t>(has_left ? pair_left_.size() : pair_right_.size());
    batch->size = n;
    batch->columns.resize(is_half_ ? left_width_ : left_width_ + right_width_);
    if (n == 0) return;
    for (size_t i = 0; i < left_width_; ++i) {
      if (has_left) {
        batch->columns[i].Gather(left_rows_.columns[i], pair_left_.data(), n);
      } else {
        batch->columns[i].SetConstant(Cell());
      }
    }
    if (is_half_) return;
    batch->arena->Hold(rows_.arena());  // a piece that is joined next must not take its bytes away
    rows_.Gather(pair_right_.data(), n, batch, left_width_);
  }

  const PhysicalHashJoin& node_;
  OperatorPtr left_, right_;
  std::vector<EvaluatorPtr> left_keys_, right_keys_;
  EvaluatorPtr condition_;
  ExecContext* context_;
  size_t left_width_, right_width_;
  bool is_half_, keeps_left_, keeps_right_;
  bool is_built_ = false;
  Phase phase_ = Phase::kNextBatch;
  MemoryShare share_;
  IdleMemory idle_;
  JoinPartitions parts_;
  std::unique_ptr<JoinPart> part_;           // being joined; null: the input itself
  size_t right_block_ = 0, left_block_ = 0;  // the next ones of part_ to read
  uint64_t left_first_ = 0;                  // number of the first row of left_rows_ in part_
  std::vector<bool> left_found_;             // rows of an indivisible part with a partner in some piece
  std::vector<uint64_t> hashes_;
  KeyTable table_;
  RowStore rows_;                            // the right side, or a piece of it
  LargeVector<uint32_t> head_, tail_, next_;
  std::vector<ColumnVector> key_;
  std::vector<bool> is_null_;                // rows whose key has a NULL
  std::vector<uint32_t> numbers_;
  ColumnBatch left_rows_, right_rows_;
  std::vector<uint32_t> chain_;              // where each left row stands in its chain
  std::vector<bool> left_matched_, right_matched_;
  uint32_t left_at_ = 0;
  uint64_t right_at_ = 0;
  std::vector<uint32_t> pair_left_, selected_;
  std::vector<uint64_t> pair_right_;
  std::vector<ColumnVector> combined_;
  Arena scratch_;
};

}  // namespace

BuiltOperator BuildHashJoin(const PhysicalHashJoin& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr left, builder->Build(*node.children[0]));
  TURDB_ASSIGN_OR_RETURN(OperatorPtr right, builder->Build(*node.children[1]));
  auto join = std::make_unique<HashJoin>(node, std::move(left), std::move(right), builder->context);
  TURDB_RETURN_IF_ERROR(join->Compile(builder));
  return OperatorPtr(std::move(join));
}

}  // namespace turdb::sql
