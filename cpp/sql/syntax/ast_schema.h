// CREATE, DROP and ALTER. Texts that the catalog stores (defaults, checks, view bodies, the whole
// statement) are slices of the source beside the parsed tree.
#pragma once

#include "sql/syntax/ast_modify.h"

namespace turdb::sql {

enum class ForeignKeyAction : uint8_t { kNoAction, kRestrict, kSetNull, kSetDefault, kCascade };

// REFERENCES table[(columns)] [ON DELETE ..] [ON UPDATE ..] [MATCH name] [[NOT] DEFERRABLE ..]
struct ForeignKeyClause {
  Name table;
  List<Name> columns;  // empty: the parent's primary key
  ForeignKeyAction on_delete = ForeignKeyAction::kNoAction;
  ForeignKeyAction on_update = ForeignKeyAction::kNoAction;
  Name match;
  bool is_deferrable = false;
  bool is_initially_deferred = false;
};

enum class ConstraintType : uint8_t {
  kPrimaryKey,
  kNotNull,
  kNull,  // NULL: says nothing, accepted
  kUnique,
  kCheck,
  kDefault,
  kCollate,
  kReferences,
  kGenerated,
  kForeignKey,  // of a table: FOREIGN KEY (..) REFERENCES ..
};

// A constraint of a column or of a table; which fields count is said by `type`.
struct Constraint {
  ConstraintType type = ConstraintType::kNull;
  Name name;  // CONSTRAINT name, empty() when absent
  ConflictAction on_conflict = ConflictAction::kDefault;
  SortOrder order = SortOrder::kUnspecified;  // PRIMARY KEY DESC of a column
  bool is_autoincrement = false;
  bool is_stored = false;            // GENERATED .. STORED
  Expr* expr = nullptr;              // CHECK, DEFAULT, GENERATED
  std::string_view expr_text;        // its source, without the parentheses around it
  Name collation;                    // COLLATE
  List<OrderingTerm> columns;        // table PRIMARY KEY and UNIQUE
  List<Name> key_columns;            // FOREIGN KEY
  ForeignKeyClause* foreign_key = nullptr;  // REFERENCES, FOREIGN KEY
  SourcePos pos;
};

struct ColumnDef {
  Name name;
  TypeName type;  // empty() when none
  List<Constraint> constraints;
  SourcePos pos;
};

struct CreateTable : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateTable;
  CreateTable() : Statement(kKind) {}
  bool is_temporary = false;
  bool if_not_exists = false;
  bool is_strict = false;
  bool is_without_rowid = false;
  QualifiedName name;
  List<ColumnDef> columns;
  List<Constraint> constraints;
  Select* as_select = nullptr;  // CREATE TABLE .. AS; then no columns
};

// USING module(arguments as text)
struct CreateVirtualTable : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateVirtualTable;
  CreateVirtualTable() : Statement(kKind) {}
  bool if_not_exists = false;
  QualifiedName name;
  Name module;
  List<std::string_view> arguments;
};

// hnsw (e vector_cosine_ops): expression, operator class
struct IndexedColumn {
  Expr* expr = nullptr;  // a ColumnExpr for a plain column, a CollateExpr above it for COLLATE
  std::string_view expr_text;
  Name op_class;  // empty() when absent
  SortOrder order = SortOrder::kUnspecified;
  NullsOrder nulls = NullsOrder::kUnspecified;
};
// WITH (m=16, quantization='sq8')
struct IndexOption {
  Name name;
  LiteralExpr* value = nullptr;  // a bare word is a text literal; a sign is folded into the number
};

struct CreateIndex : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateIndex;
  CreateIndex() : Statement(kKind) {}
  bool is_unique = false;
  bool if_not_exists = false;
  QualifiedName name;
  Name table;
  Name method;  // USING hnsw; empty() for a B+tree
  List<IndexedColumn> columns;
  List<IndexOption> options;
  Expr* where = nullptr;  // partial index
  std::string_view where_text;
};

struct CreateView : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateView;
  CreateView() : Statement(kKind) {}
  bool is_temporary = false;
  bool if_not_exists = false;
  QualifiedName name;
  List<Name> columns;
  Select* select = nullptr;
  std::string_view select_text;
};

enum class TriggerTime : uint8_t { kUnspecified, kBefore, kAfter, kInsteadOf };
enum class TriggerEvent : uint8_t { kDelete, kInsert, kUpdate };

struct CreateTrigger : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateTrigger;
  CreateTrigger() : Statement(kKind) {}
  bool is_temporary = false;
  bool if_not_exists = false;
  bool is_for_each_row = false;
  TriggerTime time = TriggerTime::kUnspecified;  // unspecified means BEFORE
  TriggerEvent event = TriggerEvent::kDelete;
  QualifiedName name;
  List<Name> update_columns;  // UPDATE OF a, b
  QualifiedName table;
  Expr* when = nullptr;
  List<Statement*> body;  // Select, Insert, Update, Delete
};

struct CreateSchema : Statement {
  static constexpr StatementKind kKind = StatementKind::kCreateSchema;
  CreateSchema() : Statement(kKind) {}
  bool if_not_exists = false;
  Name name;
};

enum class ObjectType : uint8_t { kTable, kIndex, kView, kTrigger, kSchema };

struct Drop : Statement {
  static constexpr StatementKind kKind = StatementKind::kDrop;
  Drop() : Statement(kKind) {}
  ObjectType object = ObjectType::kTable;
  bool if_exists = false;
  bool is_cascade = false;  // DROP SCHEMA s CASCADE
  QualifiedName name;
};

enum class AlterAction : uint8_t { kRenameTable, kRenameColumn, kAddColumn, kDropColumn };

struct AlterTable : Statement {
  static constexpr StatementKind kKind = StatementKind::kAlterTable;
  AlterTable() : Statement(kKind) {}
  AlterAction action = AlterAction::kRenameTable;
  QualifiedName table;
  Name column;    // the old one: RENAME COLUMN, DROP COLUMN
  Name new_name;  // RENAME TO, RENAME COLUMN .. TO
  ColumnDef* column_def = nullptr;  // ADD COLUMN
};

}  // namespace turdb::sql
