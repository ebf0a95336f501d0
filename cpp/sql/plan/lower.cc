#include "sql/plan/lower.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/plan/access_path.h"
#include "sql/plan/rule.h"

namespace turdb::sql {
namespace {

// Moves what logical and physical nodes have in common and lowers the children.
absl::StatusOr<PhysicalPtr> WithChildren(PhysicalPtr physical, LogicalNode* logical, LowerContext* context) {
  physical->output = std::move(logical->output);
  for (LogicalPtr& child : logical->children) {
    TURDB_ASSIGN_OR_RETURN(PhysicalPtr lowered, Lower(std::move(child), context));
    physical->estimated_rows = std::max(physical->estimated_rows, lowered->estimated_rows);
    physical->children.push_back(std::move(lowered));
  }
  return physical;
}

PhysicalPtr ScanOf(const LogicalGet& get, Conjuncts conjuncts, LowerContext* context) {
  std::vector<const BoundExpr*> views;
  for (const ExprPtr& conjunct : conjuncts) views.push_back(conjunct.get());
  const AccessPath path = ChooseAccessPath(get, views, context->statistics);
  return MakeScan(get, path, std::move(conjuncts));
}

absl::StatusOr<PhysicalPtr> LowerFilter(LogicalPtr node, LowerContext* context) {
  auto& filter = node->As<LogicalFilter>();
  if (node->children[0]->kind == LogicalKind::kGet) {
    Conjuncts conjuncts;
    SplitConjuncts(std::move(filter.predicate), &conjuncts);
    return ScanOf(node->children[0]->As<LogicalGet>(), std::move(conjuncts), context);
  }
  auto physical = std::make_unique<PhysicalFilter>();
  physical->predicate = std::move(filter.predicate);
  const double selectivity = GuessSelectivity(*physical->predicate);
  TURDB_ASSIGN_OR_RETURN(PhysicalPtr result, WithChildren(std::move(physical), node.get(), context));
  result->output = result->children[0]->output;
  result->estimated_rows = std::max(1.0, result->estimated_rows * selectivity);
  return result;
}

absl::StatusOr<PhysicalPtr> LowerAggregate(LogicalPtr node, LowerContext* context) {
  auto& logical = node->As<LogicalAggregate>();
  auto physical = std::make_unique<PhysicalAggregate>();
  physical->groups = std::move(logical.groups);
  physical->group_collations = std::move(logical.group_collations);
  physical->aggregates = std::move(logical.aggregates);
  const bool is_single = physical->groups.empty();
  TURDB_ASSIGN_OR_RETURN(PhysicalPtr result, WithChildren(std::move(physical), node.get(), context));
  result->estimated_rows = is_single ? 1 : std::max(1.0, result->estimated_rows * 0.1);
  return result;
}

bool KeysAreColumns(const std::vector<SortKey>& keys) {
  return std::all_of(keys.begin(), keys.end(), [](const SortKey& key) { return key.expr->kind == BoundKind::kColumn; });
}

// `wants_first`: not all rows will be asked for, though nobody knows how many.
absl::StatusOr<PhysicalPtr> LowerSort(LogicalPtr node, const LogicalLimit* limit, LowerContext* context, bool wants_first = false) {
  auto& sort = node->As<LogicalSort>();
  if (limit != nullptr) {
    PhysicalPtr lowered;
    TURDB_ASSIGN_OR_RETURN(bool is_search, LowerVectorSearch(&sort, *limit, context, &lowered));
    if (is_search) return lowered;
  }
  TURDB_RETURN_IF_ERROR(LowerSubqueries(node.get(), context));
  TURDB_ASSIGN_OR_RETURN(PhysicalPtr child, Lower(std::move(node->children[0]), context));
  if (KeysAreColumns(sort.keys) && ProvideOrder(&child, sort.keys, limit != nullptr || wants_first)) return child;
  auto physical = std::make_unique<PhysicalSort>();
  physical->keys = std::move(sort.keys);
  physical->output = child->output;
  physical->estimated_rows = child->estimated_rows;
  if (limit != nullptr && limit->limit != nullptr && !HasSubquery(*limit->limit) &&
      (limit->offset == nullptr || !HasSubquery(*limit->offset))) {
    physical->limit = CloneExpr(*limit->limit);
    if (limit->offset != nullptr) physical->offset = CloneExpr(*limit->offset);
  }
  physical->children.push_back(std::move(child));
  return PhysicalPtr(std::move(physical));
}

absl::StatusOr<PhysicalPtr> LowerProject(LogicalPtr node, const LogicalLimit* limit, LowerContext* context);
absl::StatusOr<PhysicalPtr> LowerLockRows(LogicalPtr node, const LogicalLimit* limit, LowerContext* context);

// The child of a LIMIT, which may be a sort under projections.
absl::StatusOr<PhysicalPtr> LowerUnderLimit(LogicalPtr node, const LogicalLimit& limit, LowerContext* context) {
  if (node->kind == LogicalKind::kSort) return LowerSort(std::move(node), &limit, context);
  if (node->kind == LogicalKind::kProject) return LowerProject(std::move(node), &limit, context);
  if (node->kind == LogicalKind::kLockRows) return LowerLockRows(std::move(node), &limit, context);
  return Lower(std::move(node), context);
}

// Where rows may be left out, a sort below cannot know from the limit how many will be wanted of it.
absl::StatusOr<PhysicalPtr> LowerLockRows(LogicalPtr node, const LogicalLimit* limit, LowerContext* context) {
  auto& logical = node->As<LogicalLockRows>();
  const bool skips = std::any_of(logical.locks.begin(), logical.locks.end(),
                                 [](const RowLock& lock) { return lock.wait == RowLockWait::kSkipLocked; });
  auto physical = std::make_unique<PhysicalLockRows>();
  physical->locks = std::move(logical.locks);
  physical->is_one_by_one = logical.is_one_by_one;
  LogicalPtr input = std::move(node->children[0]);
  PhysicalPtr child;
  if (limit != nullptr && skips && input->kind == LogicalKind::kSort) {
    TURDB_ASSIGN_OR_RETURN(child, LowerSort(std::move(input), nullptr, context, true));
  } else if (limit != nullptr && !skips) {
    TURDB_ASSIGN_OR_RETURN(child, LowerUnderLimit(std::move(input), *limit, context));
  } else {
    TURDB_ASSIGN_OR_RETURN(child, Lower(std::move(input), context));
  }
  physical->output = child->output;
  physical->estimated_rows = child->estimated_rows;
  physical->children.push_back(std::move(child));
  return PhysicalPtr(std::move(physical));
}

absl::StatusOr<PhysicalPtr> LowerProject(LogicalPtr node, const LogicalLimit* limit, LowerContext* context) {
  TURDB_RETURN_IF_ERROR(LowerSubqueries(node.get(), context));
  auto physical = std::make_unique<PhysicalProject>();
  physical->exprs = std::move(node->As<LogicalProject>().exprs);
  physical->output = std::move(node->output);
  LogicalPtr input = std::move(node->children[0]);
  absl::StatusOr<PhysicalPtr> child =
      limit != nullptr ? LowerUnderLimit(std::move(input), *limit, context) : Lower(std::move(input), context);
  TURDB_RETURN_IF_ERROR(child.status());
  physical->estimated_rows = (*child)->estimated_rows;
  physical->children.push_back(*std::move(child));
  return PhysicalPtr(std::move(physical));
}

absl::StatusOr<PhysicalPtr> LowerLimit(LogicalPtr node, LowerContext* context) {
  TURDB_RETURN_IF_ERROR(LowerSubqueries(node.get(), context));
  auto& logical = node->As<LogicalLimit>();
  TURDB_ASSIGN_OR_RETURN(PhysicalPtr child, LowerUnderLimit(std::move(node->children[0]), logical, context));
  auto physical = std::make_unique<PhysicalLimit>();
  physical->output = child->output;
  physical->estimated_rows = child->estimated_rows;
  if (logical.limit != nullptr && logical.limit->kind == BoundKind::kConstant && logical.limit->constant.cell().is_integer()) {
    physical->estimated_rows = std::min(physical->estimated_rows, std::fabs(static_cast<double>(logical.limit->constant.cell().integer)));
  }
  physical->limit = std::move(logical.limit);
  physical->offset = std::move(logical.offset);
  physical->children.push_back(std::move(child));
  return PhysicalPtr(std::move(physical));
}

absl::StatusOr<PhysicalPtr> LowerRecursiveCte(LogicalPtr node, LowerContext* context) {
  auto& logical = node->As<LogicalRecursiveCte>();
  auto physical = std::make_unique<PhysicalRecursiveCte>();
  physical->cte_id = logical.cte_id;
  physical->is_union_all = logical.is_union_all;
  physical->order_by = std::move(logical.order_by);
  physical->collations = std::move(logical.collations);
  physical->limit = std::move(logical.limit);
  physical->offset = std::move(logical.offset);
  return WithChildren(std::move(physical), node.get(), context);
}

template <typename Physical, typename Fill>
absl::StatusOr<PhysicalPtr> LowerPlain(LogicalPtr node, LowerContext* context, Fill fill) {
  auto physical = std::make_unique<Physical>();
  fill(physical.get());
  return WithChildren(std::move(physical), node.get(), context);
}

}  // namespace

absl::Status LowerSubqueries(LogicalNode* node, LowerContext* context) {
  absl::Status status;
  VisitNodeExprs(node, [&](ExprPtr* expr) {
    VisitSubqueries(expr->get(), [&](BoundSubquery* subquery) {
      if (!status.ok() || subquery->logical == nullptr) return;
      auto physical = Lower(std::move(subquery->logical), context);
      if (physical.ok()) {
        subquery->physical = *std::move(physical);
      } else {
        status = physical.status();
      }
    });
  });
  return status;
}

LogicalGet* AsFilteredGet(LogicalNode* node) {
  if (node->kind == LogicalKind::kFilter) node = node->children[0].get();
  return node->kind == LogicalKind::kGet ? &node->As<LogicalGet>() : nullptr;
}

absl::StatusOr<PhysicalPtr> Lower(LogicalPtr node, LowerContext* context) {
  LogicalNode* raw = node.get();
  switch (node->kind) {
    case LogicalKind::kLimit: return LowerLimit(std::move(node), context);
    case LogicalKind::kSort: return LowerSort(std::move(node), nullptr, context);
    case LogicalKind::kProject: return LowerProject(std::move(node), nullptr, context);
    case LogicalKind::kLockRows: return LowerLockRows(std::move(node), nullptr, context);
    default: break;
  }
  TURDB_RETURN_IF_ERROR(LowerSubqueries(raw, context));
  switch (raw->kind) {
    case LogicalKind::kGet: return ScanOf(raw->As<LogicalGet>(), {}, context);
    case LogicalKind::kFilter: return LowerFilter(std::move(node), context);
    case LogicalKind::kJoin: return LowerJoin(std::move(node), context);
    case LogicalKind::kAggregate: return LowerAggregate(std::move(node), context);
    case LogicalKind::kRecursiveCte: return LowerRecursiveCte(std::move(node), context);
    case LogicalKind::kValues:
      return LowerPlain<PhysicalValues>(std::move(node), context, [&](PhysicalValues* p) {
        p->rows = std::move(raw->As<LogicalValues>().rows);
        p->estimated_rows = static_cast<double>(p->rows.size());
      });
    case LogicalKind::kTableFunction:
      return LowerPlain<PhysicalTableFunction>(std::move(node), context, [&](PhysicalTableFunction* p) {
        p->name = raw->As<LogicalTableFunction>().name;
        p->arguments = std::move(raw->As<LogicalTableFunction>().arguments);
        p->estimated_rows = 100;
      });
    case LogicalKind::kWindow:
      return LowerPlain<PhysicalWindow>(std::move(node), context, [&](PhysicalWindow* p) {
        p->calls = std::move(raw->As<LogicalWindow>().calls);
      });
    case LogicalKind::kDistinct:
      return LowerPlain<PhysicalDistinct>(std::move(node), context, [&](PhysicalDistinct* p) {
        p->collations = std::move(raw->As<LogicalDistinct>().collations);
      });
    case LogicalKind::kSetOp:
      return LowerPlain<PhysicalSetOp>(std::move(node), context, [&](PhysicalSetOp* p) {
        p->op = raw->As<LogicalSetOp>().op;
        p->collations = std::move(raw->As<LogicalSetOp>().collations);
      });
    case LogicalKind::kCte:
      return LowerPlain<PhysicalMaterialize>(std::move(node), context, [&](PhysicalMaterialize* p) {
        p->cte_id = raw->As<LogicalCte>().cte_id;
        p->name = raw->As<LogicalCte>().name;
      });
    case LogicalKind::kCteRef:
      return LowerPlain<PhysicalCteScan>(std::move(node), context, [&](PhysicalCteScan* p) {
        p->cte_id = raw->As<LogicalCteRef>().cte_id;
        p->name = raw->As<LogicalCteRef>().name;
        p->estimated_rows = 100;
      });
    default: return LowerWrite(std::move(node), context);
  }
}

}  // namespace turdb::sql
