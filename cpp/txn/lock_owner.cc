#include "txn/lock_owner.h"

namespace turdb::txn {

size_t LockOwner::size() const {
  size_t n = tables_.size() + (database_ == LockMode::kNone ? 0 : 1);
  for (const auto& table : tables_) n += table->book.size();
  return n;
}

LockOwner::Entered LockOwner::EnterAlone(const LockKey& key, LockMode mode) {
  Table* const table = Find(key.table);
  if (table == nullptr) return Entered::kNotAlone;
  std::lock_guard<std::mutex> guard(book_mutex_);
  if (!table->is_alone) return Entered::kNotAlone;
  return table->book.Enter(key, mode) ? Entered::kIsNew : Entered::kWasHeld;
}

}  // namespace turdb::txn
