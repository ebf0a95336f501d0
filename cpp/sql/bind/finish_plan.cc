// The last walk over a bound tree: common tables mentioned once move to their mention, nodes that hand on their
// children's columns get their output (which columns of a table are mentioned is known only now), and every subquery
// learns which columns of enclosing queries it reads: those it mentions and does not produce.
#include <algorithm>

#include "sql/bind/binding.h"
#include "sql/bind/walk.h"

namespace turdb::sql {
namespace {

// Passes its children's columns on.
bool IsTransparent(const LogicalNode& node) {
  switch (node.kind) {
    case LogicalKind::kFilter:
    case LogicalKind::kDistinct:
    case LogicalKind::kSort:
    case LogicalKind::kLockRows:
    case LogicalKind::kLimit: return true;
    default: return false;
  }
}

void SetOutput(LogicalNode* node) {
  if (IsTransparent(*node)) {
    node->output = node->children[0]->output;
  } else if (node->kind == LogicalKind::kJoin) {
    node->output = node->children[0]->output;
    const std::vector<ColumnId>& right = node->children[1]->output;
    node->output.insert(node->output.end(), right.begin(), right.end());
  } else if (node->kind == LogicalKind::kWindow) {
    node->output = node->children[0]->output;
    for (const WindowCall& window : node->As<LogicalWindow>().calls) node->output.push_back(window.call.output);
  } else if (node->kind == LogicalKind::kCte) {
    node->output = node->children[1]->output;
  }
}

// Sorted and once each: what is in `mentioned` from `first_mentioned` on and not in `produced` from `first_produced` on.
std::vector<ColumnId> OuterColumns(const std::vector<ColumnId>& mentioned, size_t first_mentioned,
                                   std::vector<ColumnId>* produced, size_t first_produced) {
  std::vector<ColumnId> reads(mentioned.begin() + static_cast<ptrdiff_t>(first_mentioned), mentioned.end());
  std::sort(reads.begin(), reads.end());
  reads.erase(std::unique(reads.begin(), reads.end()), reads.end());
  std::sort(produced->begin() + static_cast<ptrdiff_t>(first_produced), produced->end());
  std::vector<ColumnId> outer;
  std::set_difference(reads.begin(), reads.end(), produced->begin() + static_cast<ptrdiff_t>(first_produced),
                      produced->end(), std::back_inserter(outer));
  return outer;
}

}  // namespace

void Binding::FinishSubquery(BoundSubquery* subquery) {
  const size_t first_mentioned = mentioned_.size(), first_produced = produced_.size();
  FinishNode(&subquery->logical);
  subquery->outer_columns = OuterColumns(mentioned_, first_mentioned, &produced_, first_produced);
  produced_.resize(first_produced);
  mentioned_.resize(first_mentioned);
  mentioned_.insert(mentioned_.end(), subquery->outer_columns.begin(), subquery->outer_columns.end());
}

void Binding::FinishExpr(ExprPtr* expr) {
  BoundExpr& node = **expr;
  if (node.kind == BoundKind::kColumn) mentioned_.push_back(node.column);
  for (ExprPtr& arg : node.args) FinishExpr(&arg);
  if (node.subquery != nullptr) FinishSubquery(node.subquery.get());
}

void Binding::FinishNode(LogicalPtr* slot) {
  if ((*slot)->kind == LogicalKind::kCteRef) {
    const int id = (*slot)->As<LogicalCteRef>().cte_id;
    CteEntry* entry = ctes_[static_cast<size_t>(id)];
    if (entry != nullptr && entry->is_inlined && entry->definition != nullptr) {
      *slot = std::move(entry->definition);
      return FinishNode(slot);
    }
    // Reading a common table is reading what its definition reads from further out.
    const std::vector<ColumnId>& reads = cte_outer_columns_[static_cast<size_t>(id)];
    mentioned_.insert(mentioned_.end(), reads.begin(), reads.end());
  }
  LogicalNode* node = slot->get();
  for (size_t i = 0; i < node->children.size(); ++i) {
    const size_t first_mentioned = mentioned_.size(), first_produced = produced_.size();
    FinishNode(&node->children[i]);
    if (i > 0 || node->kind != LogicalKind::kCte) continue;
    cte_outer_columns_[static_cast<size_t>(node->As<LogicalCte>().cte_id)] =
        OuterColumns(mentioned_, first_mentioned, &produced_, first_produced);
  }
  VisitExprs(node, [&](ExprPtr* expr) { FinishExpr(expr); });
  SetOutput(node);
  produced_.insert(produced_.end(), node->output.begin(), node->output.end());
}

absl::Status Binding::Finish() {
  cte_outer_columns_.resize(ctes_.size());
  if (bound_.root != nullptr) FinishNode(&bound_.root);
  bound_.column_id_count = static_cast<uint32_t>(owners_.size());
  bound_.cte_count = static_cast<int>(ctes_.size());
  return absl::OkStatus();
}

}  // namespace turdb::sql
