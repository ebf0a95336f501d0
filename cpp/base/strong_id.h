// Strong integer ids: PageId, TxnId, Lsn, RowId, ... never mix by accident.
// A StrongId is a trivially copyable wrapper of its integer; `.value()` gets the integer out.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace turdb {

template <typename Tag, typename Rep>
class StrongId {
 public:
  using RepType = Rep;
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(StrongId a, StrongId b) = default;
  constexpr StrongId& operator++() {
    ++value_;
    return *this;
  }
  friend constexpr StrongId operator+(StrongId a, Rep n) { return StrongId(a.value_ + n); }
  friend constexpr Rep operator-(StrongId a, StrongId b) { return a.value_ - b.value_; }
  template <typename H>
  friend H AbslHashValue(H h, StrongId id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  Rep value_ = 0;
};

using PageId = StrongId<struct PageIdTag, uint32_t>;    // a page of one file; page 0 is its header
using OverflowRef = StrongId<struct OverflowRefTag, uint32_t>;  // a link of an overflow chain (format/overflow.h)
using FileId = StrongId<struct FileIdTag, uint32_t>;    // a file of one database, never reused
using TxnId = StrongId<struct TxnIdTag, uint64_t>;      // a transaction of one database
using Lsn = StrongId<struct LsnTag, uint64_t>;          // byte position in the endless log
using RowId = StrongId<struct RowIdTag, int64_t>;       // a row of one table, as in SQLite
using NodeId = StrongId<struct NodeIdTag, uint32_t>;    // a vector's slot, and its node in a graph
using ObjectId = StrongId<struct ObjectIdTag, uint64_t>;  // a catalog object, never reused

}  // namespace turdb

template <typename Tag, typename Rep>
struct std::hash<turdb::StrongId<Tag, Rep>> {
  size_t operator()(turdb::StrongId<Tag, Rep> id) const { return std::hash<Rep>()(id.value()); }
};
