#include "engine/transaction_registry.h"

namespace turdb::engine {

TransactionRegistry::Entry::Entry(TransactionRegistry* registry, uint64_t connection) : registry_(registry) {
  std::lock_guard<std::mutex> guard(registry->mutex_);
  TransactionFacts facts;
  facts.id = ++registry->last_id_;
  facts.connection = connection;
  facts.started = std::chrono::system_clock::now();
  at_ = registry->open_.insert(registry->open_.end(), facts);
}

TransactionRegistry::Entry::~Entry() {
  std::lock_guard<std::mutex> guard(registry_->mutex_);
  registry_->open_.erase(at_);
}

void TransactionRegistry::Entry::Update(std::string_view isolation, bool is_writing, uint64_t snapshot_lsn, uint64_t private_bytes) {
  // Nobody else changes the entry.
  if (at_->private_bytes == private_bytes && at_->snapshot_lsn == snapshot_lsn && at_->is_writing == is_writing &&
      at_->isolation == isolation) {
    return;
  }
  std::lock_guard<std::mutex> guard(registry_->mutex_);
  at_->isolation = isolation;
  at_->is_writing = is_writing;
  at_->snapshot_lsn = snapshot_lsn;
  at_->private_bytes = private_bytes;
}

std::vector<TransactionFacts> TransactionRegistry::List() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return {open_.begin(), open_.end()};
}

bool TransactionRegistry::is_empty() const {
  std::lock_guard lock(mutex_);
  return open_.empty();
}

}  // namespace turdb::engine
