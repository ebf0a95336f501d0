// IdSet: a set of 64-bit numbers that are most often neighbours, as the rows that a transaction has locked.
//
// Numbers are kept in groups of 64 neighbours. A group of which several are in the set is a word of bits in a hash table; one of
// which a single number is there is that number in a hash set. So a dense set costs some bits a number, and a scattered
// one no more than a plain hash set. The group added to last is in the object itself until another one is:
// numbers that come in order reach a hash table once in 64, and a set of one number is no allocation.
// Invariants: (1) a group is in one place: here, in groups_ or in single_; (2) bits_ is 0 when none is here.
// Several threads may read at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"

namespace turdb {

class IdSet {
 public:
  IdSet() = default;
  IdSet(const IdSet&) = delete;
  IdSet& operator=(const IdSet&) = delete;

  bool Insert(uint64_t id);  // whether it was not there
  bool Erase(uint64_t id);   // whether it was there
  bool Contains(uint64_t id) const;
  void Clear();

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t heap_bytes() const {
    return groups_.capacity() * (sizeof(Groups::value_type) + 1) + single_.capacity() * (sizeof(uint64_t) + 1);
  }

  template <typename Visit>
  void ForEach(Visit visit) const {  // in no order
    VisitBits(group_, bits_, visit);
    for (const auto& [group, bits] : groups_) VisitBits(group, bits, visit);
    for (const uint64_t id : single_) visit(id);
  }

 private:
  static uint64_t GroupOf(uint64_t id) { return id >> 6; }
  static uint64_t BitOf(uint64_t id) { return uint64_t{1} << (id & 63); }
  struct GroupHash {
    size_t operator()(uint64_t id) const { return absl::HashOf(GroupOf(id)); }
  };
  struct IsSameGroup {
    bool operator()(uint64_t a, uint64_t b) const { return GroupOf(a) == GroupOf(b); }
  };
  using Groups = absl::flat_hash_map<uint64_t, uint64_t>;
  using Single = absl::flat_hash_set<uint64_t, GroupHash, IsSameGroup>;

  template <typename Visit>
  static void VisitBits(uint64_t group, uint64_t bits, Visit& visit) {
    for (; bits != 0; bits &= bits - 1) visit(group << 6 | static_cast<uint64_t>(__builtin_ctzll(bits)));
  }
  bool InsertOfOtherGroup(uint64_t id);
  void PutAway();

  size_t size_ = 0;
  uint64_t group_ = 0, bits_ = 0;  // the group added to last
  Groups groups_;                  // of several
  Single single_;                  // of one
};

}  // namespace turdb
