// Granting, waiting and giving back. Deadlocks are in lock_cycles.cc.
#include "txn/lock_table.h"

#include <algorithm>

#include "base/errors.h"

namespace turdb::txn {

using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kCheckEvery = std::chrono::milliseconds(20);

LockKey TableKey(FileId table) { return LockKey{table, LockKey::Kind::kTable}; }

}  // namespace

// --- granting --------------------------------------------------------------------------------

bool LockTable::IsFreeLocked(const LockOwner* owner, const LockKey& key, LockMode mode) const {
  return AllHoldersLocked(key, [&](const LockOwner* holder, LockMode held) { return holder == owner || AreCompatible(held, mode); });
}

// Before anybody else is granted the table or waits for it. Their rows can then be waited for.
void LockTable::EndSolitudeLocked(const LockOwner* newcomer, const LockKey& table) {
  const auto found = held_.find(table);
  if (found == held_.end()) return;
  for (const Holder& holder : found->second.holders) {
    if (holder.owner == newcomer) continue;
    std::lock_guard<std::mutex> guard(holder.owner->book_mutex_);
    if (!holder.table->is_alone) continue;
    holder.table->is_alone = false;
    found->second.last_rowid = std::max(found->second.last_rowid, holder.table->last_rowid);
  }
}

void LockTable::SetTableLocked(LockOwner* owner, const LockKey& key, LockMode mode) {
  Resource& resource = held_[key];
  const auto own = std::find_if(resource.holders.begin(), resource.holders.end(),
                                [&](const Holder& holder) { return holder.owner == owner; });
  const bool is_table = key.kind == LockKey::Kind::kTable;
  if (own == resource.holders.end()) {
    LockOwner::Table* table = nullptr;
    if (is_table) {
      table = owner->tables_.emplace_back(std::make_unique<LockOwner::Table>(key.table)).get();
      table->is_alone = resource.holders.empty() && !queues_.contains(key);
    }
    resource.holders.push_back({owner, table, mode});
  } else {
    own->mode = mode;
  }
  (is_table ? owner->Find(key.table)->mode : owner->database_) = mode;
}

void LockTable::SetHeldLocked(LockOwner* owner, const LockKey& key, LockMode mode) {
  if (!key.is_of_table()) return SetTableLocked(owner, key, mode);
  owner->Find(key.table)->book.Enter(key, mode);
}

bool LockTable::GrantAtOnceLocked(LockOwner* owner, const LockKey& key, LockMode mode) {
  if (key.kind == LockKey::Kind::kTable) EndSolitudeLocked(owner, key);
  if (!IsFreeLocked(owner, key, mode)) return false;
  const bool passes_nobody = queues_.empty() || !queues_.contains(key) || owner->Held(key) != LockMode::kNone;
  if (passes_nobody) SetHeldLocked(owner, key, mode);
  return passes_nobody;
}

bool LockTable::TryAcquire(LockOwner* owner, const LockKey& key, LockMode mode) {
  if (key.is_of_table() && owner->EnterAlone(key, mode) != LockOwner::Entered::kNotAlone) return true;
  const LockMode held = owner->Held(key);
  if (Covers(held, mode)) return true;
  std::lock_guard<std::mutex> guard(mutex_);
  return GrantAtOnceLocked(owner, key, Union(held, mode));
}

absl::StatusOr<bool> LockTable::Acquire(LockOwner* owner, const LockKey& key, LockMode mode, std::string_view name,
                                        const LockWait& wait) {
  if (key.is_of_table()) {
    const auto entered = owner->EnterAlone(key, mode);
    if (entered != LockOwner::Entered::kNotAlone) return entered == LockOwner::Entered::kIsNew;
  }
  const LockMode held = owner->Held(key);
  if (Covers(held, mode)) return false;
  const LockMode wanted = Union(held, mode);
  std::unique_lock<std::mutex> lock(mutex_);
  if (GrantAtOnceLocked(owner, key, wanted)) return true;
  if (wait.timeout.count() <= 0) return TimeoutLocked(owner, key, name, wait);

  Request request{owner, wanted, held != LockMode::kNone};
  EnqueueLocked(key, &request);
  const auto begin = Clock::now();
  absl::Status status = WaitLocked(&lock, owner, key, &request, name, wait);
  stats_.wait_micros += static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count());
  --stats_.waiting;
  owner->waits_for_ = nullptr;
  if (request.is_granted) return true;
  LeaveQueueLocked(key, &request);
  return status;
}

// --- waiting ---------------------------------------------------------------------------------

void LockTable::EnqueueLocked(const LockKey& key, Request* request) {
  Queue& queue = queues_[key];
  const auto at = request->is_upgrade
                      ? std::find_if(queue.begin(), queue.end(), [](const Request* r) { return !r->is_upgrade; })
                      : queue.end();
  queue.insert(at, request);
  request->owner->waits_for_ = &key;
  request->owner->is_victim_ = false;
  ++stats_.waits;
  ++stats_.waiting;
}

void LockTable::LeaveQueueLocked(const LockKey& key, Request* request) {
  const auto found = queues_.find(key);
  Queue& queue = found->second;
  queue.erase(std::find(queue.begin(), queue.end(), request));
  if (queue.empty()) queues_.erase(found);
  else GrantWaitersLocked(key);  // those behind it may be compatible
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
  if (queues_.empty()) return;
  while (true) {
    const auto found = queues_.find(key);
    if (found == queues_.end()) return;
    Queue& queue = found->second;
    Request* const first = queue.front();
    if (!IsFreeLocked(first->owner, key, first->mode)) return;
    queue.erase(queue.begin());
    if (queue.empty()) queues_.erase(found);
    SetHeldLocked(first->owner, key, first->mode);
    first->is_granted = true;
    first->owner->wake_.notify_one();
  }
}

// Waiters are as many as threads at most, whatever was given back.
void LockTable::GrantWaitersForRowsLocked(FileId table) {
  std::vector<LockKey> awaited;
  for (const auto& [key, queue] : queues_) {
    if (key.is_of_table() && key.table == table) awaited.push_back(key);
  }
  for (const LockKey& key : awaited) GrantWaitersLocked(key);
}

// --- giving back -----------------------------------------------------------------------------

// Of the database or a table.
void LockTable::DropHolderLocked(LockOwner* owner, const LockKey& key) {
  const auto found = held_.find(key);
  if (found == held_.end()) return;
  auto& holders = found->second.holders;
  holders.erase(std::remove_if(holders.begin(), holders.end(), [&](const Holder& holder) { return holder.owner == owner; }), holders.end());
  GrantWaitersLocked(key);
  if (holders.empty()) held_.erase(found);
}

void LockTable::Release(LockOwner* owner, const LockKey& key) {
  std::lock_guard<std::mutex> guard(mutex_);
  LockOwner::Table* const table = owner->Find(key.table);
  if (table == nullptr) return;
  {
    std::lock_guard<std::mutex> book_guard(owner->book_mutex_);
    if (!table->book.Erase(key)) return;
  }
  GrantWaitersLocked(key);
}

void LockTable::Downgrade(LockOwner* owner, const LockKey& key, LockMode mode) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (!key.is_of_table()) {
    SetTableLocked(owner, key, mode);
  } else {
    std::lock_guard<std::mutex> book_guard(owner->book_mutex_);
    owner->Find(key.table)->book.Set(key, mode);
  }
  GrantWaitersLocked(key);
}

void LockTable::ReleaseRows(LockOwner* owner, FileId table) {
  std::lock_guard<std::mutex> guard(mutex_);
  ++stats_.escalations;
  LockOwner::Table* const own = owner->Find(table);
  if (own == nullptr) return;
  {
    std::lock_guard<std::mutex> book_guard(owner->book_mutex_);
    own->book.Clear();
  }
  GrantWaitersForRowsLocked(table);
}

void LockTable::ReleaseAll(LockOwner* owner) {
  if (owner->size() == 0) return;
  LockOwner::Tables tables;  // goes last: to free a large book takes a while
  std::lock_guard<std::mutex> guard(mutex_);
  tables.swap(owner->tables_);
  for (const auto& table : tables) {
    DropHolderLocked(owner, TableKey(table->file));
    if (!queues_.empty()) GrantWaitersForRowsLocked(table->file);
  }
  if (owner->database_ != LockMode::kNone) DropHolderLocked(owner, LockKey{});
  owner->database_ = LockMode::kNone;
}

// --- rowids ----------------------------------------------------------------------------------

int64_t LockTable::ReserveRowId(LockOwner* owner, FileId table, int64_t least) {
  LockOwner::Table* const own = owner->Find(table);
  if (own != nullptr) {
    std::lock_guard<std::mutex> book_guard(owner->book_mutex_);
    if (own->is_alone) return own->last_rowid = least;
  }
  std::lock_guard<std::mutex> guard(mutex_);
  Resource& resource = held_[TableKey(table)];
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
  const auto found = held_.find(TableKey(table));
  if (found != held_.end()) found->second.last_rowid = std::max(found->second.last_rowid, rowid);
}

// --- what is shown ---------------------------------------------------------------------------

template <typename Visit>
void LockTable::ForEachBookLocked(Visit visit) const {
  for (const auto& [key, resource] : held_) {
    if (key.kind != LockKey::Kind::kTable) continue;
    for (const Holder& holder : resource.holders) {
      std::lock_guard<std::mutex> guard(holder.owner->book_mutex_);  // it may be alone
      visit(*holder.owner, *holder.table);
    }
  }
}

LockStats LockTable::stats() const {
  std::lock_guard<std::mutex> guard(mutex_);
  LockStats stats = stats_;
  for (const auto& [key, resource] : held_) stats.held += resource.holders.size();
  ForEachBookLocked([&](const LockOwner&, const LockOwner::Table& table) {
    stats.held += table.book.size();
    stats.bytes += sizeof(table) + table.book.heap_bytes();
  });
  return stats;
}

std::vector<LockInfo> LockTable::List() const {
  std::lock_guard<std::mutex> guard(mutex_);
  std::vector<LockInfo> list;
  for (const auto& [key, resource] : held_) {
    for (const Holder& holder : resource.holders) list.push_back({key, holder.owner->id(), holder.mode, true});
  }
  for (const auto& [key, queue] : queues_) {
    for (const Request* request : queue) list.push_back({key, request->owner->id(), request->mode, false});
  }
  ForEachBookLocked([&](const LockOwner& owner, const LockOwner::Table& table) {
    table.book.ForEach(table.file, [&](const LockKey& key, LockMode mode) { list.push_back({key, owner.id(), mode, true}); });
  });
  return list;
}

}  // namespace turdb::txn
