// Granting, waiting and giving back. Deadlocks are in lock_cycles.cc.
#include "txn/lock_table.h"

#include <algorithm>

#include "base/errors.h"

namespace turdb::txn {

using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kCheckEvery = std::chrono::milliseconds(20);

bool AreCompatible(LockMode a, LockMode b) {
  if (a == LockMode::kNone || b == LockMode::kNone) return true;
  if (a == LockMode::kExclusive || b == LockMode::kExclusive) return false;
  if (a == LockMode::kIntentionShared || b == LockMode::kIntentionShared) return true;
  return a == b;  // IX beside IX, S beside S
}

// The weakest mode that covers both. S with IX would be SIX, which is taken as X.
LockMode Union(LockMode a, LockMode b) {
  if (Covers(a, b)) return a;
  return Covers(b, a) ? b : LockMode::kExclusive;
}

}  // namespace

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

bool LockTable::IsCompatible(const Resource& resource, const LockOwner* owner, LockMode mode) {
  return std::all_of(resource.holders.begin(), resource.holders.end(), [&](const Holder& holder) {
    return holder.owner == owner || AreCompatible(holder.mode, mode);
  });
}

void LockTable::SetHeldLocked(Resource* resource, LockOwner* owner, const LockKey& key, LockMode mode) {
  owner->held_[key] = mode;
  for (Holder& holder : resource->holders) {
    if (holder.owner != owner) continue;
    holder.mode = mode;
    return;
  }
  resource->holders.push_back({owner, mode});
  ++stats_.held;
}

bool LockTable::GrantAtOnceLocked(LockOwner* owner, const LockKey& key, LockMode mode) {
  Resource& resource = resources_[key];
  const bool is_upgrade = owner->Held(key) != LockMode::kNone;
  const bool is_free = IsCompatible(resource, owner, mode) && (is_upgrade || resource.queue.empty());
  if (is_free) SetHeldLocked(&resource, owner, key, mode);
  return is_free;
}

bool LockTable::TryAcquire(LockOwner* owner, const LockKey& key, LockMode mode) {
  const LockMode held = owner->Held(key);
  if (Covers(held, mode)) return true;
  std::lock_guard<std::mutex> guard(mutex_);
  return GrantAtOnceLocked(owner, key, Union(held, mode));
}

absl::StatusOr<bool> LockTable::Acquire(LockOwner* owner, const LockKey& key, LockMode mode, std::string_view name,
                                        const LockWait& wait) {
  const LockMode held = owner->Held(key);
  if (Covers(held, mode)) return false;
  const LockMode wanted = Union(held, mode);
  std::unique_lock<std::mutex> lock(mutex_);
  if (GrantAtOnceLocked(owner, key, wanted)) return true;
  if (wait.timeout.count() <= 0) return TimeoutLocked(owner, key, name, wait);

  Request request{owner, wanted, held != LockMode::kNone};
  std::list<Request*>& queue = resources_[key].queue;
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
  resources_[key].queue.remove(&request);
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
    resource.queue.pop_front();
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

void LockTable::Release(LockOwner* owner, const LockKey& key) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (owner->held_.erase(key) > 0) DropHolderLocked(owner, key);
}

void LockTable::Downgrade(LockOwner* owner, const LockKey& key, LockMode mode) {
  std::lock_guard<std::mutex> guard(mutex_);
  const auto found = resources_.find(key);
  if (found == resources_.end()) return;
  SetHeldLocked(&found->second, owner, key, mode);
  GrantWaitersLocked(key);
}

void LockTable::ReleaseRows(LockOwner* owner, FileId table) {
  std::lock_guard<std::mutex> guard(mutex_);
  ++stats_.escalations;
  std::vector<LockKey> rows;
  for (const auto& [key, mode] : owner->held_) {
    if (key.file == table && key.kind == LockKey::Kind::kRow) rows.push_back(key);
  }
  for (const LockKey& key : rows) {
    DropHolderLocked(owner, key);
    owner->held_.erase(key);
  }
}

void LockTable::ReleaseAll(LockOwner* owner) {
  if (owner->held_.empty()) return;
  std::lock_guard<std::mutex> guard(mutex_);
  for (const auto& [key, mode] : owner->held_) DropHolderLocked(owner, key);
  owner->held_.clear();
}

int64_t LockTable::ReserveRowId(LockOwner* owner, FileId table, int64_t least) {
  std::lock_guard<std::mutex> guard(mutex_);
  Resource& resource = resources_[LockKey{table, LockKey::Kind::kTable}];
  const bool is_alone = resource.holders.size() == 1 && resource.holders[0].owner == owner;
  if (!is_alone && resource.last_rowid >= least) least = resource.last_rowid + 1;
  resource.last_rowid = is_alone ? least : std::max(resource.last_rowid, least);
  return least;
}

void LockTable::NoteRowId(FileId table, int64_t rowid) {
  std::lock_guard<std::mutex> guard(mutex_);
  const auto found = resources_.find(LockKey{table, LockKey::Kind::kTable});
  if (found != resources_.end()) found->second.last_rowid = std::max(found->second.last_rowid, rowid);
}

LockStats LockTable::stats() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return stats_;
}

std::vector<LockInfo> LockTable::List() const {
  std::lock_guard<std::mutex> guard(mutex_);
  std::vector<LockInfo> list;
  for (const auto& [key, resource] : resources_) {
    for (const Holder& holder : resource.holders) list.push_back({key, holder.owner->id(), holder.mode, true});
    for (const Request* request : resource.queue) list.push_back({key, request->owner->id(), request->mode, false});
  }
  return list;
}

}  // namespace turdb::txn
