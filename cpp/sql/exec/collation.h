// CollationRegistry: the collating functions that a connection added, and comparison under any collation.
//
// Built-in collations are compared by types/cell.h; Collation::kFirstUser + i is the registry's i-th. Texts under a user
// collation all hash alike, so hash tables stay right under any ordering. Not thread-safe: one connection's.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "types/cell.h"

namespace turdb::sql {

using CollationFunction = std::function<int(std::string_view, std::string_view)>;

class CollationRegistry {
 public:
  // Adds or replaces; an empty function removes (statements that use it then compare bytes).
  absl::StatusOr<Collation> Register(std::string_view name, CollationFunction function);
  int Find(std::string_view name) const;  // of a user collation, -1 when unknown
  int Compare(std::string_view a, std::string_view b, Collation collation) const;

 private:
  struct Entry {
    std::string name;  // lower case
    CollationFunction function;
  };
  std::vector<Entry> entries_;
};

// "binary", "nocase", "rtrim" in any case, or -1.
int FindBuiltinCollation(std::string_view name);

inline bool IsUserCollation(Collation collation) { return collation >= Collation::kFirstUser; }

// CompareCells under any collation. `registry` may be null when the collation is a built-in one.
int CompareCollated(const Cell& a, const Cell& b, Collation collation, const CollationRegistry* registry);

}  // namespace turdb::sql
