// The nodes of one SELECT core, put on top of FROM and WHERE:
//   Aggregate, Filter (HAVING), Window, Project (result columns, then what ORDER BY and FOR UPDATE need besides), Distinct,
//   Sort, LockRows.
// LIMIT, and the Project that leaves only the result columns, are the caller's: they stand above.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {
namespace {

LogicalPtr Over(LogicalPtr node, LogicalPtr child) {
  node->children.push_back(std::move(child));
  return node;
}

Collation CollationOf(const BoundExpr& expr) { return expr.has_collation ? expr.collation : Collation::kBinary; }

}  // namespace

LogicalPtr Binding::BuildAggregate(Scope* scope, LogicalPtr input) {
  auto node = std::make_unique<LogicalAggregate>();
  for (size_t i = 0; i < scope->groups.size(); ++i) {
    node->group_collations.push_back(CollationOf(*scope->groups[i]));
    node->output.push_back(scope->group_ids[i]);
  }
  node->groups = std::move(scope->groups);
  for (const AggregateCall& call : scope->aggregates) node->output.push_back(call.output);
  node->aggregates = std::move(scope->aggregates);
  return Over(std::move(node), std::move(input));
}

namespace {

// SELECT DISTINCT a ORDER BY b: the first row of each a lends its b. Said as an aggregation with bare columns.
LogicalPtr DistinctWithExtras(Binding* binding, LogicalPtr input, size_t width, const std::vector<OutColumn>& all,
                              std::vector<ColumnId>* ids) {
  auto node = std::make_unique<LogicalAggregate>();
  for (size_t i = 0; i < all.size(); ++i) {
    const ColumnId id = binding->NewColumn(all[i].name);
    ids->push_back(id);
    node->output.push_back(id);
    if (i < width) {
      node->groups.push_back(NewColumnExpr(all[i]));
      node->group_collations.push_back(all[i].has_collation ? all[i].collation : Collation::kBinary);
      continue;
    }
    AggregateCall bare;
    bare.args.push_back(NewColumnExpr(all[i]));
    bare.output = id;
    node->aggregates.push_back(std::move(bare));
  }
  return Over(std::move(node), std::move(input));
}

}  // namespace

absl::StatusOr<BoundSelect> Binding::BuildCore(Scope* scope, LogicalPtr root, ExprPtr having,
                                               std::vector<OrderKey> order) {
  if (!scope->groups.empty() || !scope->aggregates.empty()) {
    for (ResultItem& item : scope->items) {
      if (item.group >= 0) {
        item.expr = GroupColumn(*scope, item.group);
      } else {
        RewriteOverGroups(scope, &item.expr);
      }
    }
    if (having != nullptr) RewriteOverGroups(scope, &having);
    for (OrderKey& key : order) {
      if (key.item < 0) RewriteOverGroups(scope, &key.key.expr);
    }
    RewriteWindowsOverGroups(scope);
    root = BuildAggregate(scope, std::move(root));
  }
  if (having != nullptr) {
    auto filter = std::make_unique<LogicalFilter>();
    filter->predicate = std::move(having);
    root = Over(std::move(filter), std::move(root));
  }
  if (!scope->windows.empty()) {
    auto window = std::make_unique<LogicalWindow>();
    window->calls = std::move(scope->windows);
    root = Over(std::move(window), std::move(root));
  }

  auto project = std::make_unique<LogicalProject>();
  std::vector<OutColumn> all;
  const size_t width = scope->items.size();
  for (ResultItem& item : scope->items) {
    OutColumn column = ColumnOf(*item.expr, NewColumn(item.name), item.name);
    column.origin = item.origin;
    column.origin_column = item.origin_column;
    all.push_back(column);
    project->output.push_back(column.id);
    project->exprs.push_back(std::move(item.expr));
  }
  for (OrderKey& key : order) {
    if (key.item >= 0) continue;
    key.item = static_cast<int>(all.size());
    const std::string_view text = text_.substr(key.key.expr->pos.offset, key.key.expr->pos.length);
    all.push_back(ColumnOf(*key.key.expr, NewColumn(text), text));
    project->output.push_back(all.back().id);
    project->exprs.push_back(std::move(key.key.expr));
  }
  TURDB_ASSIGN_OR_RETURN(std::vector<RowLock> locks, BindLocks(scope, project.get(), &all));
  root = Over(std::move(project), std::move(root));
  if (scope->core != nullptr && scope->core->is_distinct) {
    if (all.size() == width) {
      auto distinct = std::make_unique<LogicalDistinct>();
      for (const OutColumn& column : all) {
        distinct->collations.push_back(column.has_collation ? column.collation : Collation::kBinary);
      }
      root = Over(std::move(distinct), std::move(root));
    } else {
      std::vector<ColumnId> ids;
      root = DistinctWithExtras(this, std::move(root), width, all, &ids);
      for (size_t i = 0; i < all.size(); ++i) all[i].id = ids[i];
    }
  }
  if (!order.empty()) {
    auto sort = std::make_unique<LogicalSort>();
    for (OrderKey& key : order) {
      key.key.expr = NewColumnExpr(all[key.item]);
      sort->keys.push_back(std::move(key.key));
    }
    root = Over(std::move(sort), std::move(root));
  }
  if (!locks.empty()) {
    auto lock = std::make_unique<LogicalLockRows>();
    lock->locks = std::move(locks);
    lock->is_one_by_one = select_depth_ > 1 || subquery_level_ > 0;
    root = Over(std::move(lock), std::move(root));
    bound_.is_read_only = false;
  }
  BoundSelect result;
  result.columns = std::move(all);
  result.width = width;
  result.root = std::move(root);
  return result;
}

}  // namespace turdb::sql
