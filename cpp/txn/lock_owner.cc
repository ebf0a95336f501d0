// Modes, and the book of a transaction that is alone with a table.
#include "txn/lock_owner.h"

namespace turdb::txn {

std::string_view LockModeName(LockMode mode) {
  switch (mode) {
    case LockMode::kNone: return "none";
    case LockMode::kIntentionShared: return "IS";
    case LockMode::kIntentionExclusive: return "IX";
    case LockMode::kShared: return "S";
    case LockMode::kExclusive: return "X";
  }
  return "none";
}

bool Covers(LockMode held, LockMode wanted) {
  if (held == wanted || wanted == LockMode::kNone || held == LockMode::kExclusive) return true;
  return wanted == LockMode::kIntentionShared && held != LockMode::kNone;
}

// S with IX would be SIX, which is taken as X.
LockMode Union(LockMode a, LockMode b) {
  if (Covers(a, b)) return a;
  return Covers(b, a) ? b : LockMode::kExclusive;
}

const LockOwner::Table* LockOwner::Find(FileId file) const {
  for (const Table& table : tables_) {
    if (table.file == file) return &table;
  }
  return nullptr;
}

LockMode LockOwner::Held(const LockKey& key) const {
  if (key.kind == LockKey::Kind::kDatabase) return database_;
  const Table* const table = Find(key.table);
  if (key.kind == LockKey::Kind::kTable) return table == nullptr ? LockMode::kNone : table->mode;
  if (table != nullptr && !table->book.empty()) {
    const auto found = table->book.find(key);
    if (found != table->book.end()) return found->second;
  }
  if (held_.empty()) return LockMode::kNone;
  const auto found = held_.find(key);
  return found == held_.end() ? LockMode::kNone : found->second;
}

size_t LockOwner::size() const {
  size_t n = held_.size() + tables_.size() + (database_ == LockMode::kNone ? 0 : 1);
  for (const Table& table : tables_) n += table.book.size();
  return n;
}

LockOwner::Entered LockOwner::EnterInBook(const LockKey& key, LockMode mode) {
  Table* const table = Find(key.table);
  if (table == nullptr) return Entered::kNotAlone;
  std::lock_guard<std::mutex> guard(book_mutex_);
  if (!table->is_alone) {  // what is in the book is in the lock table by now, as all that comes
    held_.insert(table->book.begin(), table->book.end());
    Locks().swap(table->book);
    return Entered::kNotAlone;
  }
  const auto [at, is_new] = table->book.try_emplace(key, mode);
  if (is_new) return Entered::kIsNew;
  if (Covers(at->second, mode)) return Entered::kWasHeld;
  at->second = Union(at->second, mode);
  return Entered::kIsNew;
}

}  // namespace turdb::txn
