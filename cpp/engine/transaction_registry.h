// TransactionRegistry: the explicit transactions that connections of a database have open, for turdb_catalog.transactions.
//
// A connection writes what it knows of its transaction at the beginning and end of each statement; whoever lists sees that.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace turdb::engine {

// What there is to know about one of them.
struct TransactionFacts {
  uint64_t id = 0, connection = 0;
  std::string_view isolation;  // as in BEGIN ISOLATION LEVEL; static text
  bool is_writing = false;
  std::chrono::system_clock::time_point started;
  uint64_t snapshot_lsn = 0, private_bytes = 0;
};

class TransactionRegistry {
 public:
  // In the registry for as long as it lives.
  class Entry {
   public:
    Entry(TransactionRegistry* registry, uint64_t connection);
    ~Entry();
    Entry(const Entry&) = delete;
    void Update(std::string_view isolation, bool is_writing, uint64_t snapshot_lsn, uint64_t private_bytes);

   private:
    TransactionRegistry* const registry_;
    std::list<TransactionFacts>::iterator at_;
  };

  uint64_t NewConnection() { return connections_.fetch_add(1) + 1; }
  std::vector<TransactionFacts> List() const;  // oldest first
  bool is_empty() const;

 private:
  mutable std::mutex mutex_;
  std::list<TransactionFacts> open_;
  uint64_t last_id_ = 0;
  std::atomic<uint64_t> connections_{0};
};

}  // namespace turdb::engine
