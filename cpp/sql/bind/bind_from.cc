// The items of FROM: stored tables, views, subqueries, common tables, functions, system tables. Joins: bind_join.cc.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"
#include "sql/bind/system_tables.h"
#include "sql/bind/table_functions.h"

namespace turdb::sql {

PlanResult Binding::BindTableRef(Scope* scope, const TableRef& ref, std::vector<PendingOn>* pending) {
  switch (ref.kind) {
    case TableRefKind::kTable: return BindNamedTable(scope, ref.As<NamedTableRef>());
    case TableRefKind::kFunction: {
      const FunctionTableRef& function = ref.As<FunctionTableRef>();
      return BindTableFunction(scope, ref, function.name.name.text, function.arguments);
    }
    case TableRefKind::kSubquery: return BindDerivedTable(scope, ref.As<SubqueryTableRef>());
    case TableRefKind::kJoin:
      if (!ref.alias.empty()) return BindAliasedJoin(scope, ref.As<JoinTableRef>());
      return BindJoin(scope, ref.As<JoinTableRef>(), pending);
  }
  return InternalError("FROM item of an unknown kind");
}

PlanResult Binding::BindNamedTable(Scope* scope, const NamedTableRef& ref) {
  const QualifiedName& name = ref.name;
  if (name.schema.empty()) {
    CteFrame* frame = nullptr;
    if (CteEntry* entry = FindCte(name.name.text, &frame)) return BindCteRef(scope, entry, frame, ref);
  }
  const catalog::TableDef* table = catalog_->FindTable(name.schema.text, name.name.text);
  if (table == nullptr) {
    if (EqualsIgnoreCase(name.schema.text, catalog::kSystemSchema)) return BindSystemView(scope, ref);
    if (IsSystemTable(name.name.text)) return BindSystemTable(scope, ref);
    if (DescribeTableFunction(name.name.text) != nullptr) return BindTableFunction(scope, ref, name.name.text, {});
    return NoSuchTable(name);
  }
  return table->kind == catalog::TableKind::kView ? BindView(scope, ref, *table) : BindStoredTable(scope, ref, *table);
}

PlanResult Binding::BindSystemView(Scope* scope, const NamedTableRef& ref) {
  const TableFunctionDef* view = DescribeSystemView(ref.name.name.text);
  if (view == nullptr) return NoSuchTable(ref.name);
  auto node = std::make_unique<LogicalTableFunction>();
  node->name = Cat(catalog::kSystemSchema, ".", view->name);
  std::vector<OutColumn> columns;
  for (const std::string_view column_name : view->columns) {
    OutColumn column;
    column.name = column_name;
    column.id = NewColumn(column_name);
    columns.push_back(column);
    node->column_names.emplace_back(column_name);
    node->output.push_back(column.id);
  }
  const std::string_view name = ref.alias.empty() ? view->name : ref.alias.text;
  PlanResult root = AddDerivedSource(scope, name, std::move(node), std::move(columns));
  if (ref.alias.empty()) scope->sources.back().schema = catalog::kSystemSchema;
  return root;
}

PlanResult Binding::BindStoredTable(Scope* scope, const NamedTableRef& ref, const catalog::TableDef& table) {
  auto get = std::make_unique<LogicalGet>();
  get->table = &table;
  get->alias = std::string(ref.alias.empty() ? std::string_view(table.name) : ref.alias.text);
  get->is_not_indexed = ref.is_not_indexed;
  if (!ref.indexed_by.empty()) {
    for (const catalog::IndexDef& index : table.indexes) {
      if (EqualsIgnoreCase(index.name, ref.indexed_by.text)) get->indexed_by = &index;
    }
    if (get->indexed_by == nullptr) {
      return NameProblem(Cat("no such index: ", ref.indexed_by.text), ref.indexed_by.pos);
    }
  }
  Source& source = scope->sources.emplace_back();
  source.name = ref.alias.empty() ? std::string_view(table.name) : ref.alias.text;
  if (ref.alias.empty()) source.schema = table.schema;
  source.table = &table;
  source.get = get.get();
  source.ids.assign(table.columns.size() + 1, kNoColumn);
  return get;
}

PlanResult Binding::AddDerivedSource(Scope* scope, std::string_view name, LogicalPtr root,
                                     std::vector<OutColumn> columns) {
  for (OutColumn& column : columns) {
    Own(column.id, *scope);
    column.has_collation = true;  // it is a column now
  }
  Source& source = scope->sources.emplace_back();
  source.name = name;
  source.columns = std::move(columns);
  return root;
}

// A FROM item sees the queries around the select it stands in, but not its neighbours.
PlanResult Binding::BindDerivedTable(Scope* scope, const SubqueryTableRef& ref) {
  TURDB_ASSIGN_OR_RETURN(BoundSelect bound, BindSelect(*ref.select, scope->parent));
  NameColumnsOnce(&bound.columns);
  return AddDerivedSource(scope, ref.alias.text, std::move(bound.root), std::move(bound.columns));
}

// A view is its select, bound anew at each place and out of sight of the statement around it.
PlanResult Binding::BindView(Scope* scope, const TableRef& ref, const catalog::TableDef& view) {
  for (const catalog::TableDef* open : open_views_) {
    if (open == &view) return NameProblem(Cat("view ", view.name, " is circularly defined"), ref.pos);
  }
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(ParsedStatement parsed, ParseStatement(view.view_sql, &consumed));
  if (parsed.statement == nullptr || parsed.statement->kind != StatementKind::kSelect) {
    return CorruptionError("view ", view.name, ": its definition is not a SELECT");
  }
  const Select& select = parsed.statement->As<Select>();
  BoundSelect bound;
  {
    Restore<std::string_view> text(&text_, parsed.text);
    Restore<CteFrame*> no_ctes(&cte_frame_, nullptr);
    Restore<ReferenceTracker*> untracked(&trackers_, nullptr);
    open_views_.push_back(&view);
    absl::StatusOr<BoundSelect> result = BindSelect(select, nullptr);
    open_views_.pop_back();
    if (!result.ok()) return result.status();
    bound = *std::move(result);
  }
  views_.push_back(std::move(parsed));  // names are views into it
  if (!view.view_columns.empty() && view.view_columns.size() != bound.columns.size()) {
    return NameProblem(Cat("expected ", view.view_columns.size(), " columns for '", view.name, "' but got ",
                           bound.columns.size()),
                       ref.pos);
  }
  for (size_t i = 0; i < view.view_columns.size(); ++i) bound.columns[i].name = view.view_columns[i];
  NameColumnsOnce(&bound.columns);
  const std::string_view name = ref.alias.empty() ? std::string_view(view.name) : ref.alias.text;
  PlanResult root = AddDerivedSource(scope, name, std::move(bound.root), std::move(bound.columns));
  if (ref.alias.empty()) scope->sources.back().schema = view.schema;
  return root;
}

// Arguments may read the items to the left: the join above is then a dependent one.
PlanResult Binding::BindTableFunction(Scope* scope, const TableRef& ref, std::string_view name,
                                      const List<Expr*>& arguments) {
  const TableFunctionDef* function = DescribeTableFunction(name);
  if (function == nullptr) {
    if (catalog_->FindTable("", name) != nullptr) return NameProblem(Cat("'", name, "' is not a function"), ref.pos);
    return NameProblem(Cat("no such table: ", name), ref.pos);
  }
  if (arguments.size() > static_cast<size_t>(function->max_args)) {
    return Misuse(Cat("too many arguments on ", name, "() - max ", function->max_args), ref.pos);
  }
  auto node = std::make_unique<LogicalTableFunction>();
  node->name = std::string(function->name);
  {
    Restore<Scope*> inside(&scope_, scope);
    TURDB_RETURN_IF_ERROR(BindList(arguments, &node->arguments));
  }
  std::vector<OutColumn> columns;
  for (const std::vector<std::string_view>* names : {&function->columns, &function->hidden_columns}) {
    for (std::string_view column_name : *names) {
      OutColumn column;
      column.name = column_name;
      column.id = NewColumn(column_name);
      column.is_hidden = names == &function->hidden_columns;
      columns.push_back(column);
      node->column_names.emplace_back(column_name);
      node->output.push_back(column.id);
    }
  }
  return AddDerivedSource(scope, ref.alias.empty() ? function->name : ref.alias.text, std::move(node),
                          std::move(columns));
}

PlanResult Binding::BindWhere(LogicalPtr root, const Expr* where, std::vector<ExprPtr> moved_conditions) {
  ExprPtr predicate;
  if (where != nullptr) {
    TURDB_ASSIGN_OR_RETURN(predicate, BindExpr(*where));
  }
  for (ExprPtr& condition : moved_conditions) predicate = NewAnd(std::move(predicate), std::move(condition));
  if (predicate == nullptr) return root;
  auto filter = std::make_unique<LogicalFilter>();
  filter->predicate = std::move(predicate);
  filter->children.push_back(std::move(root));
  return filter;
}

}  // namespace turdb::sql
