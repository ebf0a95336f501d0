#include "txn/follower.h"

#include <map>
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"
#include "txn/directory.h"
#include "txn/recovery.h"
#include "txn/state_builder.h"

namespace turdb::txn {

// The LSNs that this process's snapshots are at, the oldest of which it claims. Outlives the follower with the snapshots.
class LeaseCounter {
 public:
  LeaseCounter(env::Env* env, std::shared_ptr<ReaderTable> table)
      : env_(env), process_id_(env->ProcessId()), table_(std::move(table)) {}

  void Add(Lsn lsn) {
    std::lock_guard<std::mutex> guard(mutex_);
    ++lsns_[lsn];
    ClaimLocked();
  }
  void Remove(Lsn lsn) {
    if (env_->ProcessId() != process_id_) return;  // a forked child's copies: the claim is its parent's
    std::lock_guard<std::mutex> guard(mutex_);
    const auto found = lsns_.find(lsn);
    if (--found->second == 0) lsns_.erase(found);
    ClaimLocked();
  }
  void SetLoading(bool is_loading) {
    std::lock_guard<std::mutex> guard(mutex_);
    is_loading_ = is_loading;
    ClaimLocked();
  }

 private:
  void ClaimLocked() {
    const uint64_t claim = is_loading_      ? format::kLoadingClaim
                           : lsns_.empty() ? format::kNoClaim
                                           : format::kFirstLsnClaim + lsns_.begin()->first.value();
    if (claim != claim_) table_->Claim(claim);
    claim_ = claim;
  }

  env::Env* const env_;
  const uint64_t process_id_;
  const std::shared_ptr<ReaderTable> table_;
  std::mutex mutex_;  // guards what follows
  std::map<Lsn, uint64_t> lsns_;
  bool is_loading_ = true;
  uint64_t claim_ = format::kLoadingClaim;  // as TakeSlot left it
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
                   IntrusivePtr<pager::PageMemory> memory, uint64_t timeout_ms)
    : env_(env),
      directory_(directory),
      table_(table),
      memory_(std::move(memory)),
      timeout_ms_(timeout_ms),
      leases_(std::make_shared<LeaseCounter>(env, std::move(table))) {}

Follower::~Follower() = default;

absl::StatusOr<std::unique_ptr<Follower>> Follower::Open(env::Env* env, const std::string& directory,
                                                         std::shared_ptr<ReaderTable> table,
                                                         IntrusivePtr<pager::PageMemory> memory, uint64_t timeout_ms,
                                                         const CheckInterrupt& check) {
  TURDB_RETURN_IF_ERROR(table->TakeSlot());
  std::unique_ptr<Follower> follower(new Follower(env, directory, std::move(table), std::move(memory), timeout_ms));
  TURDB_RETURN_IF_ERROR(follower->Load(check));
  return follower;
}

absl::Status Follower::Load(const CheckInterrupt& check) {
  leases_->SetLoading(true);
  struct Loaded {
    LeaseCounter* leases;
    ~Loaded() { leases->SetLoading(false); }
  } loaded{leases_.get()};
  TURDB_ASSIGN_OR_RETURN(const auto lock, table_->LockDirectory(env::LockMode::kShared, timeout_ms_, check));
  if (!lock.is_held()) {
    return BusyError("cannot read database '", directory_, "': the process that writes it is busy with a checkpoint");
  }
  TURDB_ASSIGN_OR_RETURN(const format::DirectoryMeta meta, ReadMeta(env_, directory_));
  TURDB_ASSIGN_OR_RETURN(const bool has_writer, table_->HasWriter());
  const Lsn published = table_->published();
  Recovery recovery(env_, directory_, meta, /*is_read_only=*/true, memory_, has_writer ? published : wal::kEndOfLog);
  TURDB_RETURN_IF_ERROR(recovery.Run());
  const Lsn end = recovery.log().end_lsn();
  if (has_writer && end < published) {
    return CorruptionError("the log of '", directory_, "' ends at ", end.value(), ", before commits that were made");
  }
  if (!has_writer) table_->Reset(meta.salt, end, meta.checkpoint_lsn);
  current_ = recovery.state();
  trimmed_ = meta.checkpoint_lsn;
  recovered_commits_ = recovery.log().commits();
  log_ = std::make_unique<wal::LogFollower>(env_, LogDirectory(directory_), meta.salt);
  return absl::OkStatus();
}

// While nothing was claimed a checkpoint may have gone past the current state, be running even now, or have dropped the
// part of the log that is missing here. A page of a newer state says in its header which changes it has already, and one caught half-written
// fails its checksum; so what can be read on is right, and otherwise all is loaded with checkpoints held off.
absl::Status Follower::Advance(Lsn to) {
  StateBuilder builder(env_, directory_, *current_, memory_);
  auto is_followed = log_->Follow(current_->lsn(), to, &builder);
  if (is_followed.ok() && *is_followed) {
    auto next = builder.Build(to);
    if (next.ok()) {
      current_ = *std::move(next);
      return absl::OkStatus();
    }
  }
  return Load({});
}

absl::Status Follower::Trim(Lsn checkpoint) {
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
  return absl::OkStatus();
}

IntrusivePtr<DatabaseState> Follower::Lease() {
  return MakeIntrusive<DatabaseState>(*current_, std::make_shared<LeaseOnLsn>(leases_, current_->lsn()));
}

IntrusivePtr<DatabaseState> Follower::Snapshot() {
  std::lock_guard<std::mutex> guard(mutex_);
  auto snapshot = Lease();  // claims first, and asks then what there is
  const Lsn published = table_->published();
  if (published > current_->lsn()) {
    const absl::Status advanced = Advance(published);
    if (!advanced.ok()) return MakeIntrusive<DatabaseState>(advanced);
    snapshot = Lease();
  }
  // Read after the claim: nobody writes past it, so these versions are what the files show.
  const Lsn checkpoint = table_->checkpoint();
  if (checkpoint > trimmed_ && checkpoint <= current_->lsn()) {
    const absl::Status trimmed = Trim(checkpoint);
    if (!trimmed.ok()) return MakeIntrusive<DatabaseState>(trimmed);
    snapshot = Lease();
  }
  return snapshot;
}

}  // namespace turdb::txn
