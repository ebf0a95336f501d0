// LockMode and LockKey: how something is locked, and what.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/strong_id.h"

namespace turdb::txn {

enum class LockMode : uint8_t { kNone = 0, kIntentionShared, kIntentionExclusive, kShared, kExclusive };
std::string_view LockModeName(LockMode mode);
// Whether holding `held` needs nothing more to do what `wanted` allows.
bool Covers(LockMode held, LockMode wanted);
// Whether two owners may hold them at a time.
bool AreCompatible(LockMode a, LockMode b);
// The weakest mode that covers both.
LockMode Union(LockMode a, LockMode b);

struct LockKey {
  enum class Kind : uint8_t { kDatabase, kTable, kRow, kKey };
  FileId table;
  Kind kind = Kind::kDatabase;
  uint64_t id = 0;    // rowid, or hash of an encoded key; rows that share one only wait more
  FileId index{0};    // of a kKey

  bool is_of_table() const { return kind == Kind::kRow || kind == Kind::kKey; }
  friend bool operator==(const LockKey& a, const LockKey& b) = default;
  template <typename H>
  friend H AbslHashValue(H h, const LockKey& key) {
    return H::combine(std::move(h), key.table, key.kind, key.id, key.index);
  }
};

}  // namespace turdb::txn
