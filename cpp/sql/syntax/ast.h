// The whole syntax tree: expressions, SELECT, INSERT/UPDATE/DELETE, schema statements (each in its own
// header) and, here, the statements on transactions and the database.
#pragma once

#include "sql/syntax/ast_schema.h"

namespace turdb::sql {

enum class BeginMode : uint8_t { kUnspecified, kDeferred, kImmediate, kExclusive, kConcurrent };
enum class Isolation : uint8_t {
  kUnspecified,
  kSnapshot,  // also REPEATABLE READ
  kReadCommitted,
  kReadUncommitted,
  kSerializable,
};

struct Begin : Statement {
  static constexpr StatementKind kKind = StatementKind::kBegin;
  Begin() : Statement(kKind) {}
  BeginMode mode = BeginMode::kUnspecified;
  Isolation isolation = Isolation::kUnspecified;
};

// COMMIT or END
struct Commit : Statement {
  static constexpr StatementKind kKind = StatementKind::kCommit;
  Commit() : Statement(kKind) {}
};

struct Rollback : Statement {
  static constexpr StatementKind kKind = StatementKind::kRollback;
  Rollback() : Statement(kKind) {}
  Name savepoint;  // ROLLBACK TO; empty() for the whole transaction
};

struct Savepoint : Statement {
  static constexpr StatementKind kKind = StatementKind::kSavepoint;
  Savepoint() : Statement(kKind) {}
  Name name;
};

struct Release : Statement {
  static constexpr StatementKind kKind = StatementKind::kRelease;
  Release() : Statement(kKind) {}
  Name name;
};

// PRAGMA [schema.]name, = value, (value)
struct Pragma : Statement {
  static constexpr StatementKind kKind = StatementKind::kPragma;
  Pragma() : Statement(kKind) {}
  QualifiedName name;
  bool is_call = false;          // written name(value)
  LiteralExpr* value = nullptr;  // null when absent; a bare word (ON, WAL) is a text literal
};

enum class ExplainMode : uint8_t { kPlan, kQueryPlan, kAnalyze };

struct Explain : Statement {
  static constexpr StatementKind kKind = StatementKind::kExplain;
  Explain() : Statement(kKind) {}
  ExplainMode mode = ExplainMode::kPlan;
  Statement* statement = nullptr;
};

// ANALYZE, REINDEX [[schema.]name]
struct Analyze : Statement {
  static constexpr StatementKind kKind = StatementKind::kAnalyze;
  Analyze() : Statement(kKind) {}
  QualifiedName name;  // name.name.empty() for everything
};
struct Reindex : Statement {
  static constexpr StatementKind kKind = StatementKind::kReindex;
  Reindex() : Statement(kKind) {}
  QualifiedName name;
};

// VACUUM [schema | [schema.]table] [INTO file]
struct Vacuum : Statement {
  static constexpr StatementKind kKind = StatementKind::kVacuum;
  Vacuum() : Statement(kKind) {}
  QualifiedName name;  // name.name.empty() for everything
  Expr* into = nullptr;
};

// ATTACH [DATABASE] file AS schema [KEY key]
struct Attach : Statement {
  static constexpr StatementKind kKind = StatementKind::kAttach;
  Attach() : Statement(kKind) {}
  Expr* file = nullptr;
  Expr* schema = nullptr;
  Expr* key = nullptr;
};
struct Detach : Statement {
  static constexpr StatementKind kKind = StatementKind::kDetach;
  Detach() : Statement(kKind) {}
  Expr* schema = nullptr;
};

}  // namespace turdb::sql
