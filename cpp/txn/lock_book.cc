#include "txn/lock_book.h"

#include <algorithm>
#include <utility>

namespace turdb::txn {

LockBook::Part* LockBook::PartOf(const LockKey& key) {
  if (key.kind == LockKey::Kind::kRow) return &rows_;
  if (const Part* const found = std::as_const(*this).FindKeys(key.index); found != nullptr) return const_cast<Part*>(found);
  keys_.push_back(std::make_unique<Part>());
  keys_.back()->index = key.index;
  return keys_.back().get();
}

bool LockBook::Enter(const LockKey& key, LockMode mode) {
  Part* const part = PartOf(key);
  part->least = std::min(part->least, key.id);
  part->most = std::max(part->most, key.id);
  if (mode == LockMode::kExclusive) {
    if (!part->exclusive.Insert(key.id)) return false;
    if (!part->shared.Erase(key.id)) ++size_;
    return true;
  }
  if (part->exclusive.Contains(key.id) || !part->shared.Insert(key.id)) return false;
  ++size_;
  return true;
}

void LockBook::Set(const LockKey& key, LockMode mode) {
  Erase(key);
  if (mode != LockMode::kNone) Enter(key, mode);
}

bool LockBook::Erase(const LockKey& key) {
  Part* const part = PartOf(key);
  if (!part->exclusive.Erase(key.id) && !part->shared.Erase(key.id)) return false;
  --size_;
  return true;
}

void LockBook::Clear() {
  rows_.least = UINT64_MAX;
  rows_.most = 0;
  rows_.exclusive.Clear();
  rows_.shared.Clear();
  keys_.clear();
  size_ = 0;
}

size_t LockBook::heap_bytes() const {
  size_t bytes = rows_.exclusive.heap_bytes() + rows_.shared.heap_bytes();
  for (const auto& keys : keys_) bytes += sizeof(Part) + keys->exclusive.heap_bytes() + keys->shared.heap_bytes();
  return bytes;
}

}  // namespace turdb::txn
