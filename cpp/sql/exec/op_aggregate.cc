// Aggregate: GROUP BY by hashing (sql/exec/operators.h). Groups come out in the order in which they first came in.
//
// Keys live in a KeyTable, states in GroupStates by group number. When memory is used up the table takes no more keys: rows
// of groups that are in it go on as before, all others go to KeyGroups, with the number of the row. At the end the groups
// of the table come out; then the others are computed group by group, as KeyGroups brings them together, and sorted by
// the number of their first row. So the result does not depend on how much memory there was.
#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/group_states.h"
#include "sql/exec/key_groups.h"
#include "sql/exec/key_table.h"
#include "sql/exec/operators.h"

namespace turdb::sql {
namespace {

// Groups that are computed side by side from what KeyGroups gives.
constexpr uint32_t kGroupsAtOnce = 1024;

class Aggregate : public Operator {
 public:
  Aggregate(const PhysicalAggregate& node, OperatorPtr child, ExecContext* context)
      : node_(node), child_(std::move(child)), context_(context), share_(&context->memory), keys_(node.groups.size()) {}

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(groups_, CompileAll(node_.groups, builder));
    TURDB_RETURN_IF_ERROR(states_.Compile(node_, builder));
    states_.CollectSlots(&slots_);
    std::sort(slots_.begin(), slots_.end());
    slots_.erase(std::unique(slots_.begin(), slots_.end()), slots_.end());
    return absl::OkStatus();
  }

  absl::Status Open() override {
    Clear();
    return child_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    if (!has_run_) {
      TURDB_RETURN_IF_ERROR(Run());
      has_run_ = true;
    }
    if (emitted_ < states_.size() || others_ == nullptr) return EmitTable(batch);
    if (sorted_ == nullptr) TURDB_RETURN_IF_ERROR(RunOthers());
    return sorted_->Next(width(), batch);
  }

  void Close() override {
    const bool is_large = share_.bytes() > kKeptBytes;
    Clear();
    if (is_large) table_.Free();
    child_->Close();
  }

 private:
  static constexpr uint64_t kKeptBytes = 16 << 20;
  size_t width() const { return groups_.size() + states_.columns(); }

  void Clear() {
    table_.Reset(node_.group_collations, context_->collations);
    states_.Reset();
    share_.Set(0);
    others_ = nullptr;
    sorted_ = nullptr;
    has_run_ = is_full_ = false;
    emitted_ = 0;
    row_number_ = 0;
  }

  absl::Status Run() {
    if (groups_.empty()) states_.Resize(1);
    for (;;) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      if (input_.size == 0) break;
      TURDB_RETURN_IF_ERROR(groups_.empty() ? states_.Add(FrameOf(input_), nullptr, 0) : AddGrouped());
      LookAtMemory();
    }
    return states_.Complete();
  }

  void LookAtMemory() {
    share_.Set(states_.bytes() + (groups_.empty() ? 0 : table_.bytes()));
    if (is_full_ || !share_.IsOver()) return;
    is_full_ = true;
    states_.Postpone(!groups_.empty());
  }

  absl::Status AddGrouped() {
    Frame frame = FrameOf(input_);
    const uint32_t before = states_.size();
    for (size_t i = 0; i < groups_.size(); ++i) {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(groups_[i]->Eval(frame, &value));
      keys_[i].Reference(*value);
    }
    numbers_.resize(input_.size);
    if (is_full_) {
      TURDB_RETURN_IF_ERROR(AddKnown(frame));
    } else {
      table_.FindOrAdd(keys_.data(), input_.size, numbers_.data());
      if (table_.size() != before) states_.Resize(table_.size());
      TURDB_RETURN_IF_ERROR(states_.Add(frame, numbers_.data(), before));
    }
    row_number_ += input_.size;
    for (ColumnVector& key : keys_) key = ColumnVector();
    return absl::OkStatus();
  }

  // The table is full: rows of groups that are not in it are put aside.
  absl::Status AddKnown(const Frame& frame) {
    table_.Find(keys_.data(), input_.size, numbers_.data());
    known_.clear();
    unknown_.clear();
    for (uint32_t i = 0; i < input_.size; ++i) (numbers_[i] == KeyTable::kAbsent ? unknown_ : known_).push_back(i);
    if (known_.size() == input_.size) return states_.Add(frame, numbers_.data(), states_.size());
    TURDB_RETURN_IF_ERROR(PutAside());
    if (known_.empty()) return absl::OkStatus();
    const uint32_t count = static_cast<uint32_t>(known_.size());
    known_numbers_.resize(count);
    for (uint32_t i = 0; i < count; ++i) known_numbers_[i] = numbers_[known_[i]];
    return states_.Add(known_rows_.Make(frame, known_.data(), count, slots_), known_numbers_.data(), states_.size());
  }

  absl::Status PutAside() {
    if (others_ == nullptr) {
      others_ = std::make_unique<KeyGroups>(context_, node_.id, slots_.size(), node_.group_collations);
    }
    std::vector<ColumnVector> payload(slots_.size());
    for (size_t i = 0; i < slots_.size(); ++i) payload[i].Reference(input_.columns[slots_[i]]);
    std::vector<int64_t> numbers(input_.size);
    for (uint32_t i = 0; i < input_.size; ++i) numbers[i] = row_number_ + i;
    return others_->Add(payload.data(), keys_.data(), unknown_.data(), static_cast<uint32_t>(unknown_.size()), numbers);
  }

  absl::Status EmitTable(ColumnBatch* batch) {
    Arena* arena = FreshArena(batch);
    const uint32_t n = std::min<uint32_t>(kBatchRows, states_.size() - emitted_);
    batch->size = n;
    batch->columns.resize(width());
    if (n == 0) return absl::OkStatus();
    if (!groups_.empty()) {
      arena->Hold(table_.keys().arena());
      table_.keys().Read(emitted_, n, batch);
    }
    TURDB_RETURN_IF_ERROR(states_.Finish(emitted_, n, arena, &batch->columns[groups_.size()]));
    emitted_ += n;
    return absl::OkStatus();
  }

  // --- groups that did not fit ---------------------------------------------------------------
  absl::Status RunOthers() {
    sorted_ = std::make_unique<RowSorter>(context_, node_.id, std::vector<OrderColumn>{{width()}});
    sorted_->Reset(width() + 1);
    table_.Free();
    TURDB_RETURN_IF_ERROR(others_->Finish());
    StartGroups();
    for (;;) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(others_->Next(&input_));
      if (input_.size == 0) break;
      uint32_t first = 0;
      if (states_.size() >= kGroupsAtOnce || is_full_) {
        // The last group may go on in this batch: all are finished where the next one begins.
        while (first < input_.size && !others_->starts()[first]) ++first;
        TURDB_RETURN_IF_ERROR(AddOthers(0, first));
        if (first < input_.size) TURDB_RETURN_IF_ERROR(FinishGroups());
      }
      TURDB_RETURN_IF_ERROR(AddOthers(first, input_.size));
    }
    TURDB_RETURN_IF_ERROR(FinishGroups());
    others_->Close();
    return sorted_->Finish();
  }

  void StartGroups() {
    states_.Reset();
    other_keys_.Reset(groups_.size() + 1);  // and the number of the first row
    is_full_ = false;
    share_.Set(0);
    emitted_ = 0;
  }

  // Rows [first, last) of what KeyGroups gave: the input's columns in slots_, the key, the row's number.
  absl::Status AddOthers(uint32_t first, uint32_t last) {
    if (first == last) return absl::OkStatus();
    const uint32_t count = last - first, before = states_.size();
    std::vector<uint32_t> rows(count);
    for (uint32_t i = 0; i < count; ++i) rows[i] = first + i;
    unknown_.clear();
    numbers_.resize(count);
    uint32_t groups = before;
    for (uint32_t i = 0; i < count; ++i) {
      if (others_->starts()[first + i]) {
        unknown_.push_back(first + i);
        ++groups;
      }
      numbers_[i] = groups - 1;
    }
    other_keys_.AppendRows(&input_.columns[slots_.size()], unknown_.data(), static_cast<uint32_t>(unknown_.size()));
    states_.Resize(groups);
    other_input_.resize(node_.children[0]->output.size());
    for (size_t i = 0; i < slots_.size(); ++i) {
      ColumnVector& to = other_input_[static_cast<size_t>(slots_[i])];
      to = ColumnVector();
      to.Gather(input_.columns[i], rows.data(), count);
    }
    Frame frame = FrameOf(input_);
    frame.columns = other_input_.data();
    frame.rows = count;
    TURDB_RETURN_IF_ERROR(states_.Add(frame, numbers_.data(), before));
    share_.Set(states_.bytes() + other_keys_.bytes());
    if (is_full_ || !share_.IsOver()) return absl::OkStatus();
    is_full_ = true;
    states_.Postpone(true);
    return absl::OkStatus();
  }

  absl::Status FinishGroups() {
    TURDB_RETURN_IF_ERROR(states_.Complete());
    std::vector<ColumnVector> row(width() + 1);
    for (uint32_t at = 0; at < states_.size(); at += kBatchRows) {
      const uint32_t n = std::min<uint32_t>(kBatchRows, states_.size() - at);
      Arena arena;
      for (size_t g = 0; g < groups_.size(); ++g) other_keys_.ReadColumn(g, at, n, &row[g]);
      TURDB_RETURN_IF_ERROR(states_.Finish(at, n, &arena, &row[groups_.size()]));
      other_keys_.ReadColumn(groups_.size(), at, n, &row[width()]);
      TURDB_RETURN_IF_ERROR(sorted_->Add(row.data(), nullptr, n));
    }
    StartGroups();
    return absl::OkStatus();
  }

  const PhysicalAggregate& node_;
  OperatorPtr child_;
  ExecContext* context_;
  MemoryShare share_;
  std::vector<EvaluatorPtr> groups_;
  GroupStates states_;
  std::vector<int> slots_;  // of the input that the calls read
  KeyTable table_;
  std::vector<ColumnVector> keys_;
  std::vector<uint32_t> numbers_, known_, unknown_, known_numbers_;
  SubFrame known_rows_;
  ColumnBatch input_;
  bool has_run_ = false;
  bool is_full_ = false;                // memory is used up
  int64_t row_number_ = 0;
  uint32_t emitted_ = 0;                // groups of the table
  std::unique_ptr<KeyGroups> others_;   // rows whose groups are not in the table
  std::unique_ptr<RowSorter> sorted_;   // results of those groups, by first row
  RowStore other_keys_;                 // of the groups being computed, with the number of the first row
  std::vector<ColumnVector> other_input_;
};

}  // namespace

BuiltOperator BuildAggregate(const PhysicalAggregate& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  auto aggregate = std::make_unique<Aggregate>(node, std::move(child), builder->context);
  TURDB_RETURN_IF_ERROR(aggregate->Compile(builder));
  return OperatorPtr(std::move(aggregate));
}

}  // namespace turdb::sql
