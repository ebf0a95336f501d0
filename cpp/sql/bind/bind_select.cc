// A select as a whole: WITH, compound operators, the ORDER BY of a compound, LIMIT, VALUES.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

std::string_view OperatorName(CompoundOp op) {
  switch (op) {
    case CompoundOp::kNone: break;
    case CompoundOp::kUnion: return "UNION";
    case CompoundOp::kUnionAll: return "UNION ALL";
    case CompoundOp::kIntersect: return "INTERSECT";
    case CompoundOp::kExcept: return "EXCEPT";
  }
  return "";
}

SetOp SetOpOf(CompoundOp op) {
  switch (op) {
    case CompoundOp::kUnion: return SetOp::kUnion;
    case CompoundOp::kIntersect: return SetOp::kIntersect;
    case CompoundOp::kExcept: return SetOp::kExcept;
    default: return SetOp::kUnionAll;
  }
}

// Leaves the first `width` columns.
void Trim(Binding* binding, BoundSelect* select) {
  if (select->columns.size() == select->width) return;
  auto project = std::make_unique<LogicalProject>();
  select->columns.resize(select->width);
  for (OutColumn& column : select->columns) {
    project->exprs.push_back(NewColumnExpr(column));
    column.id = binding->NewColumn(column.name);
    project->output.push_back(column.id);
  }
  project->children.push_back(std::move(select->root));
  select->root = std::move(project);
}

}  // namespace

absl::StatusOr<BoundSelect> Binding::BindSelect(const Select& select, Scope* parent) {
  Restore<int> deeper(&select_depth_, select_depth_ + 1);
  if (select_depth_ > kMaxSelectDepth) return Misuse("too many nested selects", select.pos);
  if (select.with == nullptr) return BindSelectBody(select, parent);
  CteFrame frame;
  Restore<CteFrame*> outside(&cte_frame_, cte_frame_);
  TURDB_RETURN_IF_ERROR(PushWith(select.with, parent, &frame));
  TURDB_ASSIGN_OR_RETURN(BoundSelect bound, BindSelectBody(select, parent));
  bound.root = PopWith(&frame, std::move(bound.root));
  return bound;
}

absl::StatusOr<BoundSelect> Binding::BindSelectBody(const Select& select, Scope* parent) {
  BoundSelect bound;
  const bool is_compound = select.cores.size() > 1 || select.cores[0]->is_values;
  if (is_compound) TURDB_RETURN_IF_ERROR(CheckLocksNothing(select, "is not allowed with UNION, INTERSECT or EXCEPT"));
  if (is_compound && !select.order_by.empty()) {
    CompoundOrder order;
    order.terms = &select.order_by;
    order.columns.assign(select.order_by.size(), -1);
    TURDB_ASSIGN_OR_RETURN(bound, BindCores(select.cores, parent, &order));
    auto sort = std::make_unique<LogicalSort>();
    TURDB_RETURN_IF_ERROR(FinishCompoundOrder(&order, bound.columns, &sort->keys));
    sort->children.push_back(std::move(bound.root));
    bound.root = std::move(sort);
  } else if (is_compound) {
    TURDB_ASSIGN_OR_RETURN(bound, BindCores(select.cores, parent, nullptr));
  } else {
    TURDB_ASSIGN_OR_RETURN(bound, BindCore(*select.cores[0], select.order_by, parent, nullptr, select.locking));
  }
  if (bound.root->kind == LogicalKind::kLockRows && select.limit != nullptr) {
    bound.root->As<LogicalLockRows>().is_one_by_one = true;
  }
  TURDB_ASSIGN_OR_RETURN(bound.root, BindLimit(std::move(bound.root), select.limit, select.offset));
  Trim(this, &bound);
  return bound;
}

// Cores combined from the left. A column's name, affinity and origin are the leftmost core's; its collation is that of
// the first core that has one.
absl::StatusOr<BoundSelect> Binding::BindCores(List<SelectCore*> cores, Scope* parent, CompoundOrder* order) {
  TURDB_ASSIGN_OR_RETURN(BoundSelect left, BindCore(*cores[0], {}, parent, order));
  for (size_t i = 1; i < cores.size(); ++i) {
    TURDB_ASSIGN_OR_RETURN(BoundSelect right, BindCore(*cores[i], {}, parent, order));
    if (left.width != right.width) {
      if (cores[i]->is_values) return Misuse("all VALUES must have the same number of terms", cores[i]->pos);
      return Misuse(Cat("SELECTs to the left and right of ", OperatorName(cores[i]->op),
                        " do not have the same number of result columns"),
                    cores[i]->pos);
    }
    auto node = std::make_unique<LogicalSetOp>();
    node->op = SetOpOf(cores[i]->op);
    for (size_t c = 0; c < left.width; ++c) {
      OutColumn& column = left.columns[c];
      if (!column.has_collation) {
        column.collation = right.columns[c].collation;
        column.has_collation = right.columns[c].has_collation;
      }
      column.id = NewColumn(column.name);
      node->output.push_back(column.id);
      node->collations.push_back(column.has_collation ? column.collation : Collation::kBinary);
    }
    node->children.push_back(std::move(left.root));
    node->children.push_back(std::move(right.root));
    left.root = std::move(node);
  }
  return left;
}

// Terms by number, and complaints about those that no core knew.
absl::Status Binding::FinishCompoundOrder(CompoundOrder* order, const std::vector<OutColumn>& columns,
                                          std::vector<SortKey>* keys) {
  for (size_t i = 0; i < order->columns.size(); ++i) {
    const OrderingTerm& term = (*order->terms)[i];
    TURDB_ASSIGN_OR_RETURN(const int number, ItemNumber(*term.expr, columns.size(), i, "ORDER"));
    if (number >= 0) order->columns[i] = number;
    if (order->columns[i] < 0) {
      return Misuse(Cat(Ordinal(i + 1), " ORDER BY term does not match any column in the result set"), term.expr->pos);
    }
    SortKey& key = keys->emplace_back();
    key.expr = NewColumnExpr(columns[order->columns[i]], term.expr->pos);
    if (term.expr->kind == ExprKind::kCollate) {
      TURDB_ASSIGN_OR_RETURN(key.expr->collation, CollationNamed(term.expr->As<CollateExpr>().collation));
      key.expr->has_collation = true;
    }
    SetOrder(term, &key);
  }
  return absl::OkStatus();
}

absl::StatusOr<BoundSelect> Binding::BindValuesCore(const SelectCore& core, Scope* parent) {
  std::unique_ptr<Scope> scope = NewScope(parent);
  Restore<Scope*> inside(&scope_, scope.get());
  auto values = std::make_unique<LogicalValues>();
  BoundSelect bound;
  values->rows.reserve(core.rows.size());
  for (const List<Expr*>& row : core.rows) {
    if (row.size() != core.rows[0].size()) return Misuse("all VALUES must have the same number of terms", core.pos);
    TURDB_RETURN_IF_ERROR(BindList(row, &values->rows.emplace_back()));
  }
  bound.width = core.rows[0].size();
  for (size_t i = 0; i < bound.width; ++i) {
    const std::string_view name = Keep(Cat("column", i + 1));
    bound.columns.push_back(ColumnOf(*values->rows[0][i], NewColumn(name), name));
    values->output.push_back(bound.columns.back().id);
  }
  bound.root = std::move(values);
  return bound;
}

// LIMIT and OFFSET see no columns, not even those of queries further out.
absl::Status Binding::BindLimitExprs(const Expr* limit, const Expr* offset, ExprPtr* limit_out, ExprPtr* offset_out) {
  Restore<Scope*> nowhere(&scope_, nullptr);
  Restore<ReferenceTracker*> untracked(&trackers_, nullptr);
  if (limit != nullptr) {
    TURDB_ASSIGN_OR_RETURN(*limit_out, BindExpr(*limit));
  }
  if (offset != nullptr) {
    TURDB_ASSIGN_OR_RETURN(*offset_out, BindExpr(*offset));
  }
  return absl::OkStatus();
}

absl::StatusOr<LogicalPtr> Binding::BindLimit(LogicalPtr root, const Expr* limit, const Expr* offset) {
  if (limit == nullptr && offset == nullptr) return root;
  auto node = std::make_unique<LogicalLimit>();
  TURDB_RETURN_IF_ERROR(BindLimitExprs(limit, offset, &node->limit, &node->offset));
  node->children.push_back(std::move(root));
  return node;
}

// Columns of a derived table have names of their own: a, a:1, a:2.
void Binding::NameColumnsOnce(std::vector<OutColumn>* columns) {
  for (size_t i = 1; i < columns->size(); ++i) {
    const std::string_view base = (*columns)[i].name;
    const auto is_taken = [&](std::string_view name) {
      for (size_t k = 0; k < i; ++k) {
        if (EqualsIgnoreCase((*columns)[k].name, name)) return true;
      }
      return false;
    };
    std::string_view name = base;
    for (int n = 1; is_taken(name); ++n) name = Keep(Cat(base, ":", n));
    (*columns)[i].name = name;
  }
}

}  // namespace turdb::sql
