// Database: one open database directory (or ":memory:") of this process, shared by its connections.
//
// Owns the store, the catalog cache and the background absorber of vector tails. Connections find it through a
// registry keyed by the path's identity; the last one to go closes it. Thread-safe.
//
// The absorber commits transactions of its own. So that it never makes a user's transaction conflict, it runs only while
// no explicit transaction is open (ActivityGate), and an explicit BEGIN waits for its short batch to end.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "catalog/catalog.h"
#include "engine/connection.h"
#include "txn/store.h"

namespace turdb::engine {

// Who may commit when: explicit transactions against the background.
class ActivityGate {
 public:
  void EnterTransaction();
  void LeaveTransaction();
  // False when a transaction is open; otherwise transactions wait until LeaveBackground.
  bool TryEnterBackground();
  void LeaveBackground();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int transactions_ = 0;
  bool is_background_ = false;
};

class Database {
 public:
  static absl::StatusOr<std::shared_ptr<Database>> Open(const OpenOptions& options);
  ~Database();

  txn::Store* store() const { return store_.get(); }
  catalog::CatalogCache* catalog_cache() const { return catalog_cache_.get(); }
  ActivityGate* gate() { return &gate_; }
  const std::string& path() const { return path_; }
  bool is_read_only() const { return store_->is_read_only(); }

  // A commit may have left vectors outside their graph: the absorber looks soon.
  void NotifyCommit();
  // Absorbs every tail now; used by PRAGMA hnsw_absorb=sync and at close of the tests. Returns vectors absorbed.
  absl::StatusOr<uint64_t> AbsorbNow(int threads);
  void set_background_absorb(bool is_on);

 private:
  Database(std::string path, std::unique_ptr<env::Env> memory_env, std::unique_ptr<txn::Store> store);
  void RunAbsorber();
  // One short transaction of absorption; false when there is nothing to do or somebody else is writing.
  absl::StatusOr<bool> AbsorbStep(uint64_t least_tail, uint64_t limit, int threads, uint64_t* absorbed);

  const std::string path_;
  std::unique_ptr<env::Env> memory_env_;  // of ":memory:"; outlives the store
  std::unique_ptr<txn::Store> store_;
  std::shared_ptr<catalog::CatalogCache> catalog_cache_;
  ActivityGate gate_;

  std::mutex absorber_mutex_;
  std::condition_variable absorber_wake_;
  bool is_work_pending_ = false;
  bool is_stopping_ = false;
  bool is_background_on_ = true;
  std::thread absorber_;  // started by the first commit that may need it
};

}  // namespace turdb::engine
