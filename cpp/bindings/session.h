// Session: what a turdb.Connection holds beside the engine's connection: settings, statement cache, transaction control.
//
// Legacy transaction control is sqlite3's: a transaction is begun before INSERT, UPDATE, DELETE and REPLACE unless
// isolation_level is None; `autocommit` True and False are those of Python 3.12.
// Members are guarded by the interpreter lock; functions marked "unlocked" run without it and touch the engine only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "bindings/python_ref.h"
#include "engine/connection.h"

namespace turdb::bindings {

enum class Autocommit : int8_t { kLegacy = -1, kOff = 0, kOn = 1 };

class Session {
 public:
  std::shared_ptr<engine::Connection> engine;  // nullptr after close
  Ref row_factory, text_factory;               // empty: tuples, str
  Ref isolation_level;                         // str or None
  Ref trace, progress, report;                 // callbacks, empty: none
  Autocommit autocommit = Autocommit::kLegacy;
  int detect_types = 0;
  bool check_same_thread = true;
  unsigned long thread_id = 0;

  // "BEGIN", "BEGIN IMMEDIATE", ...; empty: no implicit transactions. Follows isolation_level and autocommit.
  std::string implicit_begin = "BEGIN";

  // False with a Python error set: closed, or the wrong thread.
  bool Check() const { return CheckThread() && CheckOpen(); }
  bool CheckThread() const;
  bool CheckOpen() const;

  // The one statement of `sql`, from the cache when this very str was seen. nullptr with a Python error set. Blank text
  // gives a null pointer and no error.
  std::shared_ptr<engine::Statement> Prepare(PyObject* sql);
  void ForgetStatements();

  // The implicit BEGIN that this kind of statement is to have when no transaction is open; empty: none.
  std::string BeginFor(const engine::Statement& statement) const {
    const engine::StatementClass kind = statement.statement_class();
    const bool begins = kind == engine::StatementClass::kWrite || kind == engine::StatementClass::kLockingSelect;
    return begins ? implicit_begin : std::string();
  }

  // A batch to fetch into; given back, its buffers serve the next cursor.
  std::unique_ptr<ColumnBatch> TakeBatch();
  void GiveBack(std::unique_ptr<ColumnBatch> batch);

  // Calls the trace callback, if any, with the text; its errors are printed as unraisable.
  void Trace(PyObject* sql);

  // (Re)installs the engine's progress callback: signals, the progress and the report handlers.
  void InstallProgress();

  int Traverse(visitproc visit, void* arg);
  void ClearReferences();

 private:
  struct CachedStatement {
    Ref sql;
    std::shared_ptr<engine::Statement> statement;
  };
  static constexpr size_t kCachedStatements = 128;  // sqlite3's default; direct-mapped by the str's address
  std::array<CachedStatement, kCachedStatements> cache_;
  static constexpr size_t kSpareBatches = 4;
  std::vector<std::unique_ptr<ColumnBatch>> spare_batches_;
};

// Unlocked. Runs a statement without parameters to its end.
absl::Status RunStatement(engine::Connection* engine, std::string_view sql);
// Unlocked. Runs `begin` unless it is empty or a transaction is open.
absl::Status BeginIfNeeded(engine::Connection* engine, const std::string& begin);

// Whether nothing but blanks, comments and semicolons is in `sql`.
bool IsBlankSql(std::string_view sql);
// Asks, on the main thread, whether a signal (Ctrl-C) is to end a wait.
std::function<absl::Status()> SignalCheck();

}  // namespace turdb::bindings
