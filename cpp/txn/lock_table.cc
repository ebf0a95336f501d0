// Granting, waiting and giving back. Deadlocks are in lock_cycles.cc.
#include "txn/lock_table.h"

#include <algorithm>

#include "base/errors.h"

namespace turdb::txn {

using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kCheckEvery = std::chrono::milliseconds(20);
constexpr size_t kMostIdleSlots = 4096;  // of resources_ that are kept for the next transaction

bool AreCompatible(LockMode a, LockMode b) {
  if (a == LockMode::kNone || b == LockMode::kNone) return true;
  if (a == LockMode::kExclusive || b == LockMode::kExclusive) return false;
  if (a == LockMode::kIntentionShared || b == LockMode::kIntentionShared) return true;
  return a == b;  // IX beside IX, S beside S
}

}  // namespace

bool LockTable::IsCompatible(const Resource& resource, const LockOwner* owner, LockMode mode) {
  return std::all_of(resource.holders.begin(), resource.holders.end(), [&](const Holder& holder) {
    return holder.owner == owner || AreCompatible(holder.mode, mode);
  });
}

// Before anybody else is granted the table or waits for it. Their rows can then be waited for.
void LockTable::EndSolitudeLocked(const LockOwner* newcomer, const LockKey& table) {
  const auto found = resources_.find(table);
  if (found == resources_.end()) return;
  const auto holders = found->second.holders;  // what follows adds resources
  for (const Holder& holder : holders) {
    if (holder.owner == newcomer) continue;
    std::lock_guard<std::mutex> guard(holder.owner->book_mutex_);
    LockOwner::Table* const own = holder.owner->Find(table.table);
    if (own == nullptr || !own->is_alone) continue;
    own->is_alone = false;
    own->ForEach([&](const LockKey& key, LockMode mode) { resources_[key].holders.push_back({holder.owner, mode}); });
    stats_.held += own->size();
    Resource& resource = resources_[table];
    resource.last_rowid = std::max(resource.last_rowid, own->last_rowid);
  }
}

void LockTable::SetHeldLocked(Resource* resource, LockOwner* owner, const LockKey& key, LockMode mode) {
  const bool is_new = std::none_of(resource->holders.begin(), resource->holders.end(),
                                   [&](const Holder& holder) { return holder.owner == owner; });
  if (key.kind == LockKey::Kind::kDatabase) {
    owner->database_ = mode;
  } else if (key.kind == LockKey::Kind::kTable) {
    std::lock_guard<std::mutex> guard(owner->book_mutex_);
    LockOwner::Table* table = owner->Find(key.table);
    if (table == nullptr) {
      table = &owner->tables_.emplace_back();
      table->file = key.table;
      table->is_alone = resource->holders.empty() && resource->queue.empty();
    }
    table->mode = mode;
  } else {
    owner->held_[key] = mode;
  }
  if (is_new) {
    resource->holders.push_back({owner, mode});
    ++stats_.held;
    return;
  }
  for (Holder& holder : resource->holders) {
    if (holder.owner == owner) holder.mode = mode;
  }
}

bool LockTable::GrantAtOnceLocked(LockOwner* owner, const LockKey& key, LockMode mode) {
  if (key.kind == LockKey::Kind::kTable) EndSolitudeLocked(owner, key);
  Resource& resource = resources_[key];
  const bool is_upgrade = owner->Held(key) != LockMode::kNone;
  const bool is_free = IsCompatible(resource, owner, mode) && (is_upgrade || resource.queue.empty());
  if (is_free) SetHeldLocked(&resource, owner, key, mode);
  return is_free;
}

bool LockTable::TryAcquire(LockOwner* owner, const LockKey& key, LockMode mode) {
  if (key.is_of_table() && owner->EnterInBook(key, mode) != LockOwner::Entered::kNotAlone) return true;
  const LockMode held = owner->Held(key);
  if (Covers(held, mode)) return true;
  std::lock_guard<std::mutex> guard(mutex_);
  return GrantAtOnceLocked(owner, key, Union(held, mode));
}

absl::StatusOr<bool> LockTable::Acquire(LockOwner* owner, const LockKey& key, LockMode mode, std::string_view name,
                                        const LockWait& wait) {
  if (key.is_of_table()) {
    const auto entered = owner->EnterInBook(key, mode);
    if (entered != LockOwner::Entered::kNotAlone) return entered == LockOwner::Entered::kIsNew;
  }
  const LockMode held = owner->Held(key);
  if (Covers(held, mode)) return false;
  const LockMode wanted = Union(held, mode);
  std::unique_lock<std::mutex> lock(mutex_);
  if (GrantAtOnceLocked(owner, key, wanted)) return true;
  if (wait.timeout.count() <= 0) return TimeoutLocked(owner, key, name, wait);

  Request request{owner, wanted, held != LockMode::kNone};
  auto& queue = resources_[key].queue;
  const auto at = request.is_upgrade
                      ? std::find_if(queue.begin(), queue.end(), [](const Request* r) { return !r->is_upgrade; })
                      : queue.end();
  queue.insert(at, &request);
  owner->waits_for_ = &key;
  owner->is_victim_ = false;
  ++stats_.waits;
  ++stats_.waiting;
  const auto begin = Clock::now();
  absl::Status status = WaitLocked(&lock, owner, key, &request, name, wait);
  stats_.wait_micros += static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count());
  --stats_.waiting;
  owner->waits_for_ = nullptr;
  if (request.is_granted) return true;
  auto& waiting = resources_[key].queue;
  waiting.erase(std::remove(waiting.begin(), waiting.end(), &request), waiting.end());
  GrantWaitersLocked(key);  // those behind it may be compatible
  return status;
}

absl::Status LockTable::WaitLocked(std::unique_lock<std::mutex>* lock, LockOwner* owner, const LockKey& key,
                                   Request* request, std::string_view name, const LockWait& wait) {
  const auto deadline = Clock::now() + wait.timeout;
  EndCyclesLocked(owner);
  while (true) {
    if (request->is_granted) return absl::OkStatus();
    if (owner->is_victim_) {
      ++stats_.deadlocks;
      return DeadlockError(owner->victim_message_);
    }
    const auto now = Clock::now();
    if (now >= deadline) {
      ++stats_.timeouts;
      return TimeoutLocked(owner, key, name, wait);
    }
    owner->wake_.wait_until(*lock, std::min(deadline, now + kCheckEvery));
    if (request->is_granted || owner->is_victim_ || wait.check == nullptr) continue;
    lock->unlock();
    absl::Status checked = wait.check();
    lock->lock();
    if (!checked.ok() && !request->is_granted) return checked;
  }
}

void LockTable::GrantWaitersLocked(const LockKey& key) {
  const auto found = resources_.find(key);
  if (found == resources_.end()) return;
  Resource& resource = found->second;
  while (!resource.queue.empty()) {
    Request* first = resource.queue.front();
    if (!IsCompatible(resource, first->owner, first->mode)) return;
    resource.queue.erase(resource.queue.begin());
    SetHeldLocked(&resource, first->owner, key, first->mode);
    first->is_granted = true;
    first->owner->wake_.notify_one();
  }
  if (resource.holders.empty()) resources_.erase(found);
}

void LockTable::DropHolderLocked(LockOwner* owner, const LockKey& key) {
  const auto found = resources_.find(key);
  if (found == resources_.end()) return;
  auto& holders = found->second.holders;
  for (auto holder = holders.begin(); holder != holders.end(); ++holder) {
    if (holder->owner != owner) continue;
    holders.erase(holder);
    --stats_.held;
    break;
  }
  GrantWaitersLocked(key);
}

// REQUIRES: not of a table.
void LockTable::Release(LockOwner* owner, const LockKey& key) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (LockOwner::Table* const table = owner->Find(key.table); table != nullptr && table->size() > 0) {
    std::lock_guard<std::mutex> book_guard(owner->book_mutex_);
    const bool was_in_book = table->Erase(key);
    if (was_in_book && table->is_alone) return;
    if (was_in_book) return DropHolderLocked(owner, key);
  }
  if (owner->held_.erase(key) > 0) DropHolderLocked(owner, key);
}

void LockTable::Downgrade(LockOwner* owner, const LockKey& key, LockMode mode) {
  std::lock_guard<std::mutex> guard(mutex_);
  const auto found = resources_.find(key);
  if (found == resources_.end()) return;
  SetHeldLocked(&found->second, owner, key, mode);
  GrantWaitersLocked(key);
}

// Those in the book of a table where others have come are in the lock table, too.
void LockTable::DropBookLocked(LockOwner* owner, LockOwner::Table* table) {
  std::lock_guard<std::mutex> guard(owner->book_mutex_);
  if (!table->is_alone) table->ForEach([&](const LockKey& key, LockMode) { DropHolderLocked(owner, key); });
  table->Clear();
}

void LockTable::ReleaseRows(LockOwner* owner, FileId table) {
  std::lock_guard<std::mutex> guard(mutex_);
  ++stats_.escalations;
  if (LockOwner::Table* const own = owner->Find(table)) DropBookLocked(owner, own);
  absl::erase_if(owner->held_, [&](const auto& lock) {
    const LockKey key = lock.first;
    if (key.table != table) return false;
    DropHolderLocked(owner, key);
    return true;
  });
}

void LockTable::ReleaseAll(LockOwner* owner) {
  if (owner->size() == 0) return;
  std::lock_guard<std::mutex> guard(mutex_);
  for (const auto& [key, mode] : owner->held_) DropHolderLocked(owner, key);
  LockOwner::Locks().swap(owner->held_);
  for (LockOwner::Table& table : owner->tables_) {
    DropBookLocked(owner, &table);
    DropHolderLocked(owner, LockKey{table.file, LockKey::Kind::kTable});
  }
  {
    std::lock_guard<std::mutex> book_guard(owner->book_mutex_);
    owner->tables_.clear();
  }
  if (owner->database_ != LockMode::kNone) DropHolderLocked(owner, LockKey{});
  if (resources_.empty() && resources_.capacity() > kMostIdleSlots) resources_ = {};
  owner->database_ = LockMode::kNone;
}

int64_t LockTable::ReserveRowId(LockOwner* owner, FileId table, int64_t least) {
  LockOwner::Table* const own = owner->Find(table);
  if (own != nullptr) {
    std::lock_guard<std::mutex> book_guard(owner->book_mutex_);
    if (own->is_alone) return own->last_rowid = least;
  }
  std::lock_guard<std::mutex> guard(mutex_);
  Resource& resource = resources_[LockKey{table, LockKey::Kind::kTable}];
  const bool has_company = resource.holders.size() > 1 || resource.holders[0].owner != owner;
  if (has_company && resource.last_rowid >= least) least = resource.last_rowid + 1;
  return resource.last_rowid = least;
}

void LockTable::NoteRowId(LockOwner* owner, FileId table, int64_t rowid) {
  LockOwner::Table* const own = owner->Find(table);
  if (own != nullptr) {
    std::lock_guard<std::mutex> book_guard(owner->book_mutex_);
    if (own->is_alone) {
      own->last_rowid = std::max(own->last_rowid, rowid);
      return;
    }
  }
  std::lock_guard<std::mutex> guard(mutex_);
  const auto found = resources_.find(LockKey{table, LockKey::Kind::kTable});
  if (found != resources_.end()) found->second.last_rowid = std::max(found->second.last_rowid, rowid);
}

// Of those who are alone with a table: the rest is in resources_.
template <typename Visit>
void LockTable::ForEachBookLocked(Visit visit) const {
  for (const auto& [key, resource] : resources_) {
    if (key.kind != LockKey::Kind::kTable) continue;
    for (const Holder& holder : resource.holders) {
      std::lock_guard<std::mutex> guard(holder.owner->book_mutex_);
      const LockOwner::Table* const table = holder.owner->Find(key.table);
      if (table != nullptr && table->is_alone) visit(*holder.owner, *table);
    }
  }
}

LockStats LockTable::stats() const {
  std::lock_guard<std::mutex> guard(mutex_);
  LockStats stats = stats_;
  ForEachBookLocked([&](const LockOwner&, const LockOwner::Table& table) { stats.held += table.size(); });
  return stats;
}

std::vector<LockInfo> LockTable::List() const {
  std::lock_guard<std::mutex> guard(mutex_);
  std::vector<LockInfo> list;
  for (const auto& [key, resource] : resources_) {
    for (const Holder& holder : resource.holders) list.push_back({key, holder.owner->id(), holder.mode, true});
    for (const Request* request : resource.queue) list.push_back({key, request->owner->id(), request->mode, false});
  }
  ForEachBookLocked([&](const LockOwner& owner, const LockOwner::Table& table) {
    table.ForEach([&](const LockKey& key, LockMode mode) { list.push_back({key, owner.id(), mode, true}); });
  });
  return list;
}

}  // namespace turdb::txn
