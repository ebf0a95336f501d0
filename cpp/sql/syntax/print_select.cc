// SELECT, FROM, WITH and windows back to text.
#include "base/strings.h"
#include "sql/syntax/sql_writer.h"

namespace turdb::sql {

void SqlWriter::WriteWindow(const WindowSpec& window) {
  std::string_view gap;
  Add("(");
  if (!window.base.empty()) {
    AddName(window.base);
    gap = " ";
  }
  if (!window.partition_by.empty()) {
    Add(Cat(gap, "PARTITION BY "));
    AddExprs(window.partition_by);
  }
  WriteOrderBy(window.order_by);
  if (window.has_frame) WriteFrame(window);
  Add(")");
}

void SqlWriter::WriteFrame(const WindowSpec& window) {
  constexpr std::string_view kModes[] = {" RANGE BETWEEN ", " ROWS BETWEEN ", " GROUPS BETWEEN "};
  constexpr std::string_view kExcludes[] = {"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"};
  Add(kModes[static_cast<size_t>(window.mode)]);
  WriteFrameBound(window.start);
  Add(" AND ");
  WriteFrameBound(window.end);
  Add(kExcludes[static_cast<size_t>(window.exclude)]);
}

void SqlWriter::WriteFrameBound(const FrameBound& bound) {
  switch (bound.kind) {
    case FrameBoundKind::kUnboundedPreceding: return Add("UNBOUNDED PRECEDING");
    case FrameBoundKind::kCurrentRow: return Add("CURRENT ROW");
    case FrameBoundKind::kUnboundedFollowing: return Add("UNBOUNDED FOLLOWING");
    case FrameBoundKind::kPreceding: Write(*bound.offset); return Add(" PRECEDING");
    case FrameBoundKind::kFollowing: Write(*bound.offset); return Add(" FOLLOWING");
  }
}

void SqlWriter::WriteOrderBy(const List<OrderingTerm>& terms) {
  if (terms.empty()) return;
  if (out_.back() != '(') Add(" ");
  Add("ORDER BY ");
  AddList(terms, [&](const OrderingTerm& term) { WriteOrderingTerm(term); });
}

void SqlWriter::WriteOrderingTerm(const OrderingTerm& term) {
  Write(*term.expr);
  WriteSortOrder(term.order, term.nulls);
}

void SqlWriter::WriteSortOrder(SortOrder order, NullsOrder nulls) {
  if (order == SortOrder::kAscending) Add(" ASC");
  if (order == SortOrder::kDescending) Add(" DESC");
  if (nulls == NullsOrder::kFirst) Add(" NULLS FIRST");
  if (nulls == NullsOrder::kLast) Add(" NULLS LAST");
}

void SqlWriter::WriteLimit(const Expr* limit, const Expr* offset) {
  AddClause(" LIMIT ", limit);
  AddClause(" OFFSET ", offset);
}

void SqlWriter::WriteLocking(const LockingClause& clause) {
  constexpr std::string_view kWaits[] = {"", " SKIP LOCKED", " NOWAIT"};
  Add(clause.strength == RowLockStrength::kUpdate ? " FOR UPDATE" : " FOR SHARE");
  if (!clause.tables.empty()) {
    Add(" OF ");
    AddList(clause.tables, [&](const Name& table) { AddName(table); });
  }
  Add(kWaits[static_cast<size_t>(clause.wait)]);
}

void SqlWriter::WriteWith(const WithClause* with) {
  if (with == nullptr) return;
  Add(with->is_recursive ? "WITH RECURSIVE " : "WITH ");
  AddList(with->tables, [&](const CommonTable& table) {
    constexpr std::string_view kHints[] = {"", "MATERIALIZED ", "NOT MATERIALIZED "};
    AddName(table.name);
    AddOptionalNames(table.columns);
    Add(Cat(" AS ", kHints[static_cast<size_t>(table.materialization)], "("));
    Write(*table.select);
    Add(")");
  });
  Add(" ");
}

void SqlWriter::Write(const Select& select) {
  constexpr std::string_view kOps[] = {"", " UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT "};
  WriteWith(select.with);
  for (const SelectCore* core : select.cores) {
    Add(kOps[static_cast<size_t>(core->op)]);
    WriteCore(*core);
  }
  WriteOrderBy(select.order_by);
  WriteLimit(select.limit, select.offset);
  for (const LockingClause& clause : select.locking) WriteLocking(clause);
}

void SqlWriter::WriteCore(const SelectCore& core) {
  if (core.is_values) {
    Add("VALUES ");
    return AddList(core.rows, [&](const List<Expr*>& row) {
      Add("(");
      AddExprs(row);
      Add(")");
    });
  }
  Add(core.is_distinct ? "SELECT DISTINCT " : "SELECT ");
  WriteResultColumns(core.columns);
  if (core.from != nullptr) {
    Add(" FROM ");
    WriteTableRef(*core.from);
  }
  AddClause(" WHERE ", core.where);
  if (!core.group_by.empty()) Add(" GROUP BY ");
  AddExprs(core.group_by);
  AddClause(" HAVING ", core.having);
  if (!core.windows.empty()) Add(" WINDOW ");
  AddList(core.windows, [&](const WindowSpec* window) {
    AddName(window->name);
    Add(" AS ");
    WriteWindow(*window);
  });
}

void SqlWriter::WriteResultColumns(const List<ResultColumn>& columns) {
  AddList(columns, [&](const ResultColumn& column) {
    Write(*column.expr);
    AddAlias(column.alias);
  });
}

void SqlWriter::WriteTableRef(const TableRef& table) {
  switch (table.kind) {
    case TableRefKind::kTable: return WriteNamedTable(table.As<NamedTableRef>());
    case TableRefKind::kFunction: {
      const auto& function = table.As<FunctionTableRef>();
      AddName(function.name);
      Add("(");
      AddExprs(function.arguments);
      Add(")");
      break;
    }
    case TableRefKind::kSubquery:
      Add("(");
      Write(*table.As<SubqueryTableRef>().select);
      Add(")");
      break;
    case TableRefKind::kJoin: {
      const auto& join = table.As<JoinTableRef>();
      if (join.is_parenthesized) Add("(");
      WriteJoin(join);
      if (join.is_parenthesized) Add(")");
      break;
    }
  }
  AddAlias(table.alias);
}

void SqlWriter::WriteNamedTable(const NamedTableRef& table) {
  AddName(table.name);
  AddAlias(table.alias);
  if (!table.indexed_by.empty()) {
    Add(" INDEXED BY ");
    AddName(table.indexed_by);
  }
  if (table.is_not_indexed) Add(" NOT INDEXED");
}

void SqlWriter::WriteJoin(const JoinTableRef& join) {
  constexpr std::string_view kWords[] = {", ",          " JOIN ",       " CROSS JOIN ",
                                         " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN "};
  WriteTableRef(*join.left);
  if (join.is_natural) Add(" NATURAL");
  Add(kWords[static_cast<size_t>(join.join)]);
  WriteTableRef(*join.right);
  AddClause(" ON ", join.on);
  if (join.using_columns.empty()) return;
  Add(" USING ");
  AddNames(join.using_columns);
}

std::string ToSql(const Select& select) {
  SqlWriter writer;
  writer.Write(select);
  return writer.Take();
}

}  // namespace turdb::sql
