// Column names: from [schema.][table.]column to a ColumnId, as SQLite looks them up.
//
// Scopes are searched from the innermost out. In one scope a column of FROM comes first, then the rowid of the only
// table there, then (where the clause allows it) the alias of a result column. The first scope with a match decides.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {
namespace {

bool IsRowIdName(std::string_view name) {
  return EqualsIgnoreCase(name, "rowid") || EqualsIgnoreCase(name, "oid") || EqualsIgnoreCase(name, "_rowid_");
}

bool IsNamed(const Source& source, const ColumnExpr& expr) {
  if (expr.table.empty()) return !source.is_qualified_only;
  if (!EqualsIgnoreCase(source.name, expr.table.text)) return false;
  if (expr.schema.empty()) return true;
  if (source.schema.empty()) return false;
  return EqualsIgnoreCase(source.schema, expr.schema.text) ||
         (source.schema == catalog::kDefaultSchema && EqualsIgnoreCase(expr.schema.text, "main"));
}

}  // namespace

void Binding::FindColumn(const Scope& scope, const ColumnExpr& expr, size_t begin, size_t end, Match* match) const {
  int tables = 0;
  size_t only_table = 0;
  for (size_t i = begin; i < end; ++i) {
    const Source& source = scope.sources[i];
    if (!IsNamed(source, expr)) continue;
    ++tables;
    only_table = i;
    const int column = source.Find(expr.column.text);
    if (column < 0) continue;
    const Source::Using* merged = match->count > 0 && expr.table.empty() ? source.FindUsing(expr.column.text) : nullptr;
    if (merged != nullptr && merged->join == JoinKind::kFull) {
      match->merged.emplace_back(i, column);
      continue;
    }
    if (merged != nullptr && merged->join != JoinKind::kRight) continue;  // the left side's stands for both
    match->count = merged != nullptr ? 1 : match->count + 1;
    if (merged != nullptr) match->merged.clear();
    if (match->count > 1) continue;
    match->source = &source;
    match->source_index = i;
    match->column = column;
  }
  if (match->count > 0 || tables != 1 || !IsRowIdName(expr.column.text)) return;
  const Source& source = scope.sources[only_table];
  if (!source.has_rowid()) return;
  match->count = 1;
  match->source = &source;
  match->source_index = only_table;
  match->column = RowIdColumnOf(*source.table);
}

int Binding::FindAlias(const Scope& scope, std::string_view name) const {
  for (size_t i = 0; i < scope.items.size(); ++i) {
    if (scope.items[i].HasAlias() && EqualsIgnoreCase(scope.items[i].ast->alias.text, name)) return static_cast<int>(i);
  }
  return -1;
}

ExprResult Binding::BindColumn(const ColumnExpr& expr) {
  for (Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    Match match;
    FindColumn(*scope, expr, 0, scope->sources.size(), &match);
    if (match.count == 1) return MatchExpr(scope, match, expr.pos);
    if (match.count > 1) {
      return NameProblem(Cat("ambiguous column name: ", text_.substr(expr.pos.offset, expr.pos.length)),
                         expr.pos, expr.table.empty() ? "put the table's name before it" : "");
    }
    if (!expr.table.empty() || !scope->are_aliases_visible) continue;
    const int item = FindAlias(*scope, expr.column.text);
    if (item >= 0) return BindAlias(scope, static_cast<size_t>(item));
  }
  // SQLite's concession to "strings" in double quotes.
  if (expr.table.empty() && expr.column.quote == '"') {
    return NewConstant(Value::Text(std::string(expr.column.text)), expr.pos);
  }
  return NoSuchColumn(expr);
}

// An alias means its expression, bound once more where it stands.
ExprResult Binding::BindAlias(Scope* scope, size_t item) {
  Restore<Scope*> at_scope(&scope_, scope);
  Restore<bool> no_aliases(&scope->are_aliases_visible, false);
  return BindExpr(*scope->items[item].ast->expr);
}

void Binding::NoteReference(const Scope& scope, size_t source) {
  for (ReferenceTracker* tracker = trackers_; tracker != nullptr; tracker = tracker->outer) {
    if (scope.depth > tracker->base_depth) continue;
    tracker->deepest = std::max(tracker->deepest, scope.depth);
    if (scope.depth == tracker->base_depth) tracker->last_source = std::max(tracker->last_source, static_cast<int>(source));
  }
}

ExprPtr Binding::SourceColumn(Scope* scope, size_t source_index, int column, SourcePos pos) {
  NoteReference(*scope, source_index);
  Source& source = scope->sources[source_index];
  if (source.table == nullptr) return NewColumnExpr(source.columns[column], pos);
  const catalog::TableDef& table = *source.table;
  const bool is_rowid = column == catalog::kRowIdColumn;
  ColumnId& id = source.ids[is_rowid ? table.columns.size() : static_cast<size_t>(column)];
  if (id == kNoColumn) {
    id = NewColumn(is_rowid ? std::string_view("rowid") : table.columns[column].name, scope);
    source.get->columns.push_back(column);
    source.get->output.push_back(id);
  }
  OutColumn out;
  out.id = id;
  out.affinity = is_rowid ? Affinity::kInteger : table.columns[column].type.affinity;
  if (!is_rowid) {
    out.collation = table.columns[column].collation;
    out.has_collation = true;
    out.origin = &table;
    out.origin_column = column;
  }
  return NewColumnExpr(out, pos);
}

// FULL JOIN .. USING: whichever side is there.
ExprResult Binding::MatchExpr(Scope* scope, const Match& match, SourcePos pos) {
  ExprPtr first = SourceColumn(scope, match.source_index, match.column, pos);
  if (match.merged.empty()) return first;
  std::vector<ExprPtr> args;
  args.push_back(NewIsNull(CloneExpr(*first), true, pos));
  args.push_back(std::move(first));
  for (size_t i = 0; i + 1 < match.merged.size(); ++i) {
    ExprPtr next = SourceColumn(scope, match.merged[i].first, match.merged[i].second, pos);
    args.push_back(NewIsNull(CloneExpr(*next), true, pos));
    args.push_back(std::move(next));
  }
  args.push_back(SourceColumn(scope, match.merged.back().first, match.merged.back().second, pos));
  return NewCase(std::move(args), pos);
}

absl::Status Binding::NoSuchColumn(const ColumnExpr& expr) const {
  std::string full;
  if (!expr.schema.empty()) full += Cat(expr.schema.text, ".");
  if (!expr.table.empty()) full += Cat(expr.table.text, ".");
  full += expr.column.text;
  NearestWord nearest_column(expr.column.text), nearest_table(expr.table.text);
  bool is_table_known = expr.table.empty();
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    for (const Source& source : scope->sources) {
      nearest_table.Consider(source.name);
      if (!IsNamed(source, expr)) continue;
      is_table_known = true;
      for (size_t i = 0; i < source.column_count(); ++i) nearest_column.Consider(source.ColumnName(i));
    }
  }
  std::string hint;
  if (!is_table_known && !nearest_table.best().empty()) {
    hint = Cat("did you mean ", nearest_table.best(), ".", expr.column.text, "?");
  } else if (!nearest_column.best().empty()) {
    hint = Cat("did you mean ", nearest_column.best(), "?");
  }
  return NameProblem(Cat("no such column: ", full), expr.pos, hint);
}

}  // namespace turdb::sql
