// EntrySorter: many entries of one index, gathered, then written in key order.
//
// Entries are kept in memory and compared by the first 8 bytes of their keys, then by the rest; past the memory they are
// allowed they go to disk as sorted runs (EntryRuns). An empty index, or one whose keys are all smaller, is bulk-loaded;
// otherwise sorted entries are inserted, which still visits each leaf once. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/arena.h"
#include "pager/file_writer.h"
#include "table/entry_runs.h"
#include "table/index_codec.h"
#include "table/table_writer.h"

namespace turdb::table {

class EntrySorter {
 public:
  explicit EntrySorter(const SortSpace& space = {}) : memory_bytes_(space.memory_bytes), runs_(space.place) {}
  void Reserve(size_t entries) { items_.reserve(std::min<uint64_t>(entries, memory_bytes_ / kLeastBytes)); }
  absl::Status Add(const IndexEntry& entry);  // kDiskFull, kIo
  // kConstraint when two distinct entries, or one and the index, have the same key. `check` stops it with an error.
  absl::Status WriteTo(pager::FileWriter* writer, const catalog::TableDef& table, const catalog::IndexDef& index,
                       const std::function<absl::Status()>& check = nullptr);

 private:
  struct Item {
    uint64_t prefix;  // the key's first 8 bytes, big-endian, zero-padded
    const char* bytes;  // key, then payload
    uint32_t key_bytes;
    uint32_t payload_bytes : 31;
    uint32_t is_distinct : 1;

    SortedEntry entry() const { return {key(), {bytes + key_bytes, payload_bytes}, is_distinct != 0}; }
    std::string_view key() const { return {bytes, key_bytes}; }
    bool operator<(const Item& other) const {
      return prefix != other.prefix ? prefix < other.prefix : key() < other.key();
    }
  };
  static constexpr uint64_t kLeastBytes = sizeof(Item) + 8;  // that an entry takes, about
  void Sort();
  absl::Status WriteRun();

  uint64_t memory_bytes_;
  std::vector<Item> items_;
  Arena arena_{1 << 16};
  EntryRuns runs_;
};

}  // namespace turdb::table
