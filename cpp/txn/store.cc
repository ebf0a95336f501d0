// Store: the face of StoreCore.
#include "txn/store.h"

#include "base/status_macros.h"
#include "txn/store_core.h"
#include "txn/transaction_impl.h"

namespace turdb::txn {
namespace {

class StoreImpl final : public Store {
 public:
  explicit StoreImpl(std::shared_ptr<StoreCore> core) : core_(std::move(core)) {}
  ~StoreImpl() override { Close().IgnoreError(); }

  std::unique_ptr<Transaction> Begin() override { return std::make_unique<TransactionImpl>(core_); }
  absl::StatusOr<bool> Checkpoint(CheckpointMode mode) override { return core_->Checkpoint(mode); }
  absl::Status Close() override { return core_->Close(); }
  StoreStats stats() const override { return core_->stats(); }
  bool is_read_only() const override { return core_->is_read_only(); }
  void set_checkpoint_bytes(uint64_t bytes) override { core_->set_checkpoint_bytes(bytes); }
  void set_checkpoint_interval_ms(uint64_t ms) override { core_->set_checkpoint_interval_ms(ms); }
  uint64_t checkpoint_interval_ms() const override { return core_->checkpoint_interval_ms(); }
  void set_page_cache_bytes(uint64_t bytes) override { core_->memory().set_limit_bytes(bytes); }
  void set_spilling(bool is_on) override { core_->memory().set_spilling(is_on); }
  bool is_spilling() const override { return core_->memory().is_spilling(); }
  Lsn last_commit_lsn() const override { return core_->Newest()->lsn(); }
  std::vector<LockInfo> Locks() const override { return core_->locks().List(); }
  std::vector<SnapshotInfo> Snapshots() const override { return core_->Snapshots(); }
  env::Env* env() const override { return core_->env(); }
  const std::string& path() const override { return core_->path(); }

 private:
  const std::shared_ptr<StoreCore> core_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(env::Env* env, const std::string& path,
                                                   const StoreOptions& options) {
  auto core = std::make_shared<StoreCore>(env, path, options);
  TURDB_RETURN_IF_ERROR(StoreCore::Open(core));
  return std::unique_ptr<Store>(new StoreImpl(std::move(core)));
}

}  // namespace turdb::txn
