#include "sql/plan/resolve.h"

#include "absl/container/flat_hash_map.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/plan/column_set.h"
#include "sql/plan/physical_exprs.h"

namespace turdb::sql {
namespace {

// Which slot of a batch holds a column.
using Slots = absl::flat_hash_map<uint32_t, int>;

void AddSlots(const std::vector<ColumnId>& columns, Slots* slots, int first = 0) {
  for (size_t i = 0; i < columns.size(); ++i) slots->emplace(columns[i].value(), first + static_cast<int>(i));
}

class Resolver {
 public:
  explicit Resolver(PhysicalPlan* plan) : plan_(plan) {}

  absl::Status Node(PhysicalNode* node) {
    node->id = plan_->node_count++;
    absl::Status status;
    Slots slots;
    ExprScope current = ExprScope::kNone;
    VisitPhysicalExprs(node, [&](ExprPtr* expr, ExprScope scope) {
      if (!status.ok()) return;
      if (scope != current) {
        slots = ScopeSlots(*node, scope);
        current = scope;
      }
      status = Expr(expr->get(), slots);
    });
    TURDB_RETURN_IF_ERROR(status);
    if (node->kind == PhysicalKind::kNestedLoopJoin) return NestedLoop(&node->As<PhysicalNestedLoopJoin>());
    for (PhysicalPtr& child : node->children) TURDB_RETURN_IF_ERROR(Node(child.get()));
    return absl::OkStatus();
  }

 private:
  static Slots ScopeSlots(const PhysicalNode& node, ExprScope scope) {
    Slots slots;
    switch (scope) {
      case ExprScope::kNone: break;
      case ExprScope::kOutput: AddSlots(node.output, &slots); break;
      case ExprScope::kInput: AddSlots(node.children[0]->output, &slots); break;
      case ExprScope::kRight: AddSlots(node.children[1]->output, &slots); break;
      case ExprScope::kBoth:
        AddSlots(node.children[0]->output, &slots);
        AddSlots(node.children[1]->output, &slots, static_cast<int>(node.children[0]->output.size()));
        break;
      case ExprScope::kRow: AddRowSlots(node, &slots); break;
    }
    return slots;
  }

  static void AddRowSlots(const PhysicalNode& node, Slots* slots) {
    if (node.kind == PhysicalKind::kUpdate) {
      AddSlots(node.As<PhysicalUpdate>().row_expressions.row_columns, slots);
    } else if (node.kind == PhysicalKind::kDelete) {
      AddSlots(node.As<PhysicalDelete>().row_expressions.row_columns, slots);
    } else {
      const auto& insert = node.As<PhysicalInsert>();
      AddSlots(insert.row_expressions.row_columns, slots);
      AddSlots(insert.excluded_columns, slots, static_cast<int>(insert.table->columns.size()) + 1);
    }
  }

  absl::Status Expr(BoundExpr* expr, const Slots& slots) {
    if (expr->kind == BoundKind::kColumn) return Column(expr, slots);
    for (ExprPtr& arg : expr->args) TURDB_RETURN_IF_ERROR(Expr(arg.get(), slots));
    return expr->subquery != nullptr ? Subquery(expr->subquery.get(), slots) : absl::OkStatus();
  }

  absl::Status Column(BoundExpr* expr, const Slots& slots) {
    if (const auto slot = slots.find(expr->column.value()); slot != slots.end()) {
      expr->kind = BoundKind::kSlot;
      expr->slot = slot->second;
      return absl::OkStatus();
    }
    if (const auto reg = registers_.find(expr->column.value()); reg != registers_.end()) {
      expr->kind = BoundKind::kRegister;
      expr->register_index = reg->second;
      return absl::OkStatus();
    }
    return Missing(expr->column);
  }

  absl::Status Subquery(BoundSubquery* subquery, const Slots& slots) {
    Slots saved = registers_;
    subquery->registers.clear();
    subquery->outer_slots.clear();
    for (ColumnId column : subquery->outer_columns) {
      if (const auto slot = slots.find(column.value()); slot != slots.end()) {
        const int index = plan_->register_count++;
        registers_[column.value()] = index;
        subquery->registers.push_back(index);
        subquery->outer_slots.push_back(slot->second);
      } else if (const auto reg = registers_.find(column.value()); reg != registers_.end()) {
        subquery->registers.push_back(reg->second);
        subquery->outer_slots.push_back(-1);
      } else {
        return Missing(column);
      }
    }
    if (subquery->physical != nullptr) TURDB_RETURN_IF_ERROR(Node(subquery->physical.get()));
    registers_ = std::move(saved);
    return absl::OkStatus();
  }

  absl::Status NestedLoop(PhysicalNestedLoopJoin* join) {
    TURDB_RETURN_IF_ERROR(Node(join->children[0].get()));
    ColumnSet read;
    CollectReads(join->children[1].get(), &read);
    const Slots saved = registers_;
    const auto& left = join->children[0]->output;
    for (size_t i = 0; i < left.size(); ++i) {
      if (!read.Contains(left[i])) continue;
      const int index = plan_->register_count++;
      registers_[left[i].value()] = index;
      join->bindings.push_back({static_cast<int>(i), index});
    }
    TURDB_RETURN_IF_ERROR(Node(join->children[1].get()));
    registers_ = saved;
    return absl::OkStatus();
  }

  static void CollectReads(PhysicalNode* node, ColumnSet* read) {
    VisitPhysicalExprs(node, [&](ExprPtr* expr, ExprScope) { read->AddAll(ColumnSet::Of(**expr)); });
    for (PhysicalPtr& child : node->children) CollectReads(child.get(), read);
  }

  absl::Status Missing(ColumnId column) const {
    const auto& names = plan_->bound.column_names;
    const size_t i = column.value();
    return InternalError("planner: column ", i < names.size() ? names[i] : Cat("#", i), " is read where nothing gives it");
  }

  PhysicalPlan* plan_;
  Slots registers_;
};

}  // namespace

absl::Status ResolvePlan(PhysicalPlan* plan) { return Resolver(plan).Node(plan->root.get()); }

}  // namespace turdb::sql
