#include "sql/exec/window_large.h"

#include <algorithm>

#include "base/status_macros.h"
#include "sql/exec/window_call.h"

namespace turdb::sql {

LargeWindow::LargeWindow(const WindowPassInput* input)
    : in_(*input), group_column_(input->layout.width - input->layout.kept), rows_(in_.context, in_.node->id),
      groups_(in_.context, in_.node->id) {
  rows_.Reset(group_column_ + 1);
  groups_.Reset(1);
}

absl::Status LargeWindow::Append(std::vector<ColumnVector> columns, uint32_t rows, const std::vector<bool>& starts_partition,
                                 const std::vector<bool>& starts_peers, uint64_t first) {
  columns.emplace_back();
  int64_t* const groups = columns.back().ResetInt64(rows);
  for (uint32_t i = 0; i < rows; ++i) {
    const uint64_t at = rows_.size() + i;
    if (at == 0 || starts_partition[first + i]) partitions_.push_back(at);
    if (at == 0 || starts_partition[first + i] || starts_peers[first + i]) {
      const Cell start = Cell::Integer(static_cast<int64_t>(at));
      TURDB_RETURN_IF_ERROR(groups_.AppendRow(&start));
    }
    groups[i] = static_cast<int64_t>(groups_.size()) - 1;
  }
  return rows_.Append(columns.data(), nullptr, rows);
}

uint64_t LargeWindow::partition_start(uint64_t at) const {
  if (at >= partitions_.back()) return partitions_.back();
  return *std::prev(std::upper_bound(partitions_.begin(), partitions_.end(), at));
}

uint64_t LargeWindow::partition_end(uint64_t at) const {
  return at >= partitions_.back() ? rows_.size() : *std::upper_bound(partitions_.begin(), partitions_.end(), at);
}

// --- the calls -------------------------------------------------------------------------------

absl::Status LargeWindow::RunCalls() {
  const Cell end = Cell::Integer(static_cast<int64_t>(rows_.size()));
  TURDB_RETURN_IF_ERROR(groups_.AppendRow(&end));
  for (size_t c = 0; c < in_.last - in_.first; ++c) TURDB_RETURN_IF_ERROR(RunCall(c));
  cursor_ = nullptr;
  group_cursor_ = nullptr;
  for (const auto& results : results_) result_cursors_.push_back(std::make_unique<RowCursor>(in_.context, results.get()));
  return absl::OkStatus();
}

absl::Status LargeWindow::RunCall(size_t call) {
  const WindowLayout& layout = in_.layout;
  const CompiledWindowCall& compiled = *(*in_.calls)[in_.first + call];
  cursor_ = std::make_unique<RowCursor>(in_.context, &rows_);
  group_cursor_ = std::make_unique<RowCursor>(in_.context, &groups_);
  order_column_ = layout.partition_keys;
  first_arg_ = layout.args[call] - layout.kept;
  args_ = compiled.args.size();
  filter_ = layout.filters[call] == 0 ? 0 : layout.filters[call] - layout.kept;
  results_.push_back(std::make_unique<KeptRows>(in_.context, in_.node->id));
  to_ = results_.back().get();
  to_->Reset(1);
  WindowInput input;
  input.call = &in_.node->calls[in_.first + call];
  input.start = compiled.start.get();
  input.end = compiled.end.get();
  input.context = in_.context;
  return RunWindowCall(input, this);
}

void LargeWindow::Put(uint64_t at, const Cell& value) {
  if (!put_status_.ok()) return;
  put_status_ = to_->AppendRow(&value);
}

absl::Status LargeWindow::status() const {
  TURDB_RETURN_IF_ERROR(cursor_->status());
  TURDB_RETURN_IF_ERROR(group_cursor_->status());
  return put_status_;
}

absl::Status LargeWindow::Results(size_t call, uint64_t first, uint32_t count, Arena* arena, ColumnVector* to) {
  RowCursor& cursor = *result_cursors_[call];
  Cell* const cells = to->ResetCells(count);
  const Arena* held = nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    cells[i] = cursor.Get(0, first + i);
    if (!cells[i].has_bytes() || cursor.arena().get() == held) continue;
    held = cursor.arena().get();
    arena->Hold(cursor.arena());
  }
  return cursor.status();
}

}  // namespace turdb::sql
