#include "sql/exec/collation.h"

#include <limits>

#include "base/errors.h"

namespace turdb::sql {

int FindBuiltinCollation(std::string_view name) {
  if (EqualsIgnoreCase(name, "binary")) return static_cast<int>(Collation::kBinary);
  if (EqualsIgnoreCase(name, "nocase")) return static_cast<int>(Collation::kNocase);
  if (EqualsIgnoreCase(name, "rtrim")) return static_cast<int>(Collation::kRtrim);
  return -1;
}

absl::StatusOr<Collation> CollationRegistry::Register(std::string_view name, CollationFunction function) {
  const std::string lower = AsciiLowerCopy(name);
  constexpr size_t kMost = std::numeric_limits<uint8_t>::max() - static_cast<size_t>(Collation::kFirstUser);
  size_t i = 0;
  while (i < entries_.size() && entries_[i].name != lower) ++i;
  if (i == kMost) return BadValueError("cannot create collation ", name, ": a connection takes at most ", kMost);
  if (i == entries_.size()) entries_.push_back({lower, nullptr});
  entries_[i].function = std::move(function);
  return static_cast<Collation>(static_cast<size_t>(Collation::kFirstUser) + i);
}

int CollationRegistry::Find(std::string_view name) const {
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].function != nullptr && EqualsIgnoreCase(entries_[i].name, name)) {
      return static_cast<int>(Collation::kFirstUser) + static_cast<int>(i);
    }
  }
  return -1;
}

int CollationRegistry::Compare(std::string_view a, std::string_view b, Collation collation) const {
  const size_t i = static_cast<size_t>(collation) - static_cast<size_t>(Collation::kFirstUser);
  if (i >= entries_.size() || entries_[i].function == nullptr) return CompareText(a, b, Collation::kBinary);
  return entries_[i].function(a, b);
}

int CompareCollated(const Cell& a, const Cell& b, Collation collation, const CollationRegistry* registry) {
  if (registry != nullptr && IsUserCollation(collation) && a.is_text() && b.is_text()) {
    return registry->Compare(a.view(), b.view(), collation);
  }
  return CompareCells(a, b, IsUserCollation(collation) ? Collation::kBinary : collation);
}

}  // namespace turdb::sql
