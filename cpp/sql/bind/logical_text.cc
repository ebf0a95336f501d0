// A logical tree as indented text, a line a node, subqueries of expressions below the node that evaluates them.
#include "base/strings.h"
#include "sql/bind/logical_plan.h"
#include "sql/bind/walk.h"

namespace turdb::sql {
namespace {

std::string_view JoinText(JoinType type) {
  switch (type) {
    case JoinType::kInner: return "Join";
    case JoinType::kCross: return "CrossJoin";
    case JoinType::kLeft: return "LeftJoin";
    case JoinType::kRight: return "RightJoin";
    case JoinType::kFull: return "FullJoin";
    case JoinType::kSemi: return "SemiJoin";
    case JoinType::kAnti: return "AntiJoin";
  }
  return "Join";
}

std::string_view SetOpText(SetOp op) {
  switch (op) {
    case SetOp::kUnionAll: return "UnionAll";
    case SetOp::kUnion: return "Union";
    case SetOp::kIntersect: return "Intersect";
    case SetOp::kExcept: return "Except";
  }
  return "SetOp";
}

class Writer {
 public:
  explicit Writer(const std::vector<std::string>& names) : names_(names) {}

  void Write(const LogicalNode& node, int indent) {
    out_ += std::string(static_cast<size_t>(indent) * 2, ' ') + Line(node) + " -> [" + Columns(node.output) + "]\n";
    // The visitor changes nothing here; one walk serves readers and writers.
    VisitExprs(const_cast<LogicalNode*>(&node), [&](ExprPtr* expr) { WriteSubqueries(**expr, indent + 2); });
    for (const LogicalPtr& child : node.children) Write(*child, indent + 1);
  }
  std::string Take() { return std::move(out_); }

 private:
  void WriteSubqueries(const BoundExpr& expr, int indent) {
    for (const ExprPtr& arg : expr.args) WriteSubqueries(*arg, indent);
    if (expr.subquery == nullptr || expr.subquery->logical == nullptr) return;
    out_ += std::string(static_cast<size_t>(indent) * 2 - 2, ' ') + "subquery";
    if (!expr.subquery->outer_columns.empty()) out_ += " of " + Columns(expr.subquery->outer_columns);
    out_ += "\n";
    Write(*expr.subquery->logical, indent);
  }

  std::string Name(ColumnId id) const {
    const std::string name = id.value() < names_.size() ? names_[id.value()] : std::string("?");
    return Cat(name, "#", id.value());
  }
  std::string Columns(const std::vector<ColumnId>& ids) const {
    std::string text;
    for (ColumnId id : ids) text += (text.empty() ? "" : ", ") + Name(id);
    return text;
  }
  std::string Text(const ExprPtr& expr) const {
    if (expr == nullptr) return "-";
    return ExprText(*expr, [this](ColumnId id) { return Name(id); });
  }
  std::string List(const std::vector<ExprPtr>& exprs) const {
    std::string text;
    for (const ExprPtr& expr : exprs) text += (text.empty() ? "" : ", ") + Text(expr);
    return text;
  }
  std::string Keys(const std::vector<SortKey>& keys) const {
    std::string text;
    for (const SortKey& key : keys) {
      text += (text.empty() ? "" : ", ") + Text(key.expr);
      if (key.collation == Collation::kNocase) text += " COLLATE NOCASE";
      if (key.is_descending) text += " DESC";
      if (key.nulls_first == key.is_descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    }
    return text;
  }
  std::string Call(const AggregateCall& call) const {
    std::string text = call.function == nullptr ? "bare" : call.function->name;
    text += Cat("(", call.is_distinct ? "DISTINCT " : "", List(call.args));
    if (!call.order_by.empty()) text += " ORDER BY " + Keys(call.order_by);
    text += ")";
    if (call.filter != nullptr) text += Cat(" FILTER (", Text(call.filter), ")");
    return text;
  }

  std::string AggregateLine(const LogicalAggregate& node) const {
    std::string calls;
    for (const AggregateCall& call : node.aggregates) calls += (calls.empty() ? "" : ", ") + Call(call);
    return Cat("Aggregate by (", List(node.groups), ") of ", calls);
  }
  std::string WindowLine(const LogicalWindow& node) const {
    std::string calls;
    for (const WindowCall& window : node.calls) {
      calls += Cat(calls.empty() ? "" : ", ", Call(window.call), " over (", List(window.partition_by), " / ",
                   Keys(window.order_by), ")");
    }
    return "Window " + calls;
  }
  std::string LockRowsLine(const LogicalLockRows& node) const {
    std::string text = "LockRows";
    for (const RowLock& lock : node.locks) text += Cat(&lock == &node.locks[0] ? " " : ", ", lock.alias, " by (", List(lock.key), ")");
    return text;
  }
  std::string GetLine(const LogicalGet& node) const {
    const bool has_alias = !EqualsIgnoreCase(node.alias, node.table->name);
    return Cat("Get ", node.table->name, has_alias ? " AS " + node.alias : "",
               node.indexed_by != nullptr ? " INDEXED BY " + node.indexed_by->name : "",
               node.is_not_indexed ? " NOT INDEXED" : "");
  }
  std::string ValuesLine(const LogicalValues& node) const {
    std::string text = Cat("Values ", node.rows.size(), " rows");
    if (!node.rows.empty()) text += Cat(" (", List(node.rows[0]), ")");
    return text;
  }
  std::string InsertLine(const LogicalInsert& node) const {
    std::string text = Cat("Insert ", node.table->name, " (");
    for (size_t i = 0; i < node.target_columns.size(); ++i) text += Cat(i > 0 ? ", " : "", ColumnName(*node.table, node.target_columns[i]));
    text += ")";
    for (const UpsertClause& upsert : node.upserts) {
      text += Cat(" conflict(", upsert.is_any ? "any" : upsert.is_rowid ? "key" : upsert.index->name, ")");
      for (const auto& [column, value] : upsert.assignments) {
        text += Cat(" ", ColumnName(*node.table, column), " = ", Text(value), ";");
      }
      if (upsert.where != nullptr) text += " where " + Text(upsert.where);
    }
    return text + ReturningText(node.returning);
  }
  std::string UpdateLine(const LogicalUpdate& node) const {
    std::string text = Cat("Update ", node.table->name, " (");
    for (size_t i = 0; i < node.assigned_columns.size(); ++i) text += Cat(i > 0 ? ", " : "", ColumnName(*node.table, node.assigned_columns[i]));
    return text + ")" + ReturningText(node.returning);
  }
  std::string ReturningText(const Returning& returning) const {
    return returning.is_present ? " returning " + List(returning.exprs) : "";
  }
  static std::string ColumnName(const catalog::TableDef& table, int column) {
    return column < 0 ? "rowid" : table.columns[static_cast<size_t>(column)].name;
  }

  std::string Line(const LogicalNode& node) const {
    switch (node.kind) {
      case LogicalKind::kGet: return GetLine(node.As<LogicalGet>());
      case LogicalKind::kValues: return ValuesLine(node.As<LogicalValues>());
      case LogicalKind::kTableFunction:
        return Cat("Function ", node.As<LogicalTableFunction>().name, "(",
                   List(node.As<LogicalTableFunction>().arguments), ")");
      case LogicalKind::kFilter: return "Filter " + Text(node.As<LogicalFilter>().predicate);
      case LogicalKind::kProject: return "Project " + List(node.As<LogicalProject>().exprs);
      case LogicalKind::kJoin:
        return Cat(JoinText(node.As<LogicalJoin>().type), " on ", Text(node.As<LogicalJoin>().condition));
      case LogicalKind::kAggregate: return AggregateLine(node.As<LogicalAggregate>());
      case LogicalKind::kWindow: return WindowLine(node.As<LogicalWindow>());
      case LogicalKind::kDistinct: return "Distinct";
      case LogicalKind::kSort: return "Sort " + Keys(node.As<LogicalSort>().keys);
      case LogicalKind::kLockRows: return LockRowsLine(node.As<LogicalLockRows>());
      case LogicalKind::kLimit:
        return Cat("Limit ", Text(node.As<LogicalLimit>().limit), " offset ", Text(node.As<LogicalLimit>().offset));
      case LogicalKind::kSetOp: return std::string(SetOpText(node.As<LogicalSetOp>().op));
      case LogicalKind::kCte: return Cat("Cte ", node.As<LogicalCte>().name, " ", node.As<LogicalCte>().cte_id);
      case LogicalKind::kRecursiveCte: return Cat("RecursiveCte ", node.As<LogicalRecursiveCte>().cte_id);
      case LogicalKind::kCteRef: return Cat("CteRef ", node.As<LogicalCteRef>().name, " ", node.As<LogicalCteRef>().cte_id);
      case LogicalKind::kInsert: return InsertLine(node.As<LogicalInsert>());
      case LogicalKind::kUpdate: return UpdateLine(node.As<LogicalUpdate>());
      case LogicalKind::kDelete:
        return Cat("Delete ", node.As<LogicalDelete>().table->name, node.As<LogicalDelete>().is_whole_table ? " all" : "",
                   ReturningText(node.As<LogicalDelete>().returning));
    }
    return "?";
  }

  const std::vector<std::string>& names_;
  std::string out_;
};

}  // namespace

std::string LogicalText(const LogicalNode& root, const std::vector<std::string>& column_names) {
  Writer writer(column_names);
  writer.Write(root, 0);
  return writer.Take();
}

}  // namespace turdb::sql
