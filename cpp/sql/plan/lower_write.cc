// INSERT, UPDATE and DELETE: their sources are planned like any select; the rest is carried over.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/plan/lower.h"

namespace turdb::sql {
namespace {

PhysicalPtr MakeInsert(LogicalInsert* logical) {
  auto physical = std::make_unique<PhysicalInsert>();
  physical->table = logical->table;
  physical->target_columns = std::move(logical->target_columns);
  physical->defaults = std::move(logical->defaults);
  physical->on_conflict = logical->on_conflict;
  physical->row_expressions = std::move(logical->row_expressions);
  physical->excluded_columns = std::move(logical->excluded_columns);
  physical->upserts = std::move(logical->upserts);
  physical->returning = std::move(logical->returning);
  return physical;
}

PhysicalPtr MakeUpdate(LogicalUpdate* logical) {
  auto physical = std::make_unique<PhysicalUpdate>();
  physical->table = logical->table;
  physical->assigned_columns = std::move(logical->assigned_columns);
  physical->on_conflict = logical->on_conflict;
  physical->row_expressions = std::move(logical->row_expressions);
  physical->returning = std::move(logical->returning);
  return physical;
}

PhysicalPtr MakeDelete(LogicalDelete* logical) {
  auto physical = std::make_unique<PhysicalDelete>();
  physical->table = logical->table;
  physical->is_whole_table = logical->is_whole_table;
  physical->row_expressions = std::move(logical->row_expressions);
  physical->returning = std::move(logical->returning);
  return physical;
}

}  // namespace

absl::StatusOr<PhysicalPtr> LowerWrite(LogicalPtr node, LowerContext* context) {
  PhysicalPtr physical;
  switch (node->kind) {
    case LogicalKind::kInsert: physical = MakeInsert(&node->As<LogicalInsert>()); break;
    case LogicalKind::kUpdate: physical = MakeUpdate(&node->As<LogicalUpdate>()); break;
    case LogicalKind::kDelete: physical = MakeDelete(&node->As<LogicalDelete>()); break;
    default: return InternalError("planner: unknown kind of node ", static_cast<int>(node->kind));
  }
  physical->output = std::move(node->output);
  for (LogicalPtr& child : node->children) {
    TURDB_ASSIGN_OR_RETURN(PhysicalPtr lowered, Lower(std::move(child), context));
    physical->estimated_rows = lowered->estimated_rows;
    physical->children.push_back(std::move(lowered));
  }
  return physical;
}

}  // namespace turdb::sql
