// Connection: what a program holds: prepares and runs statements in its transaction on one database.
//
// Several connections of a process to one path share its Database. A connection serialises its own calls with a mutex,
// so several threads may use it (threadsafety 3); Interrupt() may be called from anywhere at any time.
// Autocommit is SQLite's: outside BEGIN..COMMIT each statement is a transaction of its own, ended when its result is
// read to the end or closed (a write statement ends at once: its RETURNING rows are kept in memory).
// Results and statements keep their connection's internals alive; after Close() they fail with kMisuse.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/env.h"
#include "sql/bind/function.h"
#include "sql/bind/logical_plan.h"
#include "table/table_writer.h"
#include "txn/store.h"
#include "types/column_vector.h"
#include "types/value.h"

namespace turdb::engine {

struct OpenOptions {
  std::string path = ":memory:";  // ":memory:" private, ":memory:name" shared by name within the process
  uint64_t timeout_ms = 5000;
  bool is_read_only = false;
  bool create_if_missing = true;
  uint64_t page_cache_bytes = 0;  // 0: the default
  std::function<absl::Status()> check_interrupt;  // called while opening waits for a lock; an error ends it
  env::Env* env = nullptr;        // the file system, for tests; nullptr: the operating system's. Outlives the database
};

enum class StatementClass : uint8_t {
  kSelect,       // reads: SELECT, VALUES, EXPLAIN, reading PRAGMA
  kLockingSelect,  // SELECT .. FOR UPDATE or FOR SHARE: its locks last as long as the transaction, so one is opened for it, too
  kWrite,        // INSERT, UPDATE, DELETE, REPLACE (what Python's sqlite3 opens a transaction for)
  kSchema,       // CREATE, DROP, ALTER, REINDEX, ANALYZE, VACUUM
  kTransaction,  // BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE
  kPragma,
};

// The next set of parameters, good until the call after; null at the end.
using NextParameters = std::function<absl::StatusOr<const std::vector<Value>*>()>;

class ConnectionState;  // internals, shared with statements and results

using ResultColumns = std::vector<sql::ResultColumnInfo>;

// Rows of one execution, in batches. Movable handle; Close is implied by destruction.
class Result {
 public:
  virtual ~Result() = default;
  // Empty: the statement gives no rows. Those of its batches, whatever becomes of the schema and of the statement's own meanwhile.
  virtual const std::shared_ptr<const ResultColumns>& shared_columns() const = 0;
  const ResultColumns& columns() const { return *shared_columns(); }
  // The next batch; size 0 at the end (and ever after). The batch stays valid until the next call.
  virtual absl::Status Next(ColumnBatch* batch) = 0;
  virtual int64_t changes() const = 0;  // rows changed by this statement, -1 when it is not a write
  virtual void Close() = 0;
};

class Statement {
 public:
  virtual ~Statement() = default;
  virtual StatementClass statement_class() const = 0;
  virtual bool is_read_only() const = 0;
  virtual uint32_t parameter_count() const = 0;
  virtual const std::vector<std::string>& parameter_names() const = 0;  // with sign, "" for ?
  // Whether it is an INSERT, UPDATE or DELETE with RETURNING. Which columns a statement gives, its Result knows: each execution
  // may find another schema.
  virtual bool has_returning() const = 0;
  virtual const std::string& text() const = 0;
  // Runs it. `parameters` are copied. Prepared again by itself when the schema has changed. One Result at a time uses
  // the cached operators; a second one alongside builds its own.
  virtual absl::StatusOr<std::unique_ptr<Result>> Execute(absl::Span<const Value> parameters) = 0;
  // For writes without RETURNING: runs once per set of parameters as one statement; returns rows changed in all.
  virtual absl::StatusOr<int64_t> ExecuteMany(const NextParameters& next) = 0;
};

struct ProgressReport {
  std::string_view phase;  // "load", "index", "vacuum"
  uint64_t done = 0, total = 0;
};

class Connection {
 public:
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const OpenOptions& options);
  virtual ~Connection() = default;
  virtual absl::Status Close() = 0;  // rolls back an open transaction; idempotent

  // The first statement of `sql` (from the cache when the text was seen); *consumed: bytes up to and including its
  // semicolon. nullptr for blank text.
  virtual absl::StatusOr<std::shared_ptr<Statement>> Prepare(std::string_view sql, size_t* consumed) = 0;

  virtual bool in_transaction() const = 0;
  virtual int64_t changes() const = 0;        // of the last write
  virtual int64_t total_changes() const = 0;
  virtual int64_t last_insert_rowid() const = 0;
  virtual void set_timeout_ms(uint64_t timeout_ms) = 0;
  virtual void Interrupt() = 0;  // the running statement fails with kInterrupted soon
  // Called every ~n batches of work and by long builds; a non-OK status stops the statement. Empty: none.
  virtual void SetProgress(std::function<absl::Status(const ProgressReport&)> progress) = 0;

  // User functions; replaces one of the same name and number of arguments. Empty call/create removes it.
  virtual absl::Status CreateScalar(sql::ScalarFunction function) = 0;
  virtual absl::Status CreateAggregate(sql::AggregateFunction function) = 0;
  virtual absl::Status CreateCollation(std::string_view name, std::function<int(std::string_view, std::string_view)> compare) = 0;

  // Bulk append in one transaction (or inside the open one, as one statement). Column values arrive as batches of
  // ColumnVector per named column; vector columns as row-major float32. Affinities and constraints are applied as
  // INSERT would. Returns rows appended.
  struct AppendColumn {
    std::string name;                    // a column of the table, or "rowid"
    const ColumnVector* values = nullptr;
    const float* vectors = nullptr;      // instead of values, for a vector column
    size_t vector_stride = 0;            // floats between rows
    uint32_t dim = 0;
  };
  virtual absl::StatusOr<uint64_t> Append(std::string_view table, uint64_t rows, absl::Span<const AppendColumn> columns) = 0;

  // k nearest neighbours of each of n queries (row-major, dim floats). ids and distances have n * k places; missing ones
  // are -1 and infinity. `where` is an SQL expression over the table, or empty. Threads are used for batches.
  struct KnnRequest {
    std::string table, column, where;
    absl::Span<const Value> parameters;  // of where
    const float* queries = nullptr;
    uint64_t query_count = 0;
    uint32_t dim = 0, k = 10, ef = 0;
    int threads = 0;
  };
  virtual absl::Status Knn(const KnnRequest& request, int64_t* ids, float* distances) = 0;

  virtual txn::StoreStats stats() const = 0;
  virtual const std::string& path() const = 0;
};

}  // namespace turdb::engine
