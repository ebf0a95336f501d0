// See entry_sorter.h.

#include "table/entry_sorter.h"

#include <algorithm>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"
#include "table/table_writer.h"

namespace turdb::table {
namespace {

uint64_t KeyPrefix(std::string_view key) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, key.data(), std::min<size_t>(key.size(), 8));
  return __builtin_bswap64(prefix);
}

// Whether every key of the tree is smaller than `key`.
absl::StatusOr<bool> IsBehindAll(const pager::FileView& view, std::string_view key) {
  Arena arena;
  btree::KeyCursor cursor(view, &arena);
  TURDB_RETURN_IF_ERROR(cursor.SeekLast());
  if (!cursor.valid()) return true;
  TURDB_ASSIGN_OR_RETURN(const std::string_view last, cursor.Key());
  return last < key;
}

}  // namespace

void EntrySorter::Add(const IndexEntry& entry) {
  char* bytes = arena_.Allocate(entry.key.size() + entry.payload.size(), 1);
  std::memcpy(bytes, entry.key.data(), entry.key.size());
  std::memcpy(bytes + entry.key.size(), entry.payload.data(), entry.payload.size());
  items_.push_back({KeyPrefix(entry.key), bytes, static_cast<uint32_t>(entry.key.size()),
                    static_cast<uint32_t>(entry.payload.size()), entry.is_distinct});
}

absl::Status EntrySorter::CheckDistinct(const catalog::TableDef& table, const catalog::IndexDef& index) const {
  for (size_t i = 1; i < items_.size(); ++i) {
    if (items_[i].prefix != items_[i - 1].prefix || items_[i].key() != items_[i - 1].key()) continue;
    if (items_[i].is_distinct) return ConflictError(table, &index);
    return CorruptionError("index '", index.name, "' would have two entries for one row");
  }
  return absl::OkStatus();
}

absl::Status EntrySorter::WriteTo(pager::FileWriter* writer, const catalog::TableDef& table, const catalog::IndexDef& index) {
  if (items_.empty()) return absl::OkStatus();
  if (!std::is_sorted(items_.begin(), items_.end())) std::sort(items_.begin(), items_.end());
  TURDB_RETURN_IF_ERROR(CheckDistinct(table, index));
  TURDB_ASSIGN_OR_RETURN(const bool is_behind_all, IsBehindAll(writer->view(), items_.front().key()));
  if (is_behind_all) {
    btree::KeyAppender appender(writer);
    for (const Item& item : items_) TURDB_RETURN_IF_ERROR(appender.Append(item.key(), item.payload()));
    return appender.Finish();
  }
  for (const Item& item : items_) {
    TURDB_ASSIGN_OR_RETURN(const bool is_new, btree::InsertKey(writer, item.key(), item.payload()));
    if (is_new) continue;
    if (item.is_distinct) return ConflictError(table, &index);
    return CorruptionError("index '", index.name, "' has an entry already for a row that is new");
  }
  return absl::OkStatus();
}

}  // namespace turdb::table
