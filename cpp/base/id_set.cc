#include "base/id_set.h"

namespace turdb {

bool IdSet::Insert(uint64_t id) {
  if (bits_ == 0 || GroupOf(id) != group_) {
    if (!InsertOfOtherGroup(id)) return false;
  } else {
    if ((bits_ & BitOf(id)) != 0) return false;
    bits_ |= BitOf(id);
  }
  ++size_;
  return true;
}

bool IdSet::InsertOfOtherGroup(uint64_t id) {
  const uint64_t group = GroupOf(id), bit = BitOf(id);
  if (!groups_.empty()) {
    if (const auto found = groups_.find(group); found != groups_.end()) {
      const bool is_new = (found->second & bit) == 0;
      found->second |= bit;
      return is_new;
    }
  }
  uint64_t bits = bit;
  if (!single_.empty()) {
    if (const auto found = single_.find(id); found != single_.end()) {
      if (*found == id) return false;
      bits |= BitOf(*found);
      single_.erase(found);
    }
  }
  PutAway();
  group_ = group;
  bits_ = bits;
  return true;
}

void IdSet::PutAway() {
  if (bits_ == 0) return;
  const bool is_single = (bits_ & (bits_ - 1)) == 0;
  if (is_single) single_.insert(group_ << 6 | static_cast<uint64_t>(__builtin_ctzll(bits_)));
  else groups_.emplace(group_, bits_);
  bits_ = 0;
}

bool IdSet::Contains(uint64_t id) const {
  if (size_ == 0) return false;
  const uint64_t group = GroupOf(id);
  if (bits_ != 0 && group == group_) return (bits_ & BitOf(id)) != 0;
  if (!groups_.empty()) {
    if (const auto found = groups_.find(group); found != groups_.end()) return (found->second & BitOf(id)) != 0;
  }
  if (single_.empty()) return false;
  const auto found = single_.find(id);
  return found != single_.end() && *found == id;
}

bool IdSet::Erase(uint64_t id) {
  if (!Contains(id)) return false;
  --size_;
  if (bits_ != 0 && GroupOf(id) == group_) {
    bits_ &= ~BitOf(id);
    return true;
  }
  const auto found = groups_.find(GroupOf(id));
  if (found == groups_.end()) {
    single_.erase(id);
  } else if ((found->second &= ~BitOf(id)) == 0) {
    groups_.erase(found);
  }
  return true;
}

void IdSet::Clear() {
  groups_ = {};
  single_ = {};
  size_ = 0;
  bits_ = 0;
}

}  // namespace turdb
