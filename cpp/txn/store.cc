#include "txn/store.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "txn/store_core.h"
#include "txn/transaction_impl.h"

namespace turdb::txn {

class StoreImpl final : public Store {
 public:
  explicit StoreImpl(std::shared_ptr<StoreCore> core) : core_(std::move(core)) {}
  ~StoreImpl() override { Close().IgnoreError(); }
  std::unique_ptr<Transaction> Begin() override { return std::make_unique<TransactionImpl>(core_); }
  absl::StatusOr<bool> Checkpoint() override { return true; }
  absl::Status Close() override {
    core_->is_closed_.store(true);
    return absl::OkStatus();
  }
  StoreStats stats() const override {
    StoreStats stats;
    stats.commits = core_->commits_.load();
    return stats;
  }
  bool is_read_only() const override { return core_->options_.is_read_only; }
  void set_checkpoint_bytes(uint64_t bytes) override {}
  Lsn last_commit_lsn() const override { return core_->chain_->published()->lsn(); }
  env::Env* env() const override { return core_->env_; }
  const std::string& path() const override { return core_->path_; }

  static absl::StatusOr<std::unique_ptr<Store>> Open(env::Env* env, const std::string& path,
                                                     const StoreOptions& options) {
    TURDB_RETURN_IF_ERROR(env->CreateDir(path));
    auto core = std::make_shared<StoreCore>(env, path, options);
    core->chain_ = std::make_unique<StateChain>(MakeIntrusive<DatabaseState>(Lsn(0)));
    TransactionImpl first(core);
    TURDB_RETURN_IF_ERROR(first.StartWriting(std::chrono::milliseconds(0)));
    TURDB_ASSIGN_OR_RETURN(FileId catalog, first.CreateFile("turdb_catalog/catalog.tbd", nullptr));
    if (catalog != kCatalogFile) return InternalError("the catalog got file id ", catalog.value());
    TURDB_RETURN_IF_ERROR(first.Commit(Synchronous::kNormal));
    return std::unique_ptr<Store>(new StoreImpl(std::move(core)));
  }

 private:
  const std::shared_ptr<StoreCore> core_;
};

absl::StatusOr<std::unique_ptr<Store>> Store::Open(env::Env* env, const std::string& path,
                                                   const StoreOptions& options) {
  return StoreImpl::Open(env, path, options);
}

}  // namespace turdb::txn
