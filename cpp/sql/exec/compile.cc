// Compile: BoundExpr -> Evaluator (sql/exec/evaluator.h).
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/evaluators.h"
#include "sql/exec/operator.h"

namespace turdb::sql {

class Compiler {
 public:
  explicit Compiler(Builder* builder) : builder_(builder), context_(builder->context) {}

  absl::StatusOr<EvaluatorPtr> Run(const BoundExpr& expr) {
    std::vector<EvaluatorPtr> args;
    std::vector<int> slots;
    bool is_cheap = true;
    if (expr.kind == BoundKind::kOnce) return Once(expr);
    for (const auto& arg : expr.args) {
      TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, Run(*arg));
      is_cheap = is_cheap && compiled->is_cheap_;
      slots.insert(slots.end(), compiled->slots_.begin(), compiled->slots_.end());
      args.push_back(std::move(compiled));
    }
    if (expr.kind == BoundKind::kSlot) slots.push_back(expr.slot);
    if (expr.subquery != nullptr) {
      for (int slot : expr.subquery->outer_slots) {
        if (slot >= 0) slots.push_back(slot);
      }
    }
    TURDB_ASSIGN_OR_RETURN(EvaluatorPtr made, Make(expr, std::move(args)));
    return Describe(std::move(made), is_cheap && IsCheapKind(expr), std::move(slots));
  }

 private:
  static EvaluatorPtr Describe(EvaluatorPtr made, bool is_cheap, std::vector<int> slots) {
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
    made->is_cheap_ = is_cheap;
    made->slots_ = std::move(slots);
    return made;
  }

  static bool IsCheapKind(const BoundExpr& expr) {
    switch (expr.kind) {
      case BoundKind::kFunction:
      case BoundKind::kInSubquery:
      case BoundKind::kExists:
      case BoundKind::kScalarSubquery:
      case BoundKind::kRaise:
      case BoundKind::kCase: return false;
      case BoundKind::kCast: return !expr.type.is_vector();
      case BoundKind::kArithmetic: return expr.arithmetic != ArithmeticOp::kConcat;
      default: return true;
    }
  }

  absl::StatusOr<EvaluatorPtr> Once(const BoundExpr& expr) {
    std::shared_ptr<OnceState>& state = shared_[expr.shared_index];
    if (state == nullptr) {
      if (expr.args.empty()) return InternalError("a shared expression stands nowhere");
      TURDB_ASSIGN_OR_RETURN(EvaluatorPtr inner, Run(*expr.args[0]));
      shared_[expr.shared_index] = MakeOnceState(std::move(inner));
    }
    const std::shared_ptr<OnceState> made = shared_[expr.shared_index];
    const Evaluator& inner = InnerOf(*made);
    return Describe(MakeOnce(made), inner.is_cheap_, inner.slots_);
  }

  absl::StatusOr<EvaluatorPtr> Make(const BoundExpr& expr, std::vector<EvaluatorPtr> args) {
    switch (expr.kind) {
      case BoundKind::kConstant: return MakeConstant(expr.constant);
      case BoundKind::kParameter: return MakeParameter(expr.parameter, context_);
      case BoundKind::kSlot: return MakeSlot(expr.slot);
      case BoundKind::kRegister: return MakeRegister(expr.register_index, context_);
      case BoundKind::kArithmetic:
        if (args.size() == 1) return MakeUnary(expr.arithmetic, std::move(args[0]));
        if (expr.arithmetic == ArithmeticOp::kConcat) return MakeConcat(std::move(args[0]), std::move(args[1]));
        return MakeArithmetic(expr.arithmetic, std::move(args[0]), std::move(args[1]));
      case BoundKind::kCompare:
        return MakeCompare({expr.compare, expr.compare_affinity, expr.compare_collation}, std::move(args[0]),
                           std::move(args[1]), context_);
      case BoundKind::kAnd: return MakeLogic(true, std::move(args));
      case BoundKind::kOr: return MakeLogic(false, std::move(args));
      case BoundKind::kNot: return MakeNot(std::move(args[0]));
      case BoundKind::kIsNull: return MakeIsNull(expr.is_negated, std::move(args[0]));
      case BoundKind::kCase: return MakeCase(std::move(args));
      case BoundKind::kCast: return MakeCast(expr.type, std::move(args[0]));
      case BoundKind::kCollate: return std::move(args[0]);
      case BoundKind::kAffinity: return MakeAffinity(expr.affinity, std::move(args[0]));
      case BoundKind::kFunction: return Call(expr, std::move(args));
      case BoundKind::kInList: return MakeInList(expr, std::move(args), context_);
      case BoundKind::kRaise: return MakeRaise(args.empty() ? nullptr : std::move(args[0]));
      case BoundKind::kInSubquery:
      case BoundKind::kExists:
      case BoundKind::kScalarSubquery: return WithPlan(expr, std::move(args));
      case BoundKind::kColumn:
      case BoundKind::kOnce: break;
    }
    return InternalError("an expression that the planner did not resolve: kind ", static_cast<int>(expr.kind));
  }

  absl::StatusOr<EvaluatorPtr> WithPlan(const BoundExpr& expr, std::vector<EvaluatorPtr> args) {
    if (expr.subquery == nullptr || expr.subquery->physical == nullptr) return InternalError("a subquery without a plan");
    TURDB_ASSIGN_OR_RETURN(std::unique_ptr<Operator> plan, builder_->Build(*expr.subquery->physical));
    if (expr.kind == BoundKind::kExists) return MakeExists(expr, std::move(plan), context_);
    if (expr.kind == BoundKind::kScalarSubquery) return MakeScalarSubquery(expr, std::move(plan), context_);
    return MakeInSubquery(expr, std::move(args), std::move(plan), context_);
  }

  // Functions that SQL evaluates lazily, or that only pass their argument on, are not calls.
  absl::StatusOr<EvaluatorPtr> Call(const BoundExpr& expr, std::vector<EvaluatorPtr> args) {
    const ScalarFunction* function = expr.function;
    if (function == nullptr) return InternalError("a call without a function");
    if (function == BuiltinFunctions().FindScalar(function->name, static_cast<int>(args.size()))) {
      const std::string& name = function->name;
      if (name == "coalesce" || name == "ifnull") return MakeCoalesce(std::move(args));
      if (name == "likely" || name == "unlikely" || name == "likelihood") return std::move(args[0]);
      if (name == "iif" || name == "if") {
        if (args.size() % 2 == 0) args.push_back(MakeConstant(Value()));
        return MakeCase(std::move(args));
      }
    }
    return MakeCall(expr, std::move(args), context_);
  }

  Builder* builder_;
  ExecContext* context_;
  absl::flat_hash_map<int, std::shared_ptr<OnceState>> shared_;
};

absl::StatusOr<EvaluatorPtr> Compile(const BoundExpr& expr, Builder* builder) { return Compiler(builder).Run(expr); }

absl::StatusOr<EvaluatorPtr> CompileOptional(const ExprPtr& expr, Builder* builder) {
  if (expr == nullptr) return EvaluatorPtr();
  return Compile(*expr, builder);
}

absl::StatusOr<std::vector<EvaluatorPtr>> CompileAll(const std::vector<ExprPtr>& exprs, Builder* builder) {
  Compiler compiler(builder);
  std::vector<EvaluatorPtr> compiled;
  for (const ExprPtr& expr : exprs) {
    TURDB_ASSIGN_OR_RETURN(EvaluatorPtr one, compiler.Run(*expr));
    compiled.push_back(std::move(one));
  }
  return compiled;
}

absl::StatusOr<Value> EvaluateScalar(const BoundExpr& expr, ExecContext* context) {
  Builder builder;
  builder.context = context;
  TURDB_ASSIGN_OR_RETURN(EvaluatorPtr evaluator, Compile(expr, &builder));
  Arena arena;
  Cell value;
  TURDB_RETURN_IF_ERROR(EvalScalar(evaluator.get(), &arena, &value));
  return Value::FromCell(value);
}

}  // namespace turdb::sql
