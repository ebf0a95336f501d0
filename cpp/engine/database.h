// Database: one open database directory (or ":memory:") of this process, shared by its connections.
//
// Owns the store, the catalog cache and the background absorber of vector tails. Connections find it through a
// registry keyed by the path's identity; the last one to go closes it. Thread-safe.
//
// The maintenance thread absorbs tails and vacuums tables (auto_vacuum.h) in transactions of its own. Absorption has one table
// for itself for a short while; it takes a table only when nobody is writing it, and what it changes (graphs) makes no user's
// transaction conflict. A vacuum works only while no explicit transaction is open, and gives way to whoever waits.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "catalog/catalog.h"
#include "engine/auto_vacuum.h"
#include "engine/connection.h"
#include "engine/transaction_registry.h"
#include "txn/store.h"

namespace turdb::engine {

class Database {
 public:
  static absl::StatusOr<std::shared_ptr<Database>> Open(const OpenOptions& options);
  ~Database();

  txn::Store* store() const { return store_.get(); }
  catalog::CatalogCache* catalog_cache() const { return catalog_cache_.get(); }
  const std::string& path() const { return path_; }
  bool is_read_only() const { return store_->is_read_only(); }

  // A commit may have left vectors outside their graph, or room that holds nothing: the maintenance thread looks soon.
  void NotifyCommit();
  // Absorbs every tail now; used by PRAGMA hnsw_absorb=sync and at close of the tests. Returns vectors absorbed.
  absl::StatusOr<uint64_t> AbsorbNow(int threads);
  void set_background_absorb(bool is_on);
  // Of a graph that the background builds: as much as a connection has allowed its statements last.
  void set_background_memory(uint64_t bytes) { auto_vacuum_.set_memory_bytes(bytes); }
  TransactionRegistry& transactions() { return transactions_; }
  const TransactionRegistry& transactions() const { return transactions_; }
  const SpaceCounters& space_counters() const { return auto_vacuum_.counters(); }

 private:
  Database(std::string path, std::unique_ptr<env::Env> memory_env, std::unique_ptr<txn::Store> store);
  static absl::StatusOr<std::shared_ptr<Database>> OpenNew(const OpenOptions& options, bool is_memory);
  void RunMaintenance();
  // What is to be done now; true when there may be more.
  bool Maintain();
  bool MustYield() const;
  struct AbsorbBatch {
    uint64_t least_tail, limit;
    int threads;
    std::chrono::milliseconds wait;  // for a table that somebody is writing
  };
  // One short transaction of absorption; false when there is nothing to do.
  absl::StatusOr<bool> AbsorbStep(const AbsorbBatch& batch, uint64_t* absorbed);
  absl::StatusOr<uint64_t> AbsorbIndex(const catalog::TableDef& table, const catalog::IndexDef& index,
                                       const AbsorbBatch& batch);

  const std::string path_;
  std::unique_ptr<env::Env> memory_env_;  // of ":memory:"; outlives the store
  std::unique_ptr<txn::Store> store_;
  std::shared_ptr<catalog::CatalogCache> catalog_cache_;
  TransactionRegistry transactions_;
  AutoVacuum auto_vacuum_;

  std::mutex maintenance_mutex_;
  std::condition_variable maintenance_wake_;
  std::atomic<bool> is_work_pending_{false};
  std::atomic<bool> is_stopping_{false};
  bool is_absorbing_ = true;
  std::thread maintenance_;  // started by the first commit that may need it
};

}  // namespace turdb::engine
