// The parts of a rebuild (rebuild.h), each from an old file's view into a new file that holds nothing yet.
#pragma once

#include <functional>
#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "pager/file_writer.h"
#include "table/slot_ranks.h"
#include "table/table_writer.h"
#include "table/vector_column.h"

namespace turdb::table {

using RanksByColumn = std::map<int, SlotRanks>;  // by number of the vector column

// Tells a progress callback about pages of several files as one sequence.
class PageProgress {
 public:
  explicit PageProgress(const Progress& progress) : progress_(progress) {}
  void AddFile(uint64_t pages) { total_ += pages; }
  absl::Status Add(uint64_t pages) {
    done_ = std::min(total_, done_ + pages);
    return progress_ == nullptr ? absl::OkStatus() : progress_(done_, total_);
  }
  // `part` of `whole` of a file of `pages`, which Add will count at its end.
  absl::Status Show(uint64_t pages, uint64_t part, uint64_t whole) const {
    if (progress_ == nullptr) return absl::OkStatus();
    const double share = whole == 0 ? 1 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
    return progress_(std::min(total_, done_ + static_cast<uint64_t>(share * static_cast<double>(pages))), total_);
  }
  absl::Status Done() {
    done_ = total_;
    return Add(0);
  }

 private:
  const Progress& progress_;
  uint64_t done_ = 0, total_ = 0;
};

struct VectorCopy {
  const VectorColumn& from;
  txn::Transaction* to;
  const catalog::ColumnDef& column;  // with its new file
  bool is_owned_by_slot;             // the row id of a vector is its slot's number (WITHOUT ROWID)
};
// The vectors that rows have, in the order of their old slots.
absl::StatusOr<SlotRanks> CopyLiveVectors(const VectorCopy& copy, PageProgress* progress);

absl::Status CopyRowTree(const catalog::TableDef& table, const pager::FileView& from, const RanksByColumn& ranks,
                         pager::FileWriter* to, PageProgress* progress);
// A WITHOUT ROWID table with vector columns.
absl::Status CopyKeyedRows(const catalog::TableDef& table, const pager::FileView& from, const RanksByColumn& ranks,
                           pager::FileWriter* to, PageProgress* progress);
// Makes the payload of an entry anew; null: it stays.
using NewPayload = std::function<absl::StatusOr<std::string_view>(std::string_view key, std::string_view payload)>;
absl::Status CopyKeyTree(const pager::FileView& from, const NewPayload& new_payload, pager::FileWriter* to, PageProgress* progress);

}  // namespace turdb::table
