#include "engine/backup.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/connection_impl.h"
#include "engine/copy_database.h"

namespace turdb::engine {
namespace {

class BackupImpl final : public Backup {
 public:
  BackupImpl(std::shared_ptr<Database> target, txn::Synchronous synchronous)
      : target_(std::move(target)), synchronous_(synchronous) {
    to_ = target_->store()->Begin();
  }
  ~BackupImpl() override { Leave(); }

  absl::Status Start(ConnectionState* source, ConnectionState* target) {
    TURDB_RETURN_IF_ERROR(target->StartWriting(to_.get()));
    // Within a transaction of its own connection the source is what that sees.
    std::shared_ptr<txn::Transaction> from = source->transaction;
    if (from == nullptr) from = source->database->store()->Begin();
    const CopyEnds ends{source->database->catalog_cache(), from.get(), target_->catalog_cache(), to_.get()};
    TURDB_ASSIGN_OR_RETURN(copy_, PageWiseCopy::Start(ends));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Step(int64_t pages) override {
    if (to_ == nullptr) return is_done_ ? absl::StatusOr<bool>(true) : MisuseError("this backup has failed before");
    auto stepped = copy_->Step(pages < 0 ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(pages));
    absl::Status status = stepped.status();
    if (status.ok() && !*stepped) return false;
    if (status.ok()) status = to_->Commit(synchronous_);
    Leave();
    TURDB_RETURN_IF_ERROR(status);
    is_done_ = true;
    target_->NotifyCommit();
    return true;
  }
  uint64_t total_pages() const override { return copy_->total_pages(); }
  uint64_t remaining_pages() const override { return copy_->remaining_pages(); }

 private:
  void Leave() {
    if (to_ == nullptr) return;
    to_ = nullptr;  // rolls back what was not committed
  }

  const std::shared_ptr<Database> target_;
  const txn::Synchronous synchronous_;
  std::unique_ptr<txn::Transaction> to_;  // null once it is over
  std::unique_ptr<PageWiseCopy> copy_;
  bool is_done_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Backup>> Backup::Start(Connection* source, Connection* target, std::string_view name) {
  // Locked together: two backups in opposite directions may start at once.
  const auto from = static_cast<ConnectionImpl*>(source)->state();
  const auto to = static_cast<ConnectionImpl*>(target)->state();
  if (from == to) return MisuseError("source and destination must be distinct");
  std::scoped_lock lock(from->mutex, to->mutex);
  TURDB_RETURN_IF_ERROR(from->CheckUsable());
  TURDB_RETURN_IF_ERROR(to->CheckUsable());
  if (!EqualsIgnoreCase(name, "main") && !EqualsIgnoreCase(name, catalog::kDefaultSchema)) return NameError("unknown database ", name);
  if (from->database == to->database) return MisuseError("source and destination must be distinct: both are '", to->database->path(), "'");
  if (to->transaction != nullptr) return BusyError("destination database is in use: its connection has a transaction open");
  auto backup = std::make_unique<BackupImpl>(to->database, to->synchronous);
  TURDB_RETURN_IF_ERROR(backup->Start(from.get(), to.get()));
  return std::unique_ptr<Backup>(std::move(backup));
}

}  // namespace turdb::engine
