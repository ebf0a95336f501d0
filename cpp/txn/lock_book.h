// LockBook: the rows and keys of one table that one transaction holds, S or X.
//
// There is no other record of them: whoever wants to know who holds a row looks into the books of those who have its table
// (lock_table.h). Rowids are neighbours most of the time, and cost some bits each; hashes of keys are not, and cost 10 to 21 bytes
// (base/id_set.h). An id is in one of the two sets. Several threads may read at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/id_set.h"
#include "txn/lock_mode.h"

namespace turdb::txn {

class LockBook {
 public:
  // REQUIRES of all: keys are of rows, or of index keys, of one table. Modes are kShared and kExclusive.
  LockMode Find(const LockKey& key) const {
    const Part* const part = key.kind == LockKey::Kind::kRow ? &rows_ : FindKeys(key.index);
    return part == nullptr ? LockMode::kNone : part->Find(key.id);
  }
  bool Enter(const LockKey& key, LockMode mode);  // whether that is new or stronger
  void Set(const LockKey& key, LockMode mode);    // may be weaker
  bool Erase(const LockKey& key);                 // whether it was there
  void Clear();

  size_t size() const { return size_; }
  size_t heap_bytes() const;
  template <typename Visit>
  void ForEach(FileId table, Visit visit) const {  // visit(key, mode), in no order
    rows_.ForEach(LockKey{table, LockKey::Kind::kRow}, visit);
    for (const auto& keys : keys_) keys->ForEach(LockKey{table, LockKey::Kind::kKey, 0, keys->index}, visit);
  }

 private:
  // Rows, or the keys of one index. What others ask for is most often out of its range, which is all that they look at then.
  struct Part {
    uint64_t least = UINT64_MAX, most = 0;
    FileId index{0};
    IdSet exclusive, shared;

    LockMode Find(uint64_t id) const {
      if (id < least || id > most) return LockMode::kNone;
      if (exclusive.Contains(id)) return LockMode::kExclusive;
      return shared.Contains(id) ? LockMode::kShared : LockMode::kNone;
    }
    template <typename Visit>
    void ForEach(LockKey key, Visit& visit) const {
      const auto visit_as = [&](LockMode mode) {
        return [&visit, key, mode](uint64_t id) mutable {
          key.id = id;
          visit(key, mode);
        };
      };
      exclusive.ForEach(visit_as(LockMode::kExclusive));
      shared.ForEach(visit_as(LockMode::kShared));
    }
  };

  const Part* FindKeys(FileId index) const {
    for (const auto& keys : keys_) {
      if (keys->index == index) return keys.get();
    }
    return nullptr;
  }
  Part* PartOf(const LockKey& key);  // made if it is not there

  Part rows_;
  size_t size_ = 0;
  std::vector<std::unique_ptr<Part>> keys_;  // by index
};

}  // namespace turdb::txn
