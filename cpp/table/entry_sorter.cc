#include "table/entry_sorter.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_tree.h"

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

constexpr uint64_t kEntriesBetweenChecks = 16384;

// Takes entries in ascending order and writes them to an index.
class IndexFiller {
 public:
  IndexFiller(pager::FileWriter* writer, const catalog::TableDef& table, const catalog::IndexDef& index,
              const std::function<absl::Status()>& check)
      : writer_(writer), table_(table), index_(index), check_(check) {}

  absl::Status Add(const SortedEntry& entry) {
    if (count_ == 0) {
      TURDB_ASSIGN_OR_RETURN(const bool is_behind_all, IsBehindAll(writer_->view(), entry.key));
      if (is_behind_all) appender_.emplace(writer_);
    } else if (entry.key == last_key_) {
      if (entry.is_distinct) return ConflictError(table_, &index_);
      return CorruptionError("index '", index_.name, "' would have two entries for one row");
    }
    last_key_.assign(entry.key);
    if (++count_ % kEntriesBetweenChecks == 0 && check_ != nullptr) TURDB_RETURN_IF_ERROR(check_());
    if (appender_.has_value()) return appender_->Append(entry.key, entry.payload);
    TURDB_ASSIGN_OR_RETURN(const bool is_new, btree::InsertKey(writer_, entry.key, entry.payload));
    if (is_new) return absl::OkStatus();
    if (entry.is_distinct) return ConflictError(table_, &index_);
    return CorruptionError("index '", index_.name, "' has an entry already for a row that is new");
  }
  absl::Status Finish() { return appender_.has_value() ? appender_->Finish() : absl::OkStatus(); }

 private:
  pager::FileWriter* writer_;
  const catalog::TableDef& table_;
  const catalog::IndexDef& index_;
  const std::function<absl::Status()>& check_;
  std::optional<btree::KeyAppender> appender_;  // when all keys come behind those of the index
  std::string last_key_;
  uint64_t count_ = 0;
};

}  // namespace

absl::Status EntrySorter::Add(const IndexEntry& entry) {
  char* bytes = arena_.Allocate(entry.key.size() + entry.payload.size(), 1);
  std::memcpy(bytes, entry.key.data(), entry.key.size());
  std::memcpy(bytes + entry.key.size(), entry.payload.data(), entry.payload.size());
  items_.push_back({KeyPrefix(entry.key), bytes, static_cast<uint32_t>(entry.key.size()),
                    static_cast<uint32_t>(entry.payload.size()), entry.is_distinct});
  return arena_.used_bytes() + items_.size() * sizeof(Item) > memory_bytes_ ? WriteRun() : absl::OkStatus();
}

void EntrySorter::Sort() {
  if (!std::is_sorted(items_.begin(), items_.end())) std::sort(items_.begin(), items_.end());
}

absl::Status EntrySorter::WriteRun() {
  Sort();
  runs_.BeginRun();
  for (const Item& item : items_) TURDB_RETURN_IF_ERROR(runs_.Add(item.entry()));
  TURDB_RETURN_IF_ERROR(runs_.EndRun());
  items_.clear();
  arena_.Reset();
  return absl::OkStatus();
}

absl::Status EntrySorter::WriteTo(pager::FileWriter* writer, const catalog::TableDef& table, const catalog::IndexDef& index,
                                  const std::function<absl::Status()>& check) {
  IndexFiller filler(writer, table, index, check);
  if (!runs_.empty()) {
    if (!items_.empty()) TURDB_RETURN_IF_ERROR(WriteRun());
    std::vector<Item>().swap(items_);
    TURDB_RETURN_IF_ERROR(runs_.Merge([&](const SortedEntry& entry) { return filler.Add(entry); }));
    return filler.Finish();
  }
  Sort();
  for (const Item& item : items_) TURDB_RETURN_IF_ERROR(filler.Add(item.entry()));
  return filler.Finish();
}

}  // namespace turdb::table
