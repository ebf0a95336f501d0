#include "sql/exec/key_groups.h"

#include "base/status_macros.h"
#include "sql/exec/key_table.h"

namespace turdb::sql {

// Columns: payload, key, number, hash.
std::vector<OrderColumn> KeyGroups::Order(size_t payload, const std::vector<Collation>& collations) {
  std::vector<OrderColumn> order = {{payload + collations.size() + 1}};
  for (size_t i = 0; i < collations.size(); ++i) order.push_back({payload + i, false, true, collations[i]});
  return order;
}

KeyGroups::KeyGroups(ExecContext* context, int node_id, size_t payload, const std::vector<Collation>& collations)
    : payload_(payload), collations_(collations), sorter_(context, node_id, Order(payload, collations)),
      by_key_(Order(payload, collations), context->collations) {
  sorter_.Reset(payload + collations.size() + 2);
  last_.Reset(payload + collations.size() + 2);
}

absl::Status KeyGroups::Add(const ColumnVector* payload, const ColumnVector* keys, const uint32_t* selected, uint32_t count,
                            const std::vector<int64_t>& numbers) {
  if (count == 0) return absl::OkStatus();
  const uint32_t rows = static_cast<uint32_t>(numbers.size());
  row_.resize(payload_ + collations_.size() + 2);
  for (size_t i = 0; i < payload_; ++i) row_[i].Reference(payload[i]);
  for (size_t i = 0; i < collations_.size(); ++i) row_[payload_ + i].Reference(keys[i]);
  hashes_.resize(rows);
  HashKeys(keys, collations_, rows, hashes_.data());
  std::copy(numbers.begin(), numbers.end(), row_[payload_ + collations_.size()].ResetInt64(rows));
  int64_t* hashes = row_.back().ResetInt64(rows);
  for (uint32_t i = 0; i < rows; ++i) hashes[i] = static_cast<int64_t>(hashes_[i]);
  absl::Status status = sorter_.Add(row_.data(), selected, count);
  for (size_t i = 0; i + 2 < row_.size(); ++i) row_[i] = ColumnVector();
  return status;
}

absl::Status KeyGroups::Next(ColumnBatch* batch) {
  const size_t width = payload_ + collations_.size() + 2;
  TURDB_RETURN_IF_ERROR(sorter_.Next(width, batch));
  starts_.assign(batch->size, true);
  if (batch->size == 0) return absl::OkStatus();
  const ColumnVector* columns = batch->columns.data();
  if (last_.size() > 0) {
    last_columns_.resize(width);
    for (size_t c = 0; c < width; ++c) last_.ReadColumn(c, 0, 1, &last_columns_[c]);
    starts_[0] = by_key_.CompareRows(columns, 0, last_columns_.data(), 0) != 0;
  }
  for (uint32_t i = 1; i < batch->size; ++i) starts_[i] = by_key_.CompareRows(columns, i, columns, i - 1) != 0;
  last_.Reset(width);
  const uint32_t last = batch->size - 1;
  last_.AppendRows(columns, &last, 1);
  batch->columns.pop_back();  // the hash
  return absl::OkStatus();
}

}  // namespace turdb::sql
