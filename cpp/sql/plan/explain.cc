// EXPLAIN: a physical plan as an indented tree a person can read, with counters for EXPLAIN ANALYZE, and as the rows of
// SQLite's EXPLAIN QUERY PLAN.
#include <cmath>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/strings.h"
#include "sql/plan/physical_exprs.h"
#include "sql/plan/planner.h"

namespace turdb::sql {
namespace {

class Printer {
 public:
  Printer(const PhysicalPlan& plan, const std::vector<NodeReport>* reports) : plan_(plan), reports_(reports) {}

  void Tree(PhysicalNode* node, int depth) {
    lines_.push_back(std::string(static_cast<size_t>(depth) * 2, ' ') + Describe(node) + Figures(*node));
    VisitPhysicalExprs(node, [&](ExprPtr* expr, ExprScope) { Nested(expr->get(), depth + 1); });
    for (PhysicalPtr& child : node->children) Tree(child.get(), depth + 1);
  }

  void Rows(PhysicalNode* node, int parent, std::vector<QueryPlanRow>* rows) {
    int self = parent;
    if (node->kind != PhysicalKind::kProject && node->kind != PhysicalKind::kFilter && node->kind != PhysicalKind::kLimit) {
      self = node->id + 1;
      rows->push_back({self, parent, Describe(node)});
    }
    for (PhysicalPtr& child : node->children) Rows(child.get(), self, rows);
  }

  std::vector<std::string> TakeLines() { return std::move(lines_); }

  std::string Describe(PhysicalNode* node) {
    switch (node->kind) {
      case PhysicalKind::kTableScan: return TableScan(node->As<PhysicalTableScan>());
      case PhysicalKind::kRowIdLookup: return RowIdLookup(node->As<PhysicalRowIdLookup>());
      case PhysicalKind::kIndexScan: return IndexScan(node->As<PhysicalIndexScan>());
      case PhysicalKind::kVectorSearch: return VectorSearch(node->As<PhysicalVectorSearch>());
      case PhysicalKind::kValues: return Cat("VALUES (", node->As<PhysicalValues>().rows.size(), " rows)");
      case PhysicalKind::kTableFunction: return Cat("TABLE FUNCTION ", node->As<PhysicalTableFunction>().name);
      case PhysicalKind::kFilter: return Cat("FILTER ", Text(node->As<PhysicalFilter>().predicate));
      case PhysicalKind::kProject: return Cat("PROJECT ", List(node->As<PhysicalProject>().exprs));
      case PhysicalKind::kNestedLoopJoin: return NestedLoop(node->As<PhysicalNestedLoopJoin>());
      case PhysicalKind::kHashJoin: return HashJoin(node->As<PhysicalHashJoin>());
      case PhysicalKind::kAggregate: return Aggregate(node->As<PhysicalAggregate>());
      case PhysicalKind::kWindow: return Cat("WINDOW (", node->As<PhysicalWindow>().calls.size(), " functions)");
      case PhysicalKind::kDistinct: return "DISTINCT";
      case PhysicalKind::kSort: return Sort(node->As<PhysicalSort>());
      case PhysicalKind::kLockRows: return LockRows(node->As<PhysicalLockRows>());
      case PhysicalKind::kLimit: return Limit(node->As<PhysicalLimit>());
      case PhysicalKind::kSetOp: return SetOpName(node->As<PhysicalSetOp>().op);
      case PhysicalKind::kMaterialize: return Cat("MATERIALIZE ", node->As<PhysicalMaterialize>().name);
      case PhysicalKind::kCteScan: return Cat("SCAN ", node->As<PhysicalCteScan>().name);
      case PhysicalKind::kRecursiveCte: return "RECURSIVE";
      case PhysicalKind::kInsert: return Cat("INSERT INTO ", node->As<PhysicalInsert>().table->name);
      case PhysicalKind::kUpdate: return Cat("UPDATE ", node->As<PhysicalUpdate>().table->name);
      case PhysicalKind::kDelete: return Cat("DELETE FROM ", node->As<PhysicalDelete>().table->name);
    }
    return "";
  }

 private:
  std::string Name(ColumnId id) const {
    const auto& names = plan_.bound.column_names;
    return id.value() < names.size() && !names[id.value()].empty() ? names[id.value()] : Cat("#", id.value());
  }

  // Resolved columns keep the ColumnId that they came from, so they are printed by name.
  std::string Text(const ExprPtr& expr) const {
    return expr == nullptr ? "" : ExprText(*expr, [this](ColumnId id) { return Name(id); });
  }

  std::string List(const std::vector<ExprPtr>& exprs) const {
    std::vector<std::string> parts;
    for (const ExprPtr& expr : exprs) parts.push_back(Text(expr));
    return absl::StrJoin(parts, ", ");
  }

  template <typename Scan>
  std::string Table(const Scan& scan) const {
    return scan.alias.empty() || EqualsIgnoreCase(scan.alias, scan.table->name) ? scan.table->name
                                                                               : Cat(scan.table->name, " AS ", scan.alias);
  }

  std::string Range(std::string_view column, const Bound& lower, const Bound& upper) const {
    std::string text;
    if (lower.value != nullptr) text += Cat(column, lower.is_inclusive ? " >= " : " > ", Text(lower.value));
    if (upper.value != nullptr) {
      text += Cat(text.empty() ? "" : " AND ", column, upper.is_inclusive ? " <= " : " < ", Text(upper.value));
    }
    return text;
  }

  std::string Filter(const ExprPtr& filter) const {
    return filter == nullptr ? "" : Cat(" FILTER ", Text(filter));
  }

  std::string TableScan(const PhysicalTableScan& scan) const {
    const std::string range = Range("rowid", scan.lower, scan.upper);
    return Cat(range.empty() ? "SCAN " : "SEARCH ", Table(scan), range.empty() ? "" : Cat(" USING ROWID (", range, ")"),
               scan.is_descending ? " DESCENDING" : "", Filter(scan.filter));
  }

  std::string RowIdLookup(const PhysicalRowIdLookup& scan) const {
    return Cat("SEARCH ", Table(scan), " USING ROWID (rowid", scan.values.size() == 1 ? " = " : " IN ", List(scan.values), ")",
               Filter(scan.filter));
  }

  std::string IndexScan(const PhysicalIndexScan& scan) const {
    const auto columns = scan.index != nullptr ? scan.index->columns : std::vector<catalog::IndexColumn>();
    auto column_name = [&](size_t i) -> std::string {
      const int column = scan.index == nullptr ? scan.table->primary_key[i] : columns[i].column;
      return column < 0 ? std::string("expr") : scan.table->columns[column].name;
    };
    std::vector<std::string> parts;
    for (size_t i = 0; i < scan.prefix.size(); ++i) parts.push_back(Cat(column_name(i), " = ", Text(scan.prefix[i])));
    if (!scan.in_list.empty()) parts.push_back(Cat(column_name(scan.prefix.size()), " IN (", List(scan.in_list), ")"));
    if (scan.lower.value != nullptr || scan.upper.value != nullptr) {
      parts.push_back(Range(column_name(scan.prefix.size()), scan.lower, scan.upper));
    }
    const std::string keys = parts.empty() ? "" : Cat(" (", absl::StrJoin(parts, " AND "), ")");
    return Cat(parts.empty() ? "SCAN " : "SEARCH ", Table(scan), scan.is_covering ? " USING COVERING INDEX " : " USING INDEX ",
               scan.index != nullptr ? scan.index->name : std::string("PRIMARY KEY"), keys, scan.is_descending ? " DESCENDING" : "",
               Filter(scan.filter));
  }

  std::string VectorSearch(const PhysicalVectorSearch& search) const {
    return Cat("VECTOR SEARCH ", Table(search), " BY ", search.table->columns[search.column].name,
               search.index != nullptr ? Cat(" USING HNSW INDEX ", search.index->name) : std::string(" EXACT"),
               " k = ", Text(search.limit), search.offset != nullptr ? Cat(" + ", Text(search.offset)) : "",
               search.children.empty() ? "" : " FILTERED BY");
  }

  static std::string TypeName(JoinType type) {
    switch (type) {
      case JoinType::kInner:
      case JoinType::kCross: return "";
      case JoinType::kLeft: return "LEFT ";
      case JoinType::kRight: return "RIGHT ";
      case JoinType::kFull: return "FULL ";
      case JoinType::kSemi: return "SEMI ";
      case JoinType::kAnti: return "ANTI ";
    }
    return "";
  }

  std::string NestedLoop(const PhysicalNestedLoopJoin& join) const {
    return Cat("NESTED LOOP ", TypeName(join.type), "JOIN", join.condition == nullptr ? "" : Cat(" ON ", Text(join.condition)));
  }

  std::string HashJoin(const PhysicalHashJoin& join) const {
    std::vector<std::string> keys;
    for (size_t i = 0; i < join.left_keys.size(); ++i) {
      keys.push_back(Cat(Text(join.left_keys[i]), " = ", Text(join.right_keys[i])));
    }
    return Cat("HASH ", TypeName(join.type), "JOIN ON ", absl::StrJoin(keys, " AND "),
               join.condition == nullptr ? "" : Cat(" FILTER ", Text(join.condition)));
  }

  std::string Aggregate(const PhysicalAggregate& node) const {
    std::vector<std::string> calls;
    for (const AggregateCall& call : node.aggregates) {
      if (call.function == nullptr) continue;
      calls.push_back(Cat(call.function->name, "(", call.is_distinct ? "DISTINCT " : "",
                          call.args.empty() ? "*" : List(call.args), ")"));
    }
    const std::string groups = node.groups.empty() ? "" : Cat(" GROUP BY ", List(node.groups));
    return Cat("AGGREGATE ", absl::StrJoin(calls, ", "), groups);
  }

  std::string Sort(const PhysicalSort& sort) const {
    std::vector<std::string> keys;
    for (const SortKey& key : sort.keys) keys.push_back(Cat(Text(key.expr), key.is_descending ? " DESC" : ""));
    return Cat(sort.limit != nullptr ? "TOP-N SORT BY " : "SORT BY ", absl::StrJoin(keys, ", "));
  }

  std::string LockRows(const PhysicalLockRows& node) const {
    std::vector<std::string> parts;
    for (const RowLock& lock : node.locks) {
      constexpr std::string_view kWaits[] = {"", " SKIP LOCKED", " NOWAIT"};
      parts.push_back(Cat(Table(lock), lock.strength == RowLockStrength::kUpdate ? " FOR UPDATE" : " FOR SHARE",
                          kWaits[static_cast<size_t>(lock.wait)]));
    }
    return Cat("LOCK ROWS ", absl::StrJoin(parts, ", "));
  }

  std::string Limit(const PhysicalLimit& limit) const {
    return Cat("LIMIT ", limit.limit != nullptr ? Text(limit.limit) : std::string("ALL"),
               limit.offset != nullptr ? Cat(" OFFSET ", Text(limit.offset)) : "");
  }

  static std::string SetOpName(SetOp op) {
    switch (op) {
      case SetOp::kUnionAll: return "UNION ALL";
      case SetOp::kUnion: return "UNION";
      case SetOp::kIntersect: return "INTERSECT";
      case SetOp::kExcept: return "EXCEPT";
    }
    return "";
  }

  void Nested(BoundExpr* expr, int depth) {
    if (expr->subquery != nullptr && expr->subquery->physical != nullptr) {
      const bool is_correlated = !expr->subquery->outer_columns.empty();
      lines_.push_back(Cat(std::string(static_cast<size_t>(depth) * 2, ' '), is_correlated ? "CORRELATED SUBQUERY" : "SUBQUERY"));
      Tree(expr->subquery->physical.get(), depth + 1);
    }
    for (ExprPtr& arg : expr->args) Nested(arg.get(), depth);
  }

  std::string Figures(const PhysicalNode& node) const {
    if (reports_ == nullptr || static_cast<size_t>(node.id) >= reports_->size()) {
      return node.estimated_rows >= 1 ? absl::StrFormat("  (~%.0f rows)", std::round(node.estimated_rows)) : "";
    }
    const NodeReport& report = (*reports_)[node.id];
    return absl::StrFormat("  (rows=%d estimated=%.0f opens=%d time=%.3f ms%s%s)", report.rows, node.estimated_rows, report.opens,
                           static_cast<double>(report.nanos) / 1e6, report.note.empty() ? "" : " ", report.note);
  }

  const PhysicalPlan& plan_;
  const std::vector<NodeReport>* reports_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> ExplainLines(const PhysicalPlan& plan, const std::vector<NodeReport>* reports) {
  Printer printer(plan, reports);
  printer.Tree(plan.root.get(), 0);
  return printer.TakeLines();
}

std::vector<QueryPlanRow> QueryPlanRows(const PhysicalPlan& plan) {
  std::vector<QueryPlanRow> rows;
  Printer(plan, nullptr).Rows(plan.root.get(), 0, &rows);
  return rows;
}

}  // namespace turdb::sql
