#include "sql/exec/schema_rename.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/syntax/parser.h"

namespace turdb::sql {
namespace {

using Names = std::vector<std::string>;

bool Contains(const Names& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& other) { return EqualsIgnoreCase(other, name); });
}

struct Source {
  std::string_view name, schema;
  bool is_target = false, has_alias = false;
  Names columns;
};
struct NameScope {
  const NameScope* parent = nullptr;
  std::vector<Source> sources;
  Names aliases;  // of result columns, which ORDER BY and GROUP BY may mean
};

class Renamer {
 public:
  // Columns of views, by definition; an empty entry also stands for one being worked out, so that a view of itself ends.
  using ViewColumns = absl::flat_hash_map<const catalog::TableDef*, Names>;
  Renamer(const Renaming& renaming, const catalog::CatalogSnapshot& catalog, ViewColumns* views)
      : renaming_(renaming), catalog_(catalog), views_(views) {}

  void Visit(const Statement& statement) {
    switch (statement.kind) {
      case StatementKind::kCreateTable: return VisitTable(statement.As<CreateTable>());
      case StatementKind::kCreateIndex: return VisitIndex(statement.As<CreateIndex>());
      case StatementKind::kCreateView: VisitSelect(*statement.As<CreateView>().select, nullptr); return;
      default: return;
    }
  }
  std::string Apply(std::string_view text) const;
  bool has_edits() const { return !edits_.empty(); }
  Names VisitSelect(const Select& select, const NameScope* parent);

 private:
  struct Common {
    std::string_view name;
    Names columns;
  };

  void Edit(const Name& name) { edits_.push_back(name); }
  bool IsTarget(const Name& table) const { return EqualsIgnoreCase(table.text, renaming_.table->name); }
  bool IsOldColumn(const Name& column) const {
    return !renaming_.is_of_table() && EqualsIgnoreCase(column.text, renaming_.old_column);
  }
  Source TargetSource() const;
  Names ColumnsOf(const catalog::TableDef& table) const;

  void VisitTable(const CreateTable& create);
  void VisitIndex(const CreateIndex& create);
  void VisitConstraint(const Constraint& constraint, bool is_own, const NameScope* scope);
  Names VisitCore(const SelectCore& core, const NameScope* parent, NameScope* scope);
  void VisitFrom(const TableRef* ref, NameScope* scope);
  void VisitJoin(const JoinTableRef& join, NameScope* scope);
  void VisitTerms(const List<OrderingTerm>& terms, const NameScope* scope);
  void VisitWindow(const WindowSpec* window, const NameScope* scope);
  void VisitAll(const List<Expr*>& exprs, const NameScope* scope) {
    for (const Expr* expr : exprs) VisitExpr(expr, scope);
  }
  void VisitExpr(const Expr* expr, const NameScope* scope);
  void VisitColumn(const ColumnExpr& expr, const NameScope* scope);

  const Renaming& renaming_;
  const catalog::CatalogSnapshot& catalog_;
  ViewColumns* views_;
  std::vector<Common> commons_;
  std::vector<Name> edits_;
};

std::string Renamer::Apply(std::string_view text) const {
  std::vector<Name> edits = edits_;
  std::sort(edits.begin(), edits.end(), [](const Name& a, const Name& b) { return a.pos.offset < b.pos.offset; });
  std::string changed;
  uint32_t at = 0;
  // As SQLite does it: a table's name is always quoted, a column's where either name was.
  std::string quoted = "\"";
  for (const char c : renaming_.new_name.text) quoted.append(c == '"' ? 2 : 1, c);
  quoted += '"';
  for (const Name& edit : edits) {
    if (edit.pos.offset < at) continue;  // seen twice
    changed += text.substr(at, edit.pos.offset - at);
    const bool is_quoted = renaming_.is_of_table() || edit.quote != 0 || renaming_.new_name.quote != 0;
    changed += is_quoted ? std::string_view(quoted) : renaming_.new_name.text;
    at = edit.pos.end();
  }
  return changed += text.substr(at);
}

Names Renamer::ColumnsOf(const catalog::TableDef& table) const {
  Names names;
  if (table.kind == catalog::TableKind::kView) {
    if (!table.view_columns.empty()) return table.view_columns;
    if (const auto known = views_->find(&table); known != views_->end()) return known->second;
    (*views_)[&table] = names;
    size_t consumed = 0;
    auto parsed = ParseStatement(table.view_sql, &consumed);
    if (!parsed.ok() || parsed->statement == nullptr || parsed->statement->kind != StatementKind::kSelect) return names;
    names = Renamer(renaming_, catalog_, views_).VisitSelect(parsed->statement->As<Select>(), nullptr);
    return (*views_)[&table] = names;
  }
  for (const catalog::ColumnDef& column : table.columns) names.push_back(column.name);
  return names;
}

Source Renamer::TargetSource() const {
  Source source;
  source.name = renaming_.table->name;
  source.is_target = true;
  source.columns = ColumnsOf(*renaming_.table);
  return source;
}

void Renamer::VisitTable(const CreateTable& create) {
  const bool is_own = IsTarget(create.name.name);
  NameScope scope;
  if (is_own) {
    scope.sources.push_back(TargetSource());
    if (renaming_.is_of_table()) Edit(create.name.name);
  }
  for (const ColumnDef& column : create.columns) {
    if (is_own && IsOldColumn(column.name)) Edit(column.name);
    for (const Constraint& constraint : column.constraints) VisitConstraint(constraint, is_own, &scope);
  }
  for (const Constraint& constraint : create.constraints) VisitConstraint(constraint, is_own, &scope);
}

void Renamer::VisitConstraint(const Constraint& constraint, bool is_own, const NameScope* scope) {
  if (constraint.type == ConstraintType::kCheck || constraint.type == ConstraintType::kGenerated) VisitExpr(constraint.expr, scope);
  VisitTerms(constraint.columns, scope);
  for (const Name& column : constraint.key_columns) {
    if (is_own && IsOldColumn(column)) Edit(column);
  }
  const ForeignKeyClause* key = constraint.foreign_key;
  if (key == nullptr || !IsTarget(key->table)) return;
  if (renaming_.is_of_table()) Edit(key->table);
  for (const Name& column : key->columns) {
    if (IsOldColumn(column)) Edit(column);
  }
}

void Renamer::VisitIndex(const CreateIndex& create) {
  if (!IsTarget(create.table)) return;
  if (renaming_.is_of_table()) Edit(create.table);
  NameScope scope;
  scope.sources.push_back(TargetSource());
  for (const IndexedColumn& column : create.columns) VisitExpr(column.expr, &scope);
  VisitExpr(create.where, &scope);
}

// Gives the names of the result columns.
Names Renamer::VisitSelect(const Select& select, const NameScope* parent) {
  const size_t outside = commons_.size();
  if (select.with != nullptr) {
    for (const CommonTable& table : select.with->tables) {
      Names columns;
      for (const Name& name : table.columns) columns.emplace_back(name.text);
      const size_t own = commons_.size();
      commons_.push_back({table.name.text, columns});
      Names found = VisitSelect(*table.select, parent);
      if (columns.empty()) commons_[own].columns = std::move(found);
    }
  }
  Names result;
  NameScope scope;
  for (size_t i = 0; i < select.cores.size(); ++i) {
    Names names = VisitCore(*select.cores[i], parent, &scope);
    if (i == 0) result = std::move(names);
  }
  VisitTerms(select.order_by, &scope);
  VisitExpr(select.limit, &scope);
  VisitExpr(select.offset, &scope);
  commons_.resize(outside);
  return result;
}

Names Renamer::VisitCore(const SelectCore& core, const NameScope* parent, NameScope* scope) {
  *scope = NameScope();
  scope->parent = parent;
  if (core.from != nullptr) VisitFrom(core.from, scope);
  Names names;
  for (const ResultColumn& column : core.columns) {
    if (column.expr->kind == ExprKind::kStar) {
      const Name& only = column.expr->As<StarExpr>().table;
      for (const Source& source : scope->sources) {
        if (!only.empty() && !EqualsIgnoreCase(source.name, only.text)) continue;
        names.insert(names.end(), source.columns.begin(), source.columns.end());
        if (!only.empty() && source.is_target && !source.has_alias && renaming_.is_of_table()) Edit(only);
      }
      continue;
    }
    VisitExpr(column.expr, scope);
    if (!column.alias.empty()) names.emplace_back(column.alias.text);
    else if (column.expr->kind == ExprKind::kColumn) names.emplace_back(column.expr->As<ColumnExpr>().column.text);
    else names.emplace_back(column.text);
  }
  VisitExpr(core.where, scope);
  for (const ResultColumn& column : core.columns) {
    if (!column.alias.empty()) scope->aliases.emplace_back(column.alias.text);
  }
  VisitAll(core.group_by, scope);
  VisitExpr(core.having, scope);
  for (const WindowSpec* window : core.windows) VisitWindow(window, scope);
  for (const List<Expr*>& row : core.rows) VisitAll(row, scope);
  return names;
}

void Renamer::VisitFrom(const TableRef* ref, NameScope* scope) {
  if (ref->kind == TableRefKind::kJoin) return VisitJoin(ref->As<JoinTableRef>(), scope);
  Source source;
  source.has_alias = !ref->alias.empty();
  source.name = ref->alias.text;
  if (ref->kind == TableRefKind::kSubquery) {
    source.columns = VisitSelect(*ref->As<SubqueryTableRef>().select, scope->parent);
  } else if (ref->kind == TableRefKind::kFunction) {
    VisitAll(ref->As<FunctionTableRef>().arguments, scope);
    if (!source.has_alias) source.name = ref->As<FunctionTableRef>().name.name.text;
  } else {
    const QualifiedName& name = ref->As<NamedTableRef>().name;
    if (!source.has_alias) source.name = name.name.text;
    const auto common = std::find_if(commons_.rbegin(), commons_.rend(), [&](const Common& other) {
      return name.schema.empty() && EqualsIgnoreCase(other.name, name.name.text);
    });
    const catalog::TableDef* table = catalog_.FindTable(name.schema.text, name.name.text);
    if (common != commons_.rend()) {
      source.columns = common->columns;
    } else if (table != nullptr) {
      source.schema = table->schema;
      source.columns = ColumnsOf(*table);
      source.is_target = table->id == renaming_.table->id;
      if (source.is_target && renaming_.is_of_table()) Edit(name.name);
    }
  }
  scope->sources.push_back(std::move(source));
}

void Renamer::VisitJoin(const JoinTableRef& join, NameScope* scope) {
  const size_t first = scope->sources.size();
  VisitFrom(join.left, scope);
  VisitFrom(join.right, scope);
  VisitExpr(join.on, scope);
  const bool has_target = std::any_of(scope->sources.begin() + static_cast<ptrdiff_t>(first), scope->sources.end(),
                                      [](const Source& source) { return source.is_target; });
  for (const Name& column : join.using_columns) {
    if (has_target && IsOldColumn(column)) Edit(column);
  }
}

void Renamer::VisitTerms(const List<OrderingTerm>& terms, const NameScope* scope) {
  for (const OrderingTerm& term : terms) VisitExpr(term.expr, scope);
}

void Renamer::VisitWindow(const WindowSpec* window, const NameScope* scope) {
  if (window == nullptr) return;
  VisitAll(window->partition_by, scope);
  VisitTerms(window->order_by, scope);
  VisitExpr(window->start.offset, scope);
  VisitExpr(window->end.offset, scope);
}

void Renamer::VisitColumn(const ColumnExpr& expr, const NameScope* scope) {
  if (expr.table.empty() && (!IsOldColumn(expr.column) || (scope != nullptr && Contains(scope->aliases, expr.column.text)))) return;
  for (; scope != nullptr; scope = scope->parent) {
    for (const Source& source : scope->sources) {
      if (!expr.table.empty()) {
        if (!EqualsIgnoreCase(source.name, expr.table.text)) continue;
        if (source.is_target && IsOldColumn(expr.column)) Edit(expr.column);
        if (source.is_target && !source.has_alias && renaming_.is_of_table()) Edit(expr.table);
        return;
      }
      if (!Contains(source.columns, expr.column.text)) continue;
      if (source.is_target) Edit(expr.column);
      return;
    }
  }
}

void Renamer::VisitExpr(const Expr* expr, const NameScope* scope) {
  if (expr == nullptr) return;
  switch (expr->kind) {
    case ExprKind::kLiteral:
    case ExprKind::kStar:
    case ExprKind::kParameter: return;
    case ExprKind::kColumn: return VisitColumn(expr->As<ColumnExpr>(), scope);
    case ExprKind::kUnary: return VisitExpr(expr->As<UnaryExpr>().operand, scope);
    case ExprKind::kIsNull: return VisitExpr(expr->As<IsNullExpr>().operand, scope);
    case ExprKind::kCast: return VisitExpr(expr->As<CastExpr>().operand, scope);
    case ExprKind::kCollate: return VisitExpr(expr->As<CollateExpr>().operand, scope);
    case ExprKind::kRow: return VisitAll(expr->As<RowExpr>().items, scope);
    case ExprKind::kRaise: return VisitExpr(expr->As<RaiseExpr>().message, scope);
    case ExprKind::kExists: VisitSelect(*expr->As<ExistsExpr>().select, scope); return;
    case ExprKind::kSubquery: VisitSelect(*expr->As<SubqueryExpr>().select, scope); return;
    case ExprKind::kBinary:
      VisitExpr(expr->As<BinaryExpr>().left, scope);
      return VisitExpr(expr->As<BinaryExpr>().right, scope);
    case ExprKind::kLike:
      VisitExpr(expr->As<LikeExpr>().operand, scope);
      VisitExpr(expr->As<LikeExpr>().pattern, scope);
      return VisitExpr(expr->As<LikeExpr>().escape, scope);
    case ExprKind::kBetween:
      VisitExpr(expr->As<BetweenExpr>().operand, scope);
      VisitExpr(expr->As<BetweenExpr>().low, scope);
      return VisitExpr(expr->As<BetweenExpr>().high, scope);
    case ExprKind::kIn: {
      const InExpr& in = expr->As<InExpr>();
      VisitExpr(in.operand, scope);
      VisitAll(in.list, scope);
      if (in.select != nullptr) VisitSelect(*in.select, scope);
      const bool names_target = in.form == InExpr::Form::kTable && IsTarget(in.table.name);
      if (names_target && renaming_.is_of_table()) Edit(in.table.name);
      return;
    }
    case ExprKind::kCase: {
      const CaseExpr& choice = expr->As<CaseExpr>();
      VisitExpr(choice.operand, scope);
      for (const CaseBranch& branch : choice.branches) {
        VisitExpr(branch.when, scope);
        VisitExpr(branch.then, scope);
      }
      return VisitExpr(choice.otherwise, scope);
    }
    case ExprKind::kFunction: {
      const FunctionExpr& call = expr->As<FunctionExpr>();
      VisitAll(call.arguments, scope);
      VisitTerms(call.order_by, scope);
      VisitExpr(call.filter, scope);
      return VisitWindow(call.over, scope);
    }
  }
}

}  // namespace

absl::StatusOr<std::optional<std::string>> RenameInText(std::string_view create_sql, const Renaming& renaming,
                                                        const catalog::CatalogSnapshot& catalog) {
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseStatement(create_sql, &consumed));
  if (parsed.statement == nullptr) return CorruptionError("catalog: an object has no text");
  Renamer::ViewColumns views;
  Renamer renamer(renaming, catalog, &views);
  renamer.Visit(*parsed.statement);
  if (!renamer.has_edits()) return std::optional<std::string>();
  return std::optional<std::string>(renamer.Apply(parsed.text));
}

}  // namespace turdb::sql
