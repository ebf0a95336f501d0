// A set of ColumnIds as a bitmap: which columns an expression needs, which a plan node gives.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "sql/bind/bound_expr.h"

namespace turdb::sql {

class ColumnSet {
 public:
  ColumnSet() = default;
  static ColumnSet Of(const std::vector<ColumnId>& columns) {
    ColumnSet set;
    for (ColumnId id : columns) set.Add(id);
    return set;
  }
  static ColumnSet Of(const BoundExpr& expr);  // every column it reads, outer columns of subqueries included

  void Add(ColumnId id) {
    const size_t word = id.value() / 64;
    if (word >= words_.size()) words_.resize(word + 1, 0);
    words_[word] |= uint64_t{1} << (id.value() % 64);
  }
  void AddAll(const ColumnSet& other) {
    if (other.words_.size() > words_.size()) words_.resize(other.words_.size(), 0);
    for (size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
  }
  bool Contains(ColumnId id) const {
    const size_t word = id.value() / 64;
    return word < words_.size() && ((words_[word] >> (id.value() % 64)) & 1);
  }
  bool ContainsAll(const ColumnSet& other) const {
    for (size_t i = 0; i < other.words_.size(); ++i) {
      const uint64_t mine = i < words_.size() ? words_[i] : 0;
      if ((other.words_[i] & ~mine) != 0) return false;
    }
    return true;
  }
  bool Intersects(const ColumnSet& other) const {
    for (size_t i = 0; i < words_.size() && i < other.words_.size(); ++i) {
      if ((words_[i] & other.words_[i]) != 0) return true;
    }
    return false;
  }
  bool empty() const {
    for (uint64_t word : words_) {
      if (word != 0) return false;
    }
    return true;
  }

 private:
  absl::InlinedVector<uint64_t, 2> words_;
};

}  // namespace turdb::sql
