// fold_constants: AND, OR and NOT over known truth values are simplified. (Arithmetic over constants is folded by the
// executor, which owns SQLite's arithmetic, when it compiles an expression.)
#include "sql/plan/rule.h"

namespace turdb::sql {
namespace {

enum class Truth { kUnknown, kTrue, kFalse };

Truth TruthOf(const BoundExpr& expr) {
  if (expr.kind != BoundKind::kConstant) return Truth::kUnknown;
  const Cell cell = expr.constant.cell();
  if (cell.is_integer()) return cell.integer != 0 ? Truth::kTrue : Truth::kFalse;
  if (cell.is_real()) return cell.real != 0 ? Truth::kTrue : Truth::kFalse;
  return Truth::kUnknown;
}

ExprPtr Constant(int64_t value) {
  auto expr = std::make_unique<BoundExpr>(BoundKind::kConstant);
  expr->constant = Value::Integer(value);
  return expr;
}

// AND: drops true parts, a false part decides. OR: the mirror image.
void FoldLogic(ExprPtr* expr, Truth neutral, Truth deciding) {
  auto& args = (*expr)->args;
  std::vector<ExprPtr> kept;
  for (ExprPtr& arg : args) {
    const Truth truth = TruthOf(*arg);
    if (truth == deciding) {
      *expr = Constant(deciding == Truth::kTrue ? 1 : 0);
      return;
    }
    if (truth != neutral) kept.push_back(std::move(arg));
  }
  args = std::move(kept);
  if (args.empty()) *expr = Constant(neutral == Truth::kTrue ? 1 : 0);
}

void Fold(ExprPtr* expr) {
  for (ExprPtr& arg : (*expr)->args) Fold(&arg);
  if ((*expr)->kind == BoundKind::kAnd) FoldLogic(expr, Truth::kTrue, Truth::kFalse);
  if ((*expr)->kind == BoundKind::kOr) FoldLogic(expr, Truth::kFalse, Truth::kTrue);
}

void FoldTree(LogicalNode* node) {
  VisitNodeExprs(node, Fold);
  for (LogicalPtr& child : node->children) FoldTree(child.get());
}

}  // namespace

LogicalPtr FoldConstants(LogicalPtr root, RuleContext*) {
  FoldTree(root.get());
  return root;
}

}  // namespace turdb::sql
