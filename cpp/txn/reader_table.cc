#include "txn/reader_table.h"

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::txn {

using format::kReaderSlots;

absl::StatusOr<std::shared_ptr<ReaderTable>> ReaderTable::Open(env::Env* env, const std::string& directory) {
  TURDB_ASSIGN_OR_RETURN(auto memory, env->OpenSharedMemory(ReaderTablePath(directory), format::kReaderTableBytes));
  return std::shared_ptr<ReaderTable>(new ReaderTable(env, std::move(memory)));
}

// A reader's slot is emptied by whoever finds it unlocked; here only so that it looks tidy. A forked child's copy of
// this object has no locks and must not touch what is its parent's.
ReaderTable::~ReaderTable() {
  for (format::ReaderSlot* each : slots_) {
    if (each->pid.load() == env_->ProcessId()) Empty(each);
  }
}

ReaderTable::DirectoryLock::DirectoryLock(ReaderTable* table, env::LockMode mode) : table_(table), mode_(mode) {
  if (mode == env::LockMode::kExclusive) table->header().changes.store((table->changes() + 2) | 1);
}

ReaderTable::DirectoryLock::~DirectoryLock() {
  if (table_ == nullptr) return;
  if (mode_ == env::LockMode::kExclusive) table_->header().changes.fetch_add(1);
  table_->memory_->Unlock(format::kDirectoryLockByte);
}

absl::StatusOr<ReaderTable::DirectoryLock> ReaderTable::LockDirectory(env::LockMode mode, uint64_t timeout_ms,
                                                                      const CheckInterrupt& check) {
  const uint64_t deadline = env_->MonotonicMicros() + timeout_ms * 1000;
  for (uint64_t pause = 200;; pause = std::min<uint64_t>(2 * pause, 10000)) {
    TURDB_ASSIGN_OR_RETURN(const bool is_locked, memory_->TryLock(format::kDirectoryLockByte, mode));
    if (is_locked) return DirectoryLock(this, mode);
    if (env_->MonotonicMicros() >= deadline) return DirectoryLock();
    if (check) TURDB_RETURN_IF_ERROR(check());
    env_->SleepMicros(pause);
  }
}

void ReaderTable::Reset(uint64_t salt, Lsn published, Lsn checkpoint) {
  header().magic.store(format::kReaderTableMagic);
  header().version.store(format::kReaderTableVersion);
  header().salt.store(salt);
  header().checkpoint.store(checkpoint.value());
  header().replaced.store(published.value());  // names of replaced files that are left over count for nobody who comes now
  header().published.store(published.value());
}

absl::Status ReaderTable::BeginSession(uint64_t salt, Lsn published, Lsn checkpoint) {
  Reset(salt, published, checkpoint);
  header().writer_pid.store(static_cast<uint32_t>(env_->ProcessId()));
  header().sessions.fetch_add(1);
  TURDB_ASSIGN_OR_RETURN(const bool is_locked, memory_->TryLock(format::kWriterLockByte, env::LockMode::kExclusive));
  if (!is_locked) return InternalError("another process has the writer's byte of turdb.readers");
  return absl::OkStatus();
}

void ReaderTable::Empty(format::ReaderSlot* slot) {
  for (format::ReaderSlot::Snapshot& each : slot->snapshots) each.claim.store(format::kNoClaim);
  slot->claim.store(format::kNoClaim);
}

void ReaderTable::Note(Claim claim, Readers* readers) {
  readers->claims.push_back(claim);
  if (claim.lsn >= readers->oldest) return;
  readers->oldest = claim.lsn;
  readers->oldest_pid = claim.pid;
}

bool ReaderTable::Readers::IsClaimed(Lsn from, Lsn to) const {
  return std::any_of(claims.begin(), claims.end(), [&](const Claim& claim) {
    return claim.lsn < to && (claim.is_open || claim.lsn >= from);
  });
}

bool ReaderTable::Readers::HasOpenClaimBefore(Lsn lsn) const {
  return std::any_of(claims.begin(), claims.end(), [&](const Claim& claim) { return claim.is_open && claim.lsn < lsn; });
}

ReaderTable::Readers ReaderTable::Look() {
  std::lock_guard<std::mutex> guard(look_mutex_);
  Readers readers;
  std::set<uint64_t> pids;  // one may have several slots
  for (uint32_t i = 0; i < kReaderSlots; ++i) {
    format::ReaderSlot& each = slot(i);
    if (each.pid.load() == 0 && each.claim.load() == format::kNoClaim) continue;  // never used
    auto is_free = memory_->TryLock(SlotByte(i), env::LockMode::kExclusive);
    if (is_free.ok() && *is_free) {
      Empty(&each);
      each.pid.store(0);
      memory_->Unlock(SlotByte(i));
      continue;
    }
    const uint64_t pid = each.pid.load();
    pids.insert(pid);
    const uint64_t open = each.claim.load();
    if (open != format::kNoClaim) {
      Note({pid, Lsn(open < format::kFirstLsnClaim ? 0 : open - format::kFirstLsnClaim), true, 0}, &readers);
    }
    for (format::ReaderSlot::Snapshot& snapshot : each.snapshots) {
      const uint64_t claim = snapshot.claim.load();
      if (claim < format::kFirstLsnClaim) continue;
      Note({pid, Lsn(claim - format::kFirstLsnClaim), false, snapshot.since.load(std::memory_order_relaxed)}, &readers);
    }
  }
  readers.n = static_cast<uint32_t>(pids.size());
  return readers;
}

absl::Status ReaderTable::TakeSlot() {
  constexpr size_t kMostSlots = kReaderSlots / 8;  // others want some, too
  for (uint32_t i = 0; i < kReaderSlots && slots_.size() < kMostSlots; ++i) {
    // Those it has are found locked by nobody else.
    if (std::find(slots_.begin(), slots_.end(), &slot(i)) != slots_.end()) continue;
    TURDB_ASSIGN_OR_RETURN(const bool is_locked, memory_->TryLock(SlotByte(i), env::LockMode::kExclusive));
    if (!is_locked) continue;
    slots_.push_back(&slot(i));
    Empty(slots_.back());
    slots_.back()->pid.store(env_->ProcessId());
    return absl::OkStatus();
  }
  return BusyError("more than ", kReaderSlots, " processes read the database already");
}

void ReaderTable::GiveLastSlotBack() {
  format::ReaderSlot* const last = slots_.back();
  slots_.pop_back();
  last->pid.store(0);
  memory_->Unlock(static_cast<uint64_t>(reinterpret_cast<uint8_t*>(last) - memory_->data()));
}

}  // namespace turdb::txn
