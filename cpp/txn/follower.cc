#include "txn/follower.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"
#include "txn/directory.h"
#include "txn/recovery.h"
#include "txn/state_builder.h"

namespace turdb::txn {

// The LSNs that this process's snapshots are at, each of which it claims in a word of its own for as long as it is leased. For those
// that there is no word for, it claims everything from the oldest of them on. Outlives the follower with the snapshots.
class LeaseCounter {
 public:
  LeaseCounter(env::Env* env, std::shared_ptr<ReaderTable> table)
      : env_(env), process_id_(env->ProcessId()), table_(std::move(table)) {}

  void Add(Lsn lsn) {
    std::lock_guard<std::mutex> guard(mutex_);
    Leases& leases = leases_[lsn];
    if (++leases.n > 1) return;
    leases.since_micros = env_->NowMicros();
    leases.word = TakeWordLocked();
    if (leases.word != kNoWord) {
      table_->ClaimSnapshot(leases.word, lsn, leases.since_micros);
    } else {
      ClaimRestLocked();
    }
  }
  void Remove(Lsn lsn) {
    if (env_->ProcessId() != process_id_) return;  // a forked child's copies: the claim is its parent's
    std::lock_guard<std::mutex> guard(mutex_);
    const auto found = leases_.find(lsn);
    if (--found->second.n > 0) return;
    const uint32_t word = found->second.word;
    leases_.erase(found);
    if (word != kNoWord) {
      table_->UnclaimSnapshot(word);
      is_used_[word] = false;
      GiveSlotBackLocked();
    } else {
      ClaimRestLocked();
    }
  }
  std::vector<SnapshotInfo> List() {
    std::lock_guard<std::mutex> guard(mutex_);
    const Lsn published = table_->published();
    std::vector<SnapshotInfo> all;
    for (const auto& [lsn, leases] : leases_) {
      SnapshotInfo info{process_id_, true, lsn, leases.since_micros};
      info.log_bytes = published.value() - std::min(published, lsn).value();
      all.push_back(info);
    }
    return all;
  }
  void SetLoading(bool is_loading) {
    std::lock_guard<std::mutex> guard(mutex_);
    is_loading_ = is_loading;
    ClaimRestLocked();
  }

 private:
  static constexpr uint32_t kNoWord = ~uint32_t{0};
  struct Leases {
    uint64_t n = 0;
    uint32_t word = kNoWord;
    uint64_t since_micros = 0;
  };
  uint32_t TakeWordLocked() {
    auto free = std::find(is_used_.begin(), is_used_.end(), false);
    if (free == is_used_.end()) {
      if (is_used_.size() == table_->snapshot_words() && !table_->TakeSlot().ok()) return kNoWord;
      free = is_used_.insert(is_used_.end(), table_->snapshot_words() - is_used_.size(), false);
    }
    *free = true;
    return static_cast<uint32_t>(free - is_used_.begin());
  }
  // The last slot, when it is not needed and there is another empty one's worth of words.
  void GiveSlotBackLocked() {
    const size_t n_free = static_cast<size_t>(std::count(is_used_.begin(), is_used_.end(), false));
    const bool is_last_free = std::find(is_used_.end() - format::kSlotSnapshots, is_used_.end(), true) == is_used_.end();
    if (!is_last_free || n_free < 2 * format::kSlotSnapshots) return;
    table_->GiveLastSlotBack();
    is_used_.resize(table_->snapshot_words());
  }
  void ClaimRestLocked() {
    const auto rest = std::find_if(leases_.begin(), leases_.end(),
                                   [](const auto& each) { return each.second.word == kNoWord; });
    const uint64_t claim = is_loading_              ? format::kLoadingClaim
                           : rest == leases_.end() ? format::kNoClaim
                                                   : format::kFirstLsnClaim + rest->first.value();
    if (claim != claim_) table_->ClaimFrom(claim);
    claim_ = claim;
  }

  env::Env* const env_;
  const uint64_t process_id_;
  const std::shared_ptr<ReaderTable> table_;
  std::mutex mutex_;  // guards what follows
  std::map<Lsn, Leases> leases_;
  std::vector<bool> is_used_;  // a word each
  bool is_loading_ = false;
  uint64_t claim_ = format::kNoClaim;
};

namespace {

struct LeaseOnLsn {
  LeaseOnLsn(std::shared_ptr<LeaseCounter> counter_in, Lsn lsn_in) : counter(std::move(counter_in)), lsn(lsn_in) {
    counter->Add(lsn);
  }
  ~LeaseOnLsn() { counter->Remove(lsn); }
  LeaseOnLsn(const LeaseOnLsn&) = delete;
  LeaseOnLsn& operator=(const LeaseOnLsn&) = delete;
  const std::shared_ptr<LeaseCounter> counter;
  const Lsn lsn;
};

}  // namespace

Follower::Follower(env::Env* env, const std::string& directory, std::shared_ptr<ReaderTable> table,
                   IntrusivePtr<pager::PageMemory> memory, IntrusivePtr<pager::OpenFiles> open_files, uint64_t timeout_ms)
    : env_(env),
      directory_(directory),
      table_(table),
      memory_(std::move(memory)),
      open_files_(std::move(open_files)),
      timeout_ms_(timeout_ms),
      leases_(std::make_shared<LeaseCounter>(env, std::move(table))) {}

Follower::~Follower() = default;

absl::StatusOr<std::unique_ptr<Follower>> Follower::Open(env::Env* env, const std::string& directory,
                                                         std::shared_ptr<ReaderTable> table,
                                                         IntrusivePtr<pager::PageMemory> memory,
                                                         IntrusivePtr<pager::OpenFiles> open_files, uint64_t timeout_ms,
                                                         const CheckInterrupt& check) {
  TURDB_RETURN_IF_ERROR(table->TakeSlot());
  std::unique_ptr<Follower> follower(new Follower(env, directory, std::move(table), std::move(memory), std::move(open_files), timeout_ms));
  IntrusivePtr<DatabaseState> first;
  TURDB_RETURN_IF_ERROR(follower->Load(check, &first));
  return follower;
}

// REQUIRES: the directory is not rearranged meanwhile; else the result is to be thrown away.
absl::StatusOr<Follower::Loaded> Follower::Read(bool has_writer) {
  const Lsn published = table_->published();
  TURDB_ASSIGN_OR_RETURN(const format::DirectoryMeta meta, ReadMeta(env_, directory_));
  Recovery recovery(env_, directory_, meta, /*is_read_only=*/true, memory_, open_files_, has_writer ? published : wal::kEndOfLog);
  TURDB_RETURN_IF_ERROR(recovery.Run());
  const Lsn end = recovery.log().end_lsn();
  if (has_writer && end < published) {
    return CorruptionError("the log of '", directory_, "' ends at ", end.value(), ", before commits that were made");
  }
  if (!has_writer) table_->Reset(meta.salt, end, meta.checkpoint_lsn);
  Loaded loaded;
  loaded.state = recovery.state();
  loaded.snapshot = Lease(*loaded.state);
  loaded.checkpoint = meta.checkpoint_lsn;
  loaded.files = table_->replaced();
  loaded.salt = meta.salt;
  loaded.commits = recovery.log().commits();
  loaded.state->ForEach([&](FileId, const IntrusivePtr<pager::FileState>& file) {
    file->file()->SearchReplaced(LogDirectory(directory_), loaded.files);
  });
  return loaded;
}

IntrusivePtr<DatabaseState> Follower::Adopt(Loaded loaded) {
  current_ = std::move(loaded.state);
  trimmed_ = loaded.checkpoint;
  loaded_files_ = loaded.files;
  recovered_commits_ = loaded.commits;
  log_ = std::make_unique<wal::LogFollower>(env_, LogDirectory(directory_), loaded.salt);
  return std::move(loaded.snapshot);
}

// Beside a process that writes, without holding it up: what was read counts when nothing was rearranged before it was
// claimed. False: it was, or nobody writes.
absl::StatusOr<bool> Follower::LoadUnlocked(IntrusivePtr<DatabaseState>* snapshot) {
  const uint64_t before = table_->changes();
  TURDB_ASSIGN_OR_RETURN(bool has_writer, table_->HasWriter());
  if (before % 2 != 0 || !has_writer) return false;
  auto loaded = Read(/*has_writer=*/true);
  TURDB_ASSIGN_OR_RETURN(has_writer, table_->HasWriter());
  if (!loaded.ok() || !has_writer || table_->changes() != before) return false;
  *snapshot = Adopt(*std::move(loaded));
  return true;
}

absl::Status Follower::LoadLocked(const CheckInterrupt& check, IntrusivePtr<DatabaseState>* snapshot) {
  leases_->SetLoading(true);
  struct Done {
    LeaseCounter* leases;
    ~Done() { leases->SetLoading(false); }
  } done{leases_.get()};
  TURDB_ASSIGN_OR_RETURN(const auto lock, table_->LockDirectory(env::LockMode::kShared, timeout_ms_, check));
  if (!lock.is_held()) {
    return BusyError("cannot read database '", directory_, "': the process that writes it is busy with a checkpoint");
  }
  TURDB_ASSIGN_OR_RETURN(const bool has_writer, table_->HasWriter());
  TURDB_ASSIGN_OR_RETURN(Loaded loaded, Read(has_writer));
  *snapshot = Adopt(std::move(loaded));
  return absl::OkStatus();
}

absl::Status Follower::Load(const CheckInterrupt& check, IntrusivePtr<DatabaseState>* snapshot) {
  constexpr int kAttempts = 5;
  constexpr uint64_t kPauseMicros = 500, kMostPauses = 400;  // for a rearrangement that is going on
  uint64_t pauses = 0;
  for (int i = 0; i < kAttempts; ++i) {
    for (; table_->changes() % 2 != 0 && pauses < kMostPauses; ++pauses) {
      if (check) TURDB_RETURN_IF_ERROR(check());
      env_->SleepMicros(kPauseMicros);
    }
    TURDB_ASSIGN_OR_RETURN(const bool is_loaded, LoadUnlocked(snapshot));
    if (is_loaded) return absl::OkStatus();
  }
  return LoadLocked(check, snapshot);
}

// While nothing was claimed a checkpoint may have gone past the current state, be running even now, or have dropped the
// part of the log that is missing here. A page of a newer state says in its header which changes it has already, and one caught half-written
// fails its checksum; so what can be read on is right, and otherwise all is loaded with checkpoints held off.
absl::Status Follower::Advance(Lsn to, IntrusivePtr<DatabaseState>* snapshot) {
  StateBuilder builder(env_, directory_, *current_, memory_, open_files_, loaded_files_);
  auto is_followed = log_->Follow(current_->lsn(), to, &builder);
  if (is_followed.ok() && *is_followed) {
    auto next = builder.Build(to);
    if (next.ok()) {
      current_ = *std::move(next);
      *snapshot = Lease(*current_);
      return absl::OkStatus();
    }
  }
  return Load({}, snapshot);
}

absl::Status Follower::Trim(Lsn checkpoint, IntrusivePtr<DatabaseState>* snapshot) {
  IntrusivePtr<DatabaseState> trimmed;
  absl::Status status;
  current_->ForEach([&](FileId id, const IntrusivePtr<pager::FileState>& file) {
    auto without = file->WithoutVersionsUpTo(checkpoint);
    if (!without || !status.ok()) return;
    status = file->file()->Refresh();
    if (!trimmed) trimmed = current_->CopyAt(current_->lsn());
    trimmed->Set(id, std::move(without));
  });
  TURDB_RETURN_IF_ERROR(status);
  if (trimmed) current_ = std::move(trimmed);
  trimmed_ = checkpoint;
  *snapshot = Lease(*current_);
  return absl::OkStatus();
}

IntrusivePtr<DatabaseState> Follower::Lease(const DatabaseState& state) {
  return MakeIntrusive<DatabaseState>(state, std::make_shared<LeaseOnLsn>(leases_, state.lsn()));
}

// A state is handed out when it was the newest one after it had been claimed: whatever the writer does to files on behalf of newer
// ones, it does after it has looked at the claims. What was loaded under the directory's lock was claimed before the writer could do
// anything.
absl::Status Follower::ToNewest(IntrusivePtr<DatabaseState>* snapshot) {
  constexpr int kMostSteps = 8;  // a writer that commits faster than this reads is stopped short
  for (int steps = 0;; ++steps) {
    if (steps == kMostSteps) return LoadLocked({}, snapshot);
    if (table_->replaced() > loaded_files_) {
      TURDB_RETURN_IF_ERROR(Load({}, snapshot));
      continue;
    }
    const Lsn published = table_->published();
    if (published <= current_->lsn()) break;
    TURDB_RETURN_IF_ERROR(Advance(published, snapshot));
  }
  // Read after the claim: nobody writes past it, so these versions are what the files show, if they are the same files.
  const Lsn checkpoint = table_->checkpoint();
  const bool is_due = checkpoint > trimmed_ && checkpoint <= current_->lsn();
  return is_due && table_->replaced() <= loaded_files_ ? Trim(checkpoint, snapshot) : absl::OkStatus();
}

std::vector<SnapshotInfo> Follower::Snapshots() const { return leases_->List(); }

IntrusivePtr<DatabaseState> Follower::Snapshot() {
  std::lock_guard<std::mutex> guard(mutex_);
  auto snapshot = Lease(*current_);  // claims first, and asks then what there is
  absl::Status status = ToNewest(&snapshot);
  return status.ok() ? std::move(snapshot) : MakeIntrusive<DatabaseState>(std::move(status));
}

}  // namespace turdb::txn
