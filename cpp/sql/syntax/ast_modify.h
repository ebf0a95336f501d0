// INSERT, UPDATE and DELETE.
#pragma once

#include "sql/syntax/ast_select.h"

namespace turdb::sql {

// column = value, or (a, b) = row value
struct Assignment {
  List<Name> columns;  // one, or several for a row
  bool is_row = false;  // written in parentheses
  Expr* value = nullptr;
};

// ON CONFLICT [(target) [WHERE ..]] DO NOTHING | DO UPDATE SET .. [WHERE ..]
struct Upsert {
  List<OrderingTerm> target;  // empty: any conflict
  Expr* target_where = nullptr;
  bool is_update = false;
  List<Assignment> assignments;
  Expr* where = nullptr;
  SourcePos pos;
};

struct Insert : Statement {
  static constexpr StatementKind kKind = StatementKind::kInsert;
  Insert() : Statement(kKind) {}
  WithClause* with = nullptr;
  ConflictAction on_conflict = ConflictAction::kDefault;  // REPLACE INTO is kReplace
  QualifiedName table;
  Name alias;
  List<Name> columns;            // empty: all
  bool has_default_values = false;  // DEFAULT VALUES; source is null
  Select* source = nullptr;      // VALUES is a Select of one core with is_values
  List<Upsert> upserts;
  List<ResultColumn> returning;
};

struct Update : Statement {
  static constexpr StatementKind kKind = StatementKind::kUpdate;
  Update() : Statement(kKind) {}
  WithClause* with = nullptr;
  ConflictAction on_conflict = ConflictAction::kDefault;
  NamedTableRef* table = nullptr;  // with alias, INDEXED BY
  List<Assignment> assignments;
  TableRef* from = nullptr;
  Expr* where = nullptr;
  List<OrderingTerm> order_by;
  Expr* limit = nullptr;
  Expr* offset = nullptr;
  List<ResultColumn> returning;
};

struct Delete : Statement {
  static constexpr StatementKind kKind = StatementKind::kDelete;
  Delete() : Statement(kKind) {}
  WithClause* with = nullptr;
  NamedTableRef* table = nullptr;
  Expr* where = nullptr;
  List<OrderingTerm> order_by;
  Expr* limit = nullptr;
  Expr* offset = nullptr;
  List<ResultColumn> returning;
};

}  // namespace turdb::sql
