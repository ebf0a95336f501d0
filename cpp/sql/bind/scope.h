// Scope: what names mean at one place of a statement. A chain of scopes, innermost first, is searched for a column; a
// chain of CteFrames for a common table.
//
// Views into names point into the syntax tree, the catalog or the binder's arena; all outlive the scopes.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "sql/bind/logical_plan.h"
#include "sql/syntax/ast.h"

namespace turdb::sql {

inline constexpr ColumnId kNoColumn{UINT32_MAX};

// A column that a select or an item of FROM offers to those around it.
struct OutColumn {
  std::string_view name;
  ColumnId id = kNoColumn;
  Affinity affinity = Affinity::kNone;
  Collation collation = Collation::kBinary;
  bool has_collation = false;
  bool is_hidden = false;                       // found by name, not by *
  const catalog::TableDef* origin = nullptr;    // of a plain column, through any number of subqueries
  int origin_column = catalog::kRowIdColumn;
};

// A bound select. `columns` past `width` are those that ORDER BY needed and the result does not show; a select bound as
// a whole has none.
struct BoundSelect {
  LogicalPtr root;
  std::vector<OutColumn> columns;
  size_t width = 0;
};

// One item of FROM (or the row that a write works on).
struct Source {
  std::string_view name;    // alias or table name
  std::string_view schema;  // of a table without alias
  bool is_qualified_only = false;             // "excluded": never found by a bare column name
  const catalog::TableDef* table = nullptr;   // a stored table: columns are its own ...
  LogicalGet* get = nullptr;                  // ... read by this node, or null when `ids` are fixed (a row)
  std::vector<ColumnId> ids;                  // by column, then the rowid; kNoColumn until mentioned
  std::vector<OutColumn> columns;             // anything else: all its columns
  struct Using {
    std::string_view name;
    JoinKind join;
  };
  std::vector<Using> usings;  // columns that the join to its left merged with one on that side

  bool has_rowid() const { return table != nullptr && !table->is_without_rowid; }
  size_t column_count() const { return table != nullptr ? table->columns.size() : columns.size(); }
  std::string_view ColumnName(size_t i) const {
    return table != nullptr ? std::string_view(table->columns[i].name) : columns[i].name;
  }
  int Find(std::string_view column) const;  // -1 when there is none
  const Using* FindUsing(std::string_view column) const;
};

// A result column after * was expanded.
struct ResultItem {
  const ResultColumn* ast = nullptr;  // null when it came of a star
  std::string_view name;
  ExprPtr expr;
  const catalog::TableDef* origin = nullptr;
  int origin_column = catalog::kRowIdColumn;
  int group = -1;  // equal to this GROUP BY term

  bool HasAlias() const { return ast != nullptr && !ast->alias.empty(); }
};

// A query level: one SELECT core, or the row context of a write.
struct Scope {
  Scope* parent = nullptr;
  int depth = 0;
  uint32_t serial = 0;  // names this scope among all of the statement
  std::vector<Source> sources;
  const SelectCore* core = nullptr;
  List<LockingClause> locking;  // FOR UPDATE, FOR SHARE
  std::vector<ResultItem> items;
  std::vector<ExprPtr> groups;
  std::vector<ColumnId> group_ids;
  std::vector<AggregateCall> aggregates;
  std::vector<WindowCall> windows;
  std::vector<ColumnId> window_ids;
  // What may stand in the clause that is being bound.
  bool are_aliases_visible = false;
  bool are_aggregates_allowed = false;
  bool are_windows_allowed = false;
  bool is_in_aggregate = false;  // in the arguments of one
  bool has_outer_join = false;   // among the joins bound so far
  bool has_right_join = false;   // RIGHT or FULL anywhere in FROM
};

// Which scopes the columns of an expression belong to, while it is bound; trackers nest.
struct ReferenceTracker {
  int base_depth = 0;
  int deepest = -1;     // scope depth, at most base_depth
  int last_source = -1;  // of the scope at base_depth
  ReferenceTracker* outer = nullptr;
};

enum class CteState : uint8_t { kUnbound, kBinding, kRecursiveStep, kBound };

// One table of a WITH clause. Bound when it is first mentioned.
struct CteEntry {
  const CommonTable* ast = nullptr;
  CteState state = CteState::kUnbound;
  LogicalPtr definition;
  std::vector<OutColumn> columns;
  int cte_id = -1;
  int references = 0;
  bool is_inlined = false;
  bool is_far = false;          // mentioned in a subquery of an expression
  int recursive_id = -1;
  int recursive_depth = 0;      // select depth at which the recursive step may mention it
  int recursive_level = 0;      // and the level of subqueries
  int recursive_references = 0;
};

struct CteFrame {
  CteFrame* parent = nullptr;
  Scope* scope = nullptr;       // what its definitions may refer to
  int subquery_level = 0;
  std::vector<std::unique_ptr<CteEntry>> entries;
  std::vector<CteEntry*> finished;  // in the order their definitions were bound
};

}  // namespace turdb::sql
