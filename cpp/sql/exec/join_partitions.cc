#include "sql/exec/join_partitions.h"

#include "base/status_macros.h"

namespace turdb::sql {

void JoinPartitions::Reset() {
  to_do_.clear();
  spill_ = nullptr;
  for (JoinPart& part : cut_) part = JoinPart();
  for (RowStore& buffer : buffers_) buffer.Free();
}

void JoinPartitions::Begin(const JoinPart* parent) {
  level_ = parent == nullptr ? 0 : parent->level + 1;
  parent_rows_ = parent == nullptr ? 0 : parent->right.rows;
  spill_ = std::make_shared<RowSpill>(context_, node_id_);
  for (JoinPart& part : cut_) {
    part = JoinPart();
    part.spill = spill_;
    part.level = level_;
  }
}

absl::Status JoinPartitions::Add(const ColumnBatch& rows, const uint64_t* hashes, bool is_right) {
  for (auto& selected : selected_) selected.clear();
  for (uint32_t i = 0; i < rows.size; ++i) {
    // Other bits at every level, and none that a hash table of a part depends on alone.
    const uint64_t mixed = (hashes[i] ^ (static_cast<uint64_t>(level_) + 1) * 0x9e3779b97f4a7c15ULL) * 0xd6e8feb86659fd93ULL;
    selected_[mixed >> 60].push_back(i);
  }
  for (uint32_t part = 0; part < kParts; ++part) {
    if (selected_[part].empty()) continue;
    RowStore& buffer = buffers_[part];
    if (buffer.size() == 0) buffer.Reset(rows.columns.size());
    buffer.AppendRows(rows.columns.data(), selected_[part].data(), static_cast<uint32_t>(selected_[part].size()));
    if (buffer.bytes() >= context_->memory.block_bytes()) TURDB_RETURN_IF_ERROR(Flush(part, is_right));
  }
  return absl::OkStatus();
}

absl::Status JoinPartitions::Flush(uint32_t part, bool is_right) {
  RowStore& buffer = buffers_[part];
  absl::Status status = spill_->Write(buffer, is_right ? &cut_[part].right : &cut_[part].left);
  buffer.Reset(buffer.columns());
  return status;
}

absl::Status JoinPartitions::FinishSide(bool is_right) {
  for (uint32_t part = 0; part < kParts; ++part) {
    TURDB_RETURN_IF_ERROR(Flush(part, is_right));
    buffers_[part].Free();
  }
  return absl::OkStatus();
}

void JoinPartitions::End() {
  for (JoinPart& part : cut_) {
    if (part.left.rows == 0 && part.right.rows == 0) continue;
    part.is_divisible = level_ + 1 < kMostLevels && part.right.rows != parent_rows_;
    spill_->CountRun();
    to_do_.push_back(std::move(part));
    part = JoinPart();
  }
  spill_ = nullptr;
}

bool JoinPartitions::Pop(JoinPart* part) {
  if (to_do_.empty()) return false;
  *part = std::move(to_do_.back());
  to_do_.pop_back();
  return true;
}

}  // namespace turdb::sql
