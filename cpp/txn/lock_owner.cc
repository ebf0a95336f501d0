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

// --- the book --------------------------------------------------------------------------------

LockMode LockOwner::Table::Find(const LockKey& key) const {
  if (key.kind == LockKey::Kind::kRow) {
    const auto found = rows.find(key.id);
    return found == rows.end() ? LockMode::kNone : found->second;
  }
  const auto found = keys.find(key);
  return found == keys.end() ? LockMode::kNone : found->second;
}

bool LockOwner::Table::Enter(const LockKey& key, LockMode wanted) {
  const bool is_row = key.kind == LockKey::Kind::kRow;
  LockMode& held = is_row ? rows[key.id] : keys[key];
  if (held != LockMode::kNone && Covers(held, wanted)) return false;
  held = Union(held, wanted);
  return true;
}

bool LockOwner::Table::Erase(const LockKey& key) {
  return (key.kind == LockKey::Kind::kRow ? rows.erase(key.id) : keys.erase(key)) > 0;
}

void LockOwner::Table::Clear() {
  rows = {};
  keys = {};
}

// --- the owner -------------------------------------------------------------------------------

LockMode LockOwner::HeldOfTable(const LockKey& key) const {
  const Table* const table = Find(key.table);
  if (table != nullptr && table->size() > 0) {
    const LockMode held = table->Find(key);
    if (held != LockMode::kNone) return held;
  }
  const auto found = held_.find(key);
  return found == held_.end() ? LockMode::kNone : found->second;
}

size_t LockOwner::size() const {
  size_t n = held_.size() + tables_.size() + (database_ == LockMode::kNone ? 0 : 1);
  for (const Table& table : tables_) n += table.size();
  return n;
}

LockOwner::Entered LockOwner::EnterInBook(const LockKey& key, LockMode mode) {
  Table* const table = Find(key.table);
  if (table == nullptr) return Entered::kNotAlone;
  std::lock_guard<std::mutex> guard(book_mutex_);
  if (table->is_alone) return table->Enter(key, mode) ? Entered::kIsNew : Entered::kWasHeld;
  // What is in the book is in the lock table by now, as all that comes.
  table->ForEach([this](const LockKey& held, LockMode held_mode) { held_[held] = held_mode; });
  table->Clear();
  return Entered::kNotAlone;
}

}  // namespace turdb::txn
