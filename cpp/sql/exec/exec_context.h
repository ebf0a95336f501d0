// ExecContext: what one execution of a statement shares between its operators.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "catalog/catalog.h"
#include "env/temp_file.h"
#include "sql/exec/memory_budget.h"
#include "sql/plan/physical_plan.h"
#include "txn/store.h"
#include "types/value.h"

namespace turdb::sql {

class CollationRegistry;  // user collations of the connection (sql/exec/collation.h)

// The connection that a statement runs in. Table functions that a room above registers know what it really is.
class ExecOwner {
 protected:
  ~ExecOwner() = default;
};

// Settings of the connection that change what statements do.
struct SessionSettings {
  uint32_t hnsw_ef_search = 64;
  int threads = 0;  // 0: as many as the machine has
  bool is_recursive_triggers = false;
  uint64_t statement_memory = MemoryBudget::kDefaultBytes;  // of the rows that one statement keeps, before it uses disk
};

// Counters of one plan node, for EXPLAIN ANALYZE.
struct NodeCounters {
  uint64_t opens = 0, batches = 0, rows = 0, nanos = 0;
  uint64_t spilled_bytes = 0, spill_runs = 0;  // written to temporary files
  std::string note;  // e.g. the search method and its counters
};

struct ExecContext {
  txn::Transaction* txn = nullptr;
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;
  absl::Span<const Value> parameters;  // [number - 1]
  std::vector<Value> registers;        // register_index -> value
  const SessionSettings* settings = nullptr;
  ExecOwner* owner = nullptr;
  const std::atomic<bool>* interrupted = nullptr;  // checked by CheckInterrupt at least every batch
  std::function<absl::Status()> progress;          // may be empty; an error stops the statement
  const CollationRegistry* collations = nullptr;
  const FunctionSet* functions = nullptr;          // the connection's
  MemoryBudget memory;
  env::TempPlace temp_place;                       // where rows past the budget go
  bool is_timed = false;                           // EXPLAIN ANALYZE
  std::vector<NodeCounters> counters;              // by node id
  // Of this statement, and what changes(), total_changes(), last_insert_rowid() of the connection see.
  int64_t changes = 0;
  int64_t last_insert_rowid = 0;
  int64_t connection_changes = 0, connection_total_changes = 0;
  mutable std::chrono::system_clock::time_point now;  // asked for the first time; Now() is the way to it
  // Grows when the root is opened: what was computed for an earlier execution is stale.
  uint64_t execution = 0;
  // How a write that failed wants to end: OR ROLLBACK ends the transaction, OR FAIL keeps what the statement has done.
  bool rollback_transaction = false;
  bool keep_changes = false;
  // Set by writes before they change the first row: until then a failed statement leaves nothing to take back.
  bool has_begun_writing = false;
  // A statement that may fail halfway is taken back to its savepoint. Made when it turns out to be needed.
  bool wants_savepoint = false;
  std::optional<txn::Savepoint> savepoint;
  // What operators share between them (CTEs) is let go when the whole plan is closed.
  std::vector<std::function<void()>> at_close;

  absl::Status CheckInterrupt() const;
  // One moment for the whole statement. Most never ask, and a clock costs more than a comparison of rows.
  std::chrono::system_clock::time_point Now() const {
    if (now == std::chrono::system_clock::time_point()) now = std::chrono::system_clock::now();
    return now;
  }
  // A change of one row is found wanting before anything is written, or written whole; a savepoint would make the next
  // statement copy again every page that it touches.
  void BeginWriting(bool is_one_row) {
    has_begun_writing = true;
    if (wants_savepoint && !is_one_row && !savepoint.has_value()) savepoint = txn->MakeSavepoint();
  }
};

// Grows the registers as needed; bytes are copied.
void SetRegister(ExecContext* context, int register_index, const Cell& cell);

}  // namespace turdb::sql
