// StoreCore: what a Store and its transactions share; it lives until the last of them is gone.
//
// Locks, in the order they are taken: the writer's place, checkpoint_mutex_, then one of the small ones (chain, names,
// log), none of which is held while another is taken. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "pager/private_pages.h"
#include "txn/state_chain.h"
#include "txn/store.h"
#include "txn/writer_lock.h"

namespace turdb::txn {

// What a transaction hands over at commit.
struct CommitRequest {
  std::vector<std::pair<FileId, pager::PrivatePages*>> changed;  // by file id; created ones among them
  std::vector<std::pair<FileId, std::string>> created;
  std::vector<FileId> dropped;
};

class StoreCore : public std::enable_shared_from_this<StoreCore> {
 public:
  StoreCore(env::Env* env, std::string path, const StoreOptions& options);
  ~StoreCore();

  absl::Status CheckUsable() const;   // open, and in the process that opened it
  absl::Status CheckWritable() const; // also: not read-only, no failed sync

  StateChain& chain() { return *chain_; }
  WriterLock& writer_lock() { return writer_lock_; }

  // REQUIRES: the caller has the writer's place; it is given back before this returns, also after an error.
  absl::StatusOr<IntrusivePtr<DatabaseState>> Commit(const CommitRequest& request, Synchronous synchronous);

  FileId NextFileId() { return FileId(next_file_id_.fetch_add(1)); }
  // Reserves a path below the directory that nothing has, close to the one wanted.
  absl::StatusOr<std::string> ReservePath(std::string_view wanted);
  // A file made by a transaction that is not to be: removes it and gives its path back.
  void DiscardCreated(const IntrusivePtr<pager::DataFile>& file);
  const std::string& path() const { return path_; }
  IntrusivePtr<pager::DataFile> NewDataFile(FileId id, const std::string& path);

 private:
  friend class StoreImpl;
  env::Env* const env_;
  const std::string path_;
  const StoreOptions options_;
  const uint64_t process_id_;
  std::atomic<bool> is_closed_{false};
  std::unique_ptr<StateChain> chain_;
  WriterLock writer_lock_;
  std::atomic<uint32_t> next_file_id_{1};

  std::mutex names_mutex_;
  std::set<std::string> names_;  // relative paths in use or reserved

  std::atomic<uint64_t> commits_{0};
};

}  // namespace turdb::txn
