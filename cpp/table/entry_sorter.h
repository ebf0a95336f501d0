// EntrySorter: many entries of one index, gathered in memory, then written in key order.
//
// An empty index, or one whose keys are all smaller, is bulk-loaded; otherwise sorted entries are inserted, which still
// visits each leaf once. Entries are compared by the first 8 bytes of their keys, then by the rest. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/arena.h"
#include "pager/file_writer.h"
#include "table/index_codec.h"

namespace turdb::table {

class EntrySorter {
 public:
  void Reserve(size_t entries) { items_.reserve(entries); }
  void Add(const IndexEntry& entry);
  size_t size() const { return items_.size(); }
  // kConstraint when two distinct entries, or one and the index, have the same key.
  absl::Status WriteTo(pager::FileWriter* writer, const catalog::TableDef& table, const catalog::IndexDef& index);

 private:
  struct Item {
    uint64_t prefix;  // the key's first 8 bytes, big-endian, zero-padded
    const char* bytes;  // key, then payload
    uint32_t key_bytes;
    uint32_t payload_bytes : 31;
    uint32_t is_distinct : 1;

    std::string_view key() const { return {bytes, key_bytes}; }
    std::string_view payload() const { return {bytes + key_bytes, payload_bytes}; }
    bool operator<(const Item& other) const {
      return prefix != other.prefix ? prefix < other.prefix : key() < other.key();
    }
  };
  absl::Status CheckDistinct(const catalog::TableDef& table, const catalog::IndexDef& index) const;

  std::vector<Item> items_;
  Arena arena_{1 << 16};
};

}  // namespace turdb::table
