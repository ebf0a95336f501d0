// JoinPartitions: both sides of a hash join on disk, cut into parts by the hash of the key (Grace).
//
// Rows that match lie in the same part. A part whose build side is still too large is cut again by other bits of the hash;
// one that cannot be cut, because its rows have one key or the depth is used up, is marked, and the join takes it in
// pieces. Parts are taken depth first, so the space of what has been cut is free soon. Not thread-safe.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "sql/exec/row_spill.h"

namespace turdb::sql {

struct JoinPart {
  std::shared_ptr<RowSpill> spill;  // of both runs
  RowRun left, right;
  int level = 0;             // how often it has been cut
  bool is_divisible = true;
};

class JoinPartitions {
 public:
  JoinPartitions(ExecContext* context, int node_id) : context_(context), node_id_(node_id) {}
  void Reset();

  // Begins to cut: the rows of `parent`, or all of the join's input when it is null.
  void Begin(const JoinPart* parent);
  absl::Status AddLeft(const ColumnBatch& rows, const uint64_t* hashes) { return Add(rows, hashes, false); }
  absl::Status AddRight(const ColumnBatch& rows, const uint64_t* hashes) { return Add(rows, hashes, true); }
  // After the last row of a side: writes what is still in memory.
  absl::Status FinishSide(bool is_right);
  // Puts the parts that were cut on top of those to do.
  void End();

  // The next part to do; false when there is none.
  bool Pop(JoinPart* part);

 private:
  static constexpr uint32_t kParts = 16;
  static constexpr int kMostLevels = 6;
  absl::Status Add(const ColumnBatch& rows, const uint64_t* hashes, bool is_right);
  absl::Status Flush(uint32_t part, bool is_right);

  ExecContext* context_;
  int node_id_;
  int level_ = 0;
  uint64_t parent_rows_ = 0;
  std::shared_ptr<RowSpill> spill_;
  std::array<JoinPart, kParts> cut_;
  std::array<RowStore, kParts> buffers_;
  std::array<std::vector<uint32_t>, kParts> selected_;
  std::vector<JoinPart> to_do_;
};

}  // namespace turdb::sql
